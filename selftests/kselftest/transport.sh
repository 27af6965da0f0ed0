#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The choice between UDP and TCP: transport = auto, what the log says about it,
# mistakes in the settings, and that an IKE_SA that takes the place of another
# one chooses again, and never falls through to UDP.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# connection_setting KEY VALUE: of gateway A's connection
connection_setting() {
	sed -i "s/transport = .*/&\n$1 = $2/" "$work/ga/esptcp.conf"
}

# restart_with KEY VALUE
restart_with() {
	gateways_stop
	configure auto && connection_setting "$@" && gateways_start
}

udp_open() {
	ns r nft insert rule inet fw forward meta l4proto '{ udp, esp }' accept
}

udp_blocked() {
	gateways_stop
	ns r nft delete table inet fw
	router_rules
}

# ike_spi: the initiator's SPI
ike_spi() {
	swan ga --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*'
}

# Nobody responds over UDP: TCP, after the time that is set, with another SPI.
falls_back() {
	local pid spi start=$SECONDS

	restart_with auto_transport_threshold 3 || return
	start=$SECONDS
	inside ga swanctl --initiate --child net > "$work/initiate" 2>&1 &
	pid=$!
	within 10 log_has ga 'over UDP, over TCP to port 4500 if there is no response for 3 s' || return
	spi=$(ike_spi)
	wait $pid && clients_talk && [ "$spi" ] && [ "$(ike_spi)" != "$spi" ] &&
		[ $((SECONDS - start)) -ge 3 ] && echo "# up $((SECONDS - start)) s after initiating, threshold 3 s" &&
		log_has ga 'no response over UDP within 3 s, IKE_SA net\[1\] begins anew over TCP' &&
		[ "$(esptcp_table gb bindings)" = 2 ]
}

# It was UDP until then, and is not any more.
stays_on_tcp() {
	local udp

	udp=$(routed bare_udp)
	[ "$udp" -gt 0 ] && swan ga --rekey --ike net > /dev/null && swan ga --rekey --child net > /dev/null &&
		clients_talk && [ "$(routed bare_udp)" = "$udp" ] && [ "$(routed bare_esp)" = 0 ]
}

# The peer responds to UDP port 500, but what NATs use is blocked. swanctl gives
# up with the first attempt, the IKE_SA does not.
half_blocked() {
	ns r nft insert rule inet fw forward udp dport 500 accept
	ns r nft insert rule inet fw forward udp sport 500 accept
	restart_with auto_transport_threshold 3 || return
	swan ga --initiate --child net > "$work/initiate"
	within 20 log_has ga 'CHILD_SA net.* established' && clients_talk &&
		log_has ga 'parsed IKE_SA_INIT response' && [ "$(esptcp_table gb bindings)" = 2 ]
}

prefers_udp() {
	udp_open
	restart_with auto_transport_threshold 3 && establish && ping_ok ca "$clientB" 56 &&
		[ -z "$(esptcp_table ga id)$(esptcp_table gb id)" ] || return
	pause 3
	ping_ok ca "$clientB" 56 && ! log_has ga 'begins anew' && [ -z "$(esptcp_table ga id)" ]
}

threshold_refused() {
	restart_with auto_transport_threshold 301 &&
		log_has ga 'auto_transport_threshold = 301 is wrong, use a number from 1 to 300' &&
		! swantimeout=10 swan ga --initiate --child net > "$work/initiate" &&
		grep -q 'initiate failed' "$work/initiate"
}

unknown_name() {
	gateways_stop
	configure && sed -i 's/net {/nte {/' "$work/ga/esptcp.conf" && gateways_start &&
		swan ga --reload-settings > /dev/null &&
		within 5 log_has ga "connection 'nte' is unknown" && ! log_has ga "connection 'net' is unknown"
}

# reauthenticates: a new IKE_SA in place of the old one, without UDP
reauthenticates() {
	local before
	before=$(ike_spi)

	swan ga --rekey --reauth --ike net > /dev/null
	within 20 another_only "$before" && clients_talk && only_tcp &&
		within 10 bindings_are 2
}

another_only() {
	local now
	now=$(ike_spi)

	[ "$now" ] && ! grep -qF "$1" <<< "$now" && log_has gb 'deleting IKE_SA net\[1\]'
}

bindings_are() {
	[ "$(ns gb esptcp show --json | jq '[.. | .bindings? | arrays | .[]] | length')" = "$1" ]
}

reauth_afterwards() {
	restart && establish && reauthenticates
}

reauth_before() {
	charonopts='make_before_break = yes' restart && establish && reauthenticates
}

# DPD finds the peer dead, and begins anew when it is back.
dead_peer() {
	charonopts='retransmit_tries = 1
retransmit_timeout = 1' connopts='dpd_delay = 2
keyingtries = 0' childopts='start_action = trap
dpd_action = restart' restart && establish && clients_talk || return
	end gb KILL
	ns r nft insert rule inet fw forward tcp dport "$port" drop
	within 20 log_has ga 'giving up after 1 retransmits' && gateway_start gb || return
	router_rules
	within 40 log_has gb 'IKE_SA net.* established' && within 10 clients_talk && only_tcp
}

gateways_test 9
check "auto: UDP first, then TCP with another SPI" falls_back
check "auto: it stays on TCP" stays_on_tcp
check "auto: a peer that only responds on port 500" half_blocked
check "auto: UDP where it works" prefers_udp
udp_blocked
check "a threshold out of range is refused" threshold_refused
check "settings for an unknown connection are logged" unknown_name
check "reauthentication stays on TCP" reauth_afterwards
check "make-before-break reauthentication stays on TCP" reauth_before
check "after dead peer detection, too" dead_peer
ktap_finished
