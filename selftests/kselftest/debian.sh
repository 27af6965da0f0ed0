#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The daemon as Debian runs it: confined by the AppArmor profiles of its packages,
# which are enforced, and as charon-systemd.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# What confined programs may read
rmdir "$work"
work=/etc/strongswan.d/esptcp-test
mkdir "$work"
profiles=(/etc/apparmor.d/usr.lib.ipsec.charon /etc/apparmor.d/usr.sbin.swanctl)

# swan NAME ARGUMENT...: as it is, but a confined swanctl cannot write to files
eval "unpiped_$(declare -f swan)"
swan() {
	unpiped_swan "$@" | cat
}

enforce() {
	mountpoint -q /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
	apparmor_parser --skip-cache --replace "${profiles[@]}"
}

unconfine() {
	apparmor_parser --remove "${profiles[@]}"
}

confined() {
	[[ $(< "/proc/${pids[ga]}/attr/current") = "$charon (enforce)"* ]] &&
		[[ $(< "/proc/${pids[gb]}/attr/current") = "$charon (enforce)"* ]]
}

# What was denied, but the files to which this test wrote their output
denied() {
	dmesg | grep 'apparmor="DENIED"' | grep -v 'operation="file_inherit"'
}

nothing_denied() {
	! denied | sed 's/^/# /' | grep .
}

# With all that a tunnel may need of the kernel
tunnelopts='large_packets = yes'

lifecycle() {
	establish && [[ $(ipn ga rule) = *"ipproto esp lookup 4500"* ]] && clients_talk && only_tcp && [ "$(esptcp_table gb bindings)" = 2 ] &&
		swan ga --rekey --child net > /dev/null && within 10 log_has gb 'outbound CHILD_SA .* established' &&
		log_has gb 'listening on TCP port 443' && swan ga --terminate --ike net > /dev/null && within 10 no_state
}

# It may not look for who has the port, and says what to do.
holder_unknown() {
	local status=0

	gateway_stop gb
	background squatter gb socat TCP-LISTEN:443 STDOUT
	within 5 listens gb 443
	gateway_start gb && log_has gb 'TCP port 443 is taken by another program' && listens gb "$port" || status=1
	end squatter TERM
	return $status
}

systemd() {
	[ "$(readlink "/proc/${pids[gb]}/exe")" = "$charon" ] && lifecycle
}

gateways_test 5
if [ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ] && enforce; then
	restart tcp "443, $port"
	check "charon is confined by Debian's profile" confined
	check "a tunnel's life, confined" lifecycle
	check "nothing was denied" nothing_denied
	check "a port that is taken, confined" holder_unknown
	gateways_stop
	unconfine
else
	for what in confined "a tunnel's life, confined" "nothing was denied" "a port that is taken, confined"; do
		ktap_test_skip "$what: the kernel has no AppArmor"
	done
fi
charon=/usr/sbin/charon-systemd
restart tcp "443, $port"
check "charon-systemd" systemd
ktap_finished
