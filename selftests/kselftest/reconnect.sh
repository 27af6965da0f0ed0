#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan with our plugin loses its TCP connection under traffic, in every way
# that we know of: the originator comes back, the SAs stay, and nothing leaves in
# another way. Prints how long the traffic stood still each time; the figures are
# for the settings below. fortinet_reconnect.sh does the same with the other
# framing.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

pluginopts="${pluginopts:-}
user_timeout = 3
keepalive = 2
answer_timeout = 4"

# all_spis: of both gateways
all_spis() {
	for name in ga gb; do
		ipn $name xfrm state | grep -o 'spi 0x[0-9a-f]*'
	done | sort
}

# comes_back SECONDS WHAT COMMAND...: traffic goes on by itself after the command,
# with the same SAs on another connection
comes_back() {
	local limit=$1 what=$2 before ids gap
	shift 2
	before=$(all_spis)
	ids=$(esptcp_table ga id)

	pings_start && "$@" && within "$limit" other_connection "$ids" && pings_go_on "$limit" || return
	gap=$(pings_gap)
	echo "# $what: traffic stood still for $gap s"
	[ "$(all_spis)" = "$before" ] && [ "$(esptcp_table ga bindings framing)" = "2 ${framing:-rfc9329}" ] &&
		clients_talk && only_tcp
}

# Those that were replaced are closed.
one_connection_each() {
	[ "$(esptcp_table ga id | wc -l)" = 1 ] && [ "$(esptcp_table gb id | wc -l)" = 1 ]
}

# An idle connection vanishes: nobody sends anything that could not be delivered.
idle_silence() {
	local ids
	ids=$(esptcp_table ga id)

	silence && within 12 other_connection "$ids" && clients_talk
}

nat_reset() {
	ns r nft delete table ip nat 2> /dev/null || :
}

# nat RULE...: a stateless NAT, as it is after a reboot
nat() {
	nat_reset
	ns r nft -f - <<- END
		table ip nat {
			chain in { type filter hook prerouting priority -300; iifname to_b $2; }
			chain out { type filter hook postrouting priority 300; oifname to_b $1; }
		}
	END
}

# The connection has another port from now on, another one keeps its own.
nat_port() {
	local old
	old=$(source_port)

	nat "tcp sport $old tcp sport set 7777" "tcp dport 7777 tcp dport set $old"
}

# Everything from gateway A has another address from now on.
nat_address() {
	ipn r address add 203.0.113.77/24 dev to_b || return
	nat "ip saddr $A ip saddr set 203.0.113.77" "ip daddr 203.0.113.77 ip daddr set $A"
}

# Requests that wait for an answer are sent on the new connection, at once.
outstanding() {
	local start

	: > "$work/ga/charon.log"
	ns r nft insert rule inet fw forward tcp sport "$port" drop
	inside ga swanctl --rekey --child net > /dev/null
	within 5 log_has ga 'establishing CHILD_SA' || return
	start=$SECONDS
	reset_by ga dport
	router_rules
	within 10 log_has ga 'outbound CHILD_SA .* established' &&
		echo "# a request was answered $((SECONDS - start)) s after its connection was cut off" &&
		clients_talk && only_tcp
}

# A request arrives, and its connection is gone when charon looks at it. What it
# wants could not be bound; its repetition on the new connection can. As charon
# may ignore that, being about the first one, it comes more than once.
late_request() {
	local ids before sent
	ids=$(esptcp_table ga id)
	before=$(counted gb rx-ike-frames)
	sent=$(counted ga tx-ike-frames)

	: > "$work/gb/charon.log"
	kill -STOP "${pids[gb]}"
	inside ga swanctl --rekey --child net > /dev/null
	within 15 exceeds gb rx-ike-frames "$before" && reset_by ga dport &&
		within 15 other_connection "$ids" && within 3 exceeds ga tx-ike-frames $((sent + 2)) ||
		{ kill -CONT "${pids[gb]}" && return 1; }
	kill -CONT "${pids[gb]}"
	within 20 log_has gb 'outbound CHILD_SA .* established' && ! log_has gb 'not bound' || return
	grep -o 'message from .* is left until .*' "$work/gb/charon.log" | sed 's/^/# /'
	clients_talk && within 10 one_connection_each && only_tcp
}

