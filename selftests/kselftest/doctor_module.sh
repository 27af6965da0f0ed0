#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor and what keeps the kernel from loading esptcp or ESP: modprobe
# has to agree.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	not_loaded		"the module is not loaded, and doctor does not load it"
	other_kernel		"the module was built for another kernel"
	not_installed		"neither the module nor ESP is installed"
	blacklisted		"esp4 and esp6 are blacklisted"
	lockdown		"a kernel that is locked down refuses the module"
	signatures		"the module is signed with a key that the kernel does not have"
)

# The module is loaded again when the test ends.
unload() {
	trap 'modprobe esptcp' EXIT
	modprobe -r esptcp esp4_offload
	modprobe -r esp4 esp6 || true
}

test_not_loaded() {
	unload
	examine
	finds problem module '^esptcp is not loaded$' 'modprobe esptcp'
	[ ! -e /sys/module/esptcp ] || fail "doctor has loaded the module"
	modprobe esptcp
	examine
	same ok "$(verdicts module)"
}

# modules RELEASE...: what /lib/modules has instead, for this test: esptcp,
# for these kernels
modules() {
	local running release
	running=$(uname -r)

	mkdir -p "$tmp/modules/$running"
	for release; do
		mkdir -p "$tmp/modules/$release"
		cp ../../kmod/esptcp.ko "$tmp/modules/$release"
		depmod_in "$release"
	done
	depmod_in "$running"
	trap 'umount /lib/modules; rm -r "$tmp/modules"; modprobe esptcp' EXIT
	mount --bind "$tmp/modules" /lib/modules
}

# depmod wants to see lib/modules, and misses lists that only whole kernels have.
depmod_in() {
	mkdir -p "$tmp/lib"
	ln -sfn ../modules "$tmp/lib/modules"
	depmod -b "$tmp" "$1" 2> /dev/null
}

test_other_kernel() {
	local running
	running=$(uname -r)

	unload
	modules 9.9.9-test
	examine
	finds problem module "^esptcp is installed for kernel 9\\.9\\.9-test, but ${running//+/\\+} is running\$" 'linux-headers'
	run 1 modprobe esptcp

	# the same when its file has been copied by hand
	sed "s/vermagic=${running:0:2}\([^ ]*\) SMP/vermagic=9.\1 XMP/" ../../kmod/esptcp.ko > "$tmp/modules/$running/esptcp.ko"
	depmod_in "$running"
	examine
	finds problem module "^esptcp is not loaded, and was built for kernel 9\\..*, while ${running//+/\\+} is running\$" 'linux-headers'
	run 1 modprobe esptcp
	has 'format'

	# neither is garbage
	: > "$tmp/modules/$running/esptcp.ko"
	examine
	finds problem module "^esptcp is not loaded, and its file is no module: /lib/modules/${running//+/\\+}/esptcp\\.ko" 'make install'
}

test_not_installed() {
	unload
	modules
	examine
	finds problem module '^esptcp is not installed$' 'make install'
	finds problem ESP '^the kernel has no module esp4: no IPsec with IPv4$' .
	finds problem ESP '^the kernel has no module esp6: ' .
}

test_blacklisted() {
	trap 'rm /etc/modprobe.d/doctor.conf; modprobe esptcp' EXIT
	modprobe esp6
	printf '%s\n' 'install esp4 /bin/false' 'blacklist esp6' > /etc/modprobe.d/doctor.conf
	examine
	finds warning ESP '^esp4 is replaced by an "install" line .* loaded now, after the next boot .* IPv4$' 'modprobe\.d'
	finds warning ESP '^esp6 is blacklisted .* IPv6$' 'modprobe\.d'

	modprobe -r esptcp esp4_offload
	modprobe -r esp4 esp6 || true
	run 1 modprobe esp4
	examine
	finds problem ESP '^esp4 is replaced by' 'remove that line'
	finds problem ESP '^esp6 is blacklisted' 'remove that line'

	echo 'blacklist esp4_offload' > /etc/modprobe.d/doctor.conf
	examine
	same warning "$(verdicts ESP)"
	finds warning ESP '^esp4_offload is blacklisted .*: no fast IPsec with IPv4$' 'remove that line'

	modprobe -a esp6 esp6_offload
	examine
	finds problem ESP '^esp6_offload is loaded: .* the same nonce' 'modprobe -r esp6_offload'
	# the module keeps such packets from it
	modprobe esptcp
	examine
	same "warning warning" "$(verdicts ESP)"
	finds warning ESP '^esp6_offload is loaded: without esptcp, .* the same nonce' 'modprobe -r esp6_offload'
	modprobe -r esptcp esp6_offload

	echo 'blacklist esptcp' > /etc/modprobe.d/doctor.conf
	run 1 esptcp show
	has 'modprobe esptcp'
	examine
	finds problem module 'esptcp is blacklisted' 'remove the line'
	same ok "$(verdicts ESP)"
}

# This and what follows cannot be undone. Secure Boot locks the kernel down.
test_lockdown() {
	modprobe -r esptcp
	trap true EXIT
	mountpoint -q /sys/kernel/security || mount -t securityfs none /sys/kernel/security
	echo integrity > /sys/kernel/security/lockdown
	examine
	finds problem module 'takes signed modules only \(Secure Boot\), and esptcp is not signed' 'mokutil'
	run 1 modprobe esptcp
	has 'Operation not permitted|Key was rejected|Required key not available'
}

test_signatures() {
	local module

	trap true EXIT
	echo Y > /sys/module/module/parameters/sig_enforce
	examine
	finds problem module 'takes signed modules only \(Secure Boot\), and esptcp is not signed' 'mokutil'

	# signed, with a key that nobody has told the kernel of
	openssl req -new -x509 -newkey rsa:2048 -noenc -subj '/CN=A key of our own/' -days 2 \
		-keyout "$tmp/key" -out "$tmp/certificate" 2> /dev/null
	cp ../../kmod/esptcp.ko "$tmp"
	"/lib/modules/$(uname -r)/build/scripts/sign-file" sha256 "$tmp/key" "$tmp/certificate" "$tmp/esptcp.ko"
	module=$(modinfo -n esptcp)
	case $module in
	*.xz) xz --check=crc32 --stdout "$tmp/esptcp.ko" > "$module" ;;
	*) cp "$tmp/esptcp.ko" "$module" ;;
	esac
	examine
	finds problem module 'has no key "A key of our own", with which esptcp is signed' 'mokutil --import'
	run 1 modprobe esptcp
	has 'Key was rejected|Required key not available|Operation not permitted'
}

run_tests
