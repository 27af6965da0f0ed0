#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor: every fault that it knows is made, has to be found, and is
# looked at from outside where that is possible. What is healthy gives no alarm.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	healthy			"nothing is wrong"
	not_loaded		"the module is not loaded, and doctor does not load it"
	other_kernel		"the module was built for another kernel"
	not_installed		"neither the module nor ESP is installed"
	blacklisted		"esp4 and esp6 are blacklisted"
	port			"another process has the port"
	no_charon		"charon does not run"
	plugin			"the plugin is loaded, or is not, or is of another strongSwan"
	sas			"SAs of connections that have ended"
	device			"the device is down"
	path			"a path that swallows big packets"
	settings		"TCP settings that hurt"
	drops			"alarming drops"
	unprivileged		"what others than root are told"
	signatures		"Secure Boot refuses the module"
)

test_healthy() {
	attach role originator
	esptcp bind conn "$id" "${sa_out[@]}"
	examine
	for what in module ESP firewall device SAs MTU TCP drops; do
		same ok "$(verdicts $what)"
	done
	run "$status" esptcp doctor
	has '^ok +module +esptcp is loaded$' '^ok +SAs +1 SAs, each has a connection that is up$'
	lacks '.{81}'
	esptcp unbind all
}

# The module is loaded again when the test ends.
unload() {
	trap 'modprobe esptcp' EXIT
	modprobe -r esptcp esp4_offload esp6_offload
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
	finds problem module "^esptcp is installed for kernel 9\\.9\\.9-test, but $running is running\$" 'linux-headers'
	run 1 modprobe esptcp

	# the same when its file has been copied by hand
	sed "s/vermagic=${running:0:2}\([^ ]*\) SMP/vermagic=9.\1 XMP/" ../../kmod/esptcp.ko > "$tmp/modules/$running/esptcp.ko"
	depmod_in "$running"
	examine
	finds problem module "^esptcp is not loaded, and was built for kernel 9\\..*, while $running is running\$" 'linux-headers'
	run 1 modprobe esptcp
	has 'format'
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
	printf '%s\n' 'install esp4 /bin/false' 'blacklist esp6' > /etc/modprobe.d/doctor.conf
	examine
	finds warning ESP '^esp4 is replaced by an "install" line .* loaded now, after the next boot .* IPv4$' 'modprobe\.d'
	finds warning ESP '^esp6 is blacklisted .* IPv6$' 'modprobe\.d'

	modprobe -r esptcp esp4_offload esp6_offload
	modprobe -r esp4 esp6 || true
	run 1 modprobe esp4
	examine
	finds problem ESP '^esp4 is replaced by' 'remove that line'
	finds problem ESP '^esp6 is blacklisted' 'remove that line'

	echo 'blacklist esptcp' > /etc/modprobe.d/doctor.conf
	run 1 esptcp show
	has 'modprobe esptcp'
	examine
	finds problem module 'esptcp is blacklisted' 'remove the line'
	same ok "$(verdicts ESP)"
}

test_port() {
	examine
	finds warning port '^nothing listens on TCP port 4500' 'charon\.plugins\.esptcp\.ports'
	listen nginx 443
	examine port 4500 port 443
	finds problem port "^TCP port 443 is held by nginx \\(process $listener\\), not by charon\$" 'another port'
	finds warning port '^nothing listens on TCP port 4500' .
	kill $listener
	listen charon-systemd 4500
	examine
	finds ok port "^charon-systemd \\(process $listener\\) listens on TCP port 4500\$" ''
	run 2 esptcp doctor port 0
}

test_no_charon() {
	examine
	finds problem plugin '^charon does not run' 'start strongSwan'
}

# start_charon [LOAD]: with the plugin, unless its 'load' says otherwise
start_charon() {
	cat > "$tmp/strongswan.conf" <<- END
		charon {
		    load_modular = yes
		    plugins {
		        esptcp { load = ${1-100}
		            ports = 4500 }
		        $(printf '%s { load = yes }\n' socket-default kernel-netlink vici openssl random nonce kdf)
		    }
		    filelog { log { path = $tmp/charon.log
		        flush_line = yes } }
		}
	END
	STRONGSWAN_CONF=$tmp/strongswan.conf /usr/lib/ipsec/charon > /dev/null 2>&1 &
	charon=$!
	trap stop_charon EXIT
	until_true charon_answers
}

stop_charon() {
	kill "$charon"
	wait "$charon" || true
}

charon_answers() {
	swanctl --stats > /dev/null 2>&1
}