# Who plays a recording to the responder from another place gets nothing.
replay() {
	local before

	background tcpdump r tcpdump --immediate-mode -U -s 0 -i to_b -w "$work/recording" tcp port "$port"
	within 10 says tcpdump 'listening on' || return
	# A recording has to begin with a connection: its prefix, a request, some ESP.
	reset_by ga dport && within 10 log_has gb 'IKE_SA .* continues' && clients_talk || return
	pause 1
	end tcpdump TERM
	within 8 one_connection_each || return
	before=$(esptcp_table gb remote)
	: > "$work/gb/charon.log"
	ns r python3 lib/replay.py "$work/recording" "$A" "$B" "$port" &&
		within 5 log_has gb 'received .*retransmit\|received message ID' && clients_talk &&
		! log_has gb 'continues on' && [[ $(esptcp_table gb remote) = *"$before"* ]] &&
		within 15 one_connection_each && [ "$(esptcp_table gb remote)" = "$before" ] && clients_talk
}

# renumbered OLD NEW: gateway A's address, which comes and goes
renumbered() {
	ipn ga <<- END
		addr del 198.51.100.$1/24 dev wan
		addr add 198.51.100.$2/24 dev wan
		route replace default via 198.51.100.254
		route replace 10.2.0.0/24 via 198.51.100.254 src 10.1.0.1
	END
}

address_changes() {
	renumbered "$@" && within 10 log_has ga 'our address has changed' && within 15 log_has gb 'IKE_SA .* continues' &&
		within 10 talks_from "198.51.100.$2" && only_tcp && [ "$(esptcp_table ga bindings)" = 2 ]
}

# charon begins anew then, as over UDP. What clients said while no charon ran has
# left in clear.
no_mobike() {
	connopts='mobike = no' restart && establish && renumbered 2 1 &&
		within 20 log_has ga 'reauthenticating IKE_SA due to address change' &&
		within 30 talks_from 198.51.100.1 && within 10 one_connection_each && ! log_has ga 'peer supports MOBIKE' &&
		[ "$(routed bare_esp)" = 0 ] && [ "$(routed bare_udp)" = 0 ]
}

talks_from() {
	[[ $(esptcp_table gb remote) = *"$1":* ]] && clients_talk
}

# charon dies without a word, and another one knows nothing of the SAs.
responder_dies() {
	local start gap

	pings_start || return
	end gb KILL
	start=$EPOCHREALTIME
	gateway_start gb || return
	echo "# charon took $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $start }") s to start again"
	within 30 log_has gb 'IKE_SA net.* established' && pings_go_on 20 || return
	gap=$(pings_gap)
	echo "# charon of the responder restarted: traffic stood still for $gap s"
	clients_talk && only_tcp && log_has ga 'does not answer for IKE_SA'
}

gateways_test 15
childopts='start_action = trap
dpd_action = restart'
restart && establish && clients_talk || ktap_exit_fail_msg "the tunnel does not come up"
check "RST by the responder" comes_back 10 "RST by the responder" reset_by gb sport
check "RST by the originator" comes_back 10 "RST by the originator" reset_by ga dport
check "silent loss under traffic" comes_back 20 "silent loss (user_timeout 3 s)" silence
check "silent loss while idle" idle_silence
router_rules
check "NAT rebinding to another port" comes_back 15 "NAT rebinding to another port" nat_port
nat_reset
check "NAT rebinding to another address" comes_back 15 "NAT rebinding to another address" nat_address
check "and back to its own" comes_back 15 "NAT rebinding back" nat_reset
check "the connections that were replaced are closed" within 8 one_connection_each
check "an outstanding request is sent on the new connection" outstanding
check "a request whose connection is lost is not lost" late_request
check "replayed connections steal nothing" replay
check "the responder's charon dies and comes back" responder_dies
localaddrs='%any'
check "gateways without a fixed address" restart
establish
check "the originator's address changes" address_changes 1 2
check "the originator's address changes, without MOBIKE" no_mobike
ktap_finished
