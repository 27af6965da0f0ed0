#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan with our plugin where TCP is not wanted, wrongly configured, lost
# or abused.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# A connection for which nothing is configured is as without the plugin.
udp_untouched() {
	local ok=0

	ns r nft add chain inet fw forward '{ policy accept; }'
	ns r nft insert rule inet fw forward accept
	restart udp && establish && ping_ok ca "$clientB" 56 &&
		swan ga --rekey --child net > /dev/null && ping_ok ca "$clientB" 56 &&
		[ -z "$(esptcp_table ga id)$(esptcp_table gb id)" ] &&
		swan ga --terminate --ike net > /dev/null || ok=1
	ns r nft delete table inet fw
	router_rules
	return $ok
}

# Without its connection a bound SA is silent, and IKE does not turn to UDP, as
# long as there is no other connection.
never_bare() {
	restart && establish && clients_talk || return
	ns r nft insert rule inet fw forward tcp dport "$port" drop
	reset_by gb sport
	reset_by ga dport
	within 10 log_has ga 'TCP connection .* ended' &&
		no_ping ca "$clientB" || return
	swantimeout=5 swan ga --rekey --child net > /dev/null
	only_tcp && [ -z "$(esptcp_table ga id)" ] && exceeds ga tx-drop-no-conn 0 || return
	router_rules
	within 20 clients_talk && only_tcp
}

# The first message is retransmitted over a new connection.
late_responder() {
	local pid

	restart tcp "" || return
	inside ga swanctl --initiate --child net > "$work/initiate" 2>&1 &
	pid=$!
	within 20 log_has ga 'failed: Connection refused' && configure &&
		swan gb --reload-settings > /dev/null && wait $pid && clients_talk
}

# fails MESSAGE: initiating fails at once, for the reason logged
fails() {
	! swantimeout=10 swan ga --initiate --child net > "$work/initiate" &&
		grep -q 'initiate failed' "$work/initiate" && log_has ga "$1"
}

unknown_transport() {
	restart tpc && log_has ga 'transport = tpc is unknown, use udp, tcp or auto' && fails 'transport = tpc' &&
		only_tcp
}

port_out_of_range() {
	port=70000 gateway_conf ga tcp 65536
	gateway_stop ga
	gateway_start ga && log_has ga 'ports: 65536 is no port' && fails 'tcp_port = 70000 is wrong'
}

# Misspelt settings, at each level; those that there are are not complained of.
unknown_settings() {
	local -x pluginopts='prots = 4500
		connection { net { transport = tcp } }
		connections { net {
			transprt = tcp
			fortinet { windw = 1
				window = 1 }
		} }'
	local name

	configure && unset pluginopts && swan ga --reload-settings > /dev/null || return
	for name in prots connection connections.net.transprt connections.net.fortinet.windw; do
		within 5 log_has ga "setting '$name' is unknown" || return
	done
	[ "$(grep -c "setting '.*' is unknown" "$work/ga/charon.log")" = 4 ]
}

port_taken() {
	gateways_stop
	background squatter gb socat "TCP6-LISTEN:$port,ipv6only=0,reuseaddr" STDOUT
	within 5 listens gb "$port" && configure && gateway_start gb &&
		log_has gb "TCP port $port is taken by process [0-9]* (socat)"
	local status=$?
	end squatter TERM
	return $status
}

ikev1_refused() {
	configure && sed -i 's/version = 2/version = 1/' "$work/ga/swanctl.conf" || return
	gateway_stop ga
	gateway_start ga && fails 'needs IKEv2' && only_tcp
}

# knock SECONDS [WORDS]: what a stranger on the port would do
knock() {
	printf '%s' "${2:-}" | ns ga timeout "$1" socat -t "$1" - "TCP:$B:$port"
}

wrong_prefix() {
	configure && gateways_stop
	gateway_start gb || return
	knock 5 'GET / HTTP/1.0' 2> /dev/null
	log_has gb 'no IKETCP stream prefix'
}

no_prefix() {
	background silent ga socat -u "TCP:$B:$port" STDOUT
	within 9 log_has gb 'no stream prefix from .* within 5 seconds' &&
		within 3 has_ended silent
}

# After the prefix there has to be an IKE_SA.
no_ike() {
	background silent ga socat -U "TCP:$B:$port" SYSTEM:'printf IKETCP; sleep 30'
	within 5 log_has gb 'TCP connection .* is up' && within 13 log_has gb 'closing TCP connection'
}

half_open_limit() {
	gateway_stop gb
	pluginopts='half_open_limit = 3' configure && gateway_start gb || return
	for i in 1 2 3 4; do
		background "silent$i" ga socat -u "TCP:$B:$port" STDOUT
	done
	within 5 log_has gb 'half_open_limit of 3 reached'
}

reloads() {
	configure tcp '4501, 443' && swan gb --reload-settings > /dev/null &&
		within 5 log_has gb 'listening on TCP port 4501' && log_has gb "no longer listening on TCP port $port" &&
		listens gb 4501 && listens gb 443 && ! listens gb "$port"
}

module_missing() {
	local status=0

	gateways_stop
	rmmod esptcp || return
	sysctl -qw kernel.modprobe=/bin/false
	configure && gateways_start && log_has gb "run 'modprobe esptcp'" &&
		log_has ga "run 'modprobe esptcp'" || status=1
	swantimeout=5 swan ga --initiate --child net > /dev/null
	log_has ga 'the kernel module did not take it' && only_tcp || status=1
	sysctl -qw kernel.modprobe=/sbin/modprobe
	gateways_stop
	modprobe esptcp
	return $status
}

gateways_test 14
check "what is not configured for TCP uses UDP" udp_untouched
check "without its connection an SA is silent" never_bare
check "a responder that comes late" late_responder
check "an unknown transport is refused" unknown_transport
check "a port out of range is refused" port_out_of_range
check "settings that do not exist are logged" unknown_settings
check "a port that is taken is logged" port_taken
if grep -q 'initiating Main Mode' "${charon%/*}/libcharon.so.0"; then
	check "IKEv1 is refused" ikev1_refused
else
	ktap_test_skip "IKEv1 is refused: this strongSwan does not have it"
fi
check "another prefix ends the connection" wrong_prefix
check "no prefix ends the connection" no_prefix
check "no IKE_SA ends the connection" no_ike
check "half-open connections are limited" half_open_limit
check "settings are reloaded" reloads
check "a missing module is logged" module_missing
ktap_finished