test_plugin() {
	local plugin=/usr/lib/ipsec/plugins/libstrongswan-esptcp.so version

	start_charon
	examine
	finds ok plugin "^charon \\(strongSwan [0-9.]+\\) has loaded it\$" ''
	finds ok port '^charon \(process [0-9]+\) listens on TCP port 4500$' ''
	stop_charon

	start_charon no
	examine
	finds problem plugin '^charon has not loaded the plugin' 'charon\.plugins\.esptcp\.load'
	finds warning port '^nothing listens on TCP port 4500' .
	stop_charon

	# a plugin that was compiled for a version with another first digit
	cp "$plugin" "$tmp/plugin"
	# shellcheck disable=SC2064 # the values are wanted now
	trap "stop_charon; cp $tmp/plugin $plugin" EXIT
	version=$(grep -aoE 'compiled for strongSwan [0-9.]+' "$plugin" | grep -o '[0-9.]*$')
	sed "s/${version//./\\.}/9${version:1}/g" "$tmp/plugin" > "$plugin"
	start_charon
	# shellcheck disable=SC2064
	trap "stop_charon; cp $tmp/plugin $plugin" EXIT
	examine
	finds problem plugin "^the plugin was built for strongSwan 9${version:1}, but $version is running\$" 'build it again'
	grep -q 'was compiled for' "$tmp/charon.log"
	rm "$plugin"
	examine
	finds problem plugin '^the plugin is not installed' 'make install'
}

test_sas() {
	attach
	esptcp bind conn "$id" "${sa_in[@]}"
	esptcp bind conn "$id" "${sa_out[@]}"
	peer reset
	until_true is_down "$id"
	examine
	finds problem SAs '^2 of 2 SAs are bound to connections that have ended' 'esptcp monitor'
	exec {fd}>&-
	attach
	esptcp bind conn "$id" "${sa_out[@]}"
	examine
	finds problem SAs '^1 of 2 SAs' .
	esptcp unbind all
	examine
	same ok "$(verdicts SAs)"
}

test_device() {
	attach
	esptcp bind conn "$id" "${sa_out[@]}"
	ip link set esptcp0 down
	examine
	finds problem device '^esptcp0 is down' 'ip link set esptcp0 up'
	ip link set esptcp0 up
	examine
	same ok "$(verdicts device)"
	esptcp unbind all
}

test_path() {
	attach
	# a router that drops what is big and says nothing
	ip netns exec "$peer_ns" nft 'table inet hole { chain input { type filter hook input priority 0; meta length > 1000 drop; }; }'
	python3 -c 'import os, sys; os.write(int(sys.argv[1]), bytes(4) + b"x" * 3000)' "$fd"
	until_true stuck
	finds problem MTU "^connection $id is stuck: [0-9]+ segments of up to 1448 octets" 'tcp_mtu_probing=1'
	ip netns exec "$peer_ns" nft delete table inet hole
	exec {fd}>&-

	# a path with tiny segments
	ip netns exec "$peer_ns" ip link set tool0 mtu 1000
	attach
	examine
	ip netns exec "$peer_ns" ip link set tool0 mtu 1500
	finds warning MTU "^connection $id has segments of 9[0-9]+ octets only" 'clamp'
}

stuck() {
	examine
	[[ $(verdicts MTU) == problem ]]
}

# setting NAME VALUE PATTERN: a bad value is found
setting() {
	local old
	old=$(sysctl -n "net.ipv4.$1")

	sysctl -qw "net.ipv4.$1=$2"
	examine
	sysctl -qw "net.ipv4.$1=$old"
	finds warning TCP "^net\\.ipv4\\.$1 $3" "sysctl -w net\\.ipv4\\.$1="
}

test_settings() {
	setting tcp_sack 0 'is off'
	setting tcp_window_scaling 0 'is off'
	setting tcp_moderate_rcvbuf 0 'is off'
	setting tcp_rmem "4096 16384 65536" 'lets a connection have 65536 octets at most'
	setting tcp_wmem "4096 16384 65536" 'lets a connection have 65536 octets at most'
	examine
	same ok "$(verdicts TCP)"
	ip netns exec "$peer_ns" sysctl -qw net.ipv4.tcp_sack=0
	attach
	examine
	ip netns exec "$peer_ns" sysctl -qw net.ipv4.tcp_sack=1
	finds warning TCP "^connection $id works without SACK, " 'proxy'
}

has_dropped() {
	examine
	[[ $(verdicts drops) == warning ]]
}

test_drops() {
	attach
	peer send 0004abcd
	until_true has_dropped
	finds warning drops '^1 x rx-drop-runt: Frames too short to be IKE or ESP$' 'tcpdump'
}

test_unprivileged() {
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all timeout 20 "$tool")

	modprobe nf_tables
	listen nginx 4500
	attach
	status=0
	out=$("${nobody[@]}" doctor --json) || status=$?
	finds ok module '^esptcp is loaded$' ''
	finds skipped port '^a process of user 0 listens on TCP port 4500' 'as root'
	finds skipped firewall 'only root' 'as root'
	finds skipped SAs 'only root' 'as root'
	finds ok TCP . ''
}

# This cannot be undone, so it is the last one.
test_signatures() {
	modprobe -r esptcp
	trap true EXIT
	echo Y > /sys/module/module/parameters/sig_enforce
	examine
	finds problem module 'takes signed modules only \(Secure Boot\)' 'mokutil'
	run 1 modprobe esptcp
	has 'Key was rejected|Required key not available|Loading of unsigned module'
}

run_tests
