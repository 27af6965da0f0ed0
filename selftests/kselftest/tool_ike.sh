#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp gateways, tunnels, sockets, metrics and capture: what they print of a
# tunnel that strongSwan has made is what charon, XFRM, ss and the module say.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# tool NAME COMMAND...: esptcp in a gateway's network and mount namespace
tool() {
	local name=$1
	shift
	inside "$name" timeout 30 esptcp "$@"
}

# value FILTER: of the JSON in $out
value() {
	jq -er "$1" <<< "$out"
}

# sa NAME KEY: a value that charon tells of the IKE_SA or CHILD_SA
sa() {
	swan "$1" --list-sas --raw | grep -oE "[ {]$2=[^ }]*" | head -n 1 | cut -d= -f2
}

shows_gateway() {
	local name=$1 role=$2 direction=$3
	out=$(tool "$name" gateways --json) || return

	[ "$(value length)" = 1 ] && [ "$(value '.[0].name')" = net ] && [ "$(value '.[0].transport')" = tcp ] &&
		[ "$(value '.[0].state')" = ESTABLISHED ] && [ "$(value '.[0].role')" = "$role" ] &&
		[ "$(value '.[0].connection')" = "$(esptcp_table "$name" id)" ] &&
		[ "$(value '.[0].tunnels')" = 1 ] &&
		[ "$(value '.[0]."initiator-spi"')" = "$(sa "$name" initiator-spi)" ] &&
		[ "$(value '.[0]."responder-spi"')" = "$(sa "$name" responder-spi)" ] &&
		[ "$(value '.[0].established')" -lt 120 ] || return
	out=$(tool "$name" gateways)
	[[ $out == *"gateway net"*"port"*", as $name.example.org"*"transport   tcp, connection "*", up"* ]] &&
		out=$(tool "$name" show --json) && [ "$(value '.connections[0].role')" = "$direction" ]
}

shows_tunnel() {
	local name=$1
	ping_ok ca "$clientB" 56 || return
	out=$(tool "$name" tunnels --json) || return

	[ "$(value length)" = 1 ] && [ "$(value '.[0].gateway')" = net ] && [ "$(value '.[0].transport')" = tcp ] &&
		[ "$(value '.[0].connection')" = "$(esptcp_table "$name" id)" ] &&
		[ "$(value '.[0]."spi-out"')" = "0x$(sa "$name" spi-out)" ] &&
		[ "$(value '.[0]."packets-in"')" = 3 ] && [ "$(value '.[0]."packets-out"')" = 3 ] &&
		[ "$(value '.[0]."bytes-in"')" = 252 ] &&
		[ "$(value '.[0]."local-ts"[0]')" = "$2" ] && [ "$(value '.[0]."remote-ts"[0]')" = "$3" ] &&
		ipn "$name" xfrm state | grep -q "spi $(value '.[0]."spi-in"')" || return
	out=$(tool "$name" tunnels)
	[[ $out == *"tunnel net of gateway net"*"networks    $2 - $3"*" 3 packets "* ]]
}

capture() {
	background tcpdump r tcpdump -Z root --immediate-mode -U -s 0 -nni to_a -w "$work/wire.pcap" tcp
	within 10 says tcpdump 'listening on'
}

# The router's packets have the frames that the module has counted.
captured() {
	out=$(esptcp capture "$work/wire.pcap" --json) && [ "$(value '.connections | length')" = 1 ] &&
		[ "$(value '.connections[0] | "\(.framing) \(.prefix) \(."originator-addr")"')" = "rfc9329 true $A" ] &&
		[ "$(value '.connections[0].originator | "\(."esp-in-stream") \(."ike-messages") \(.strays)"')" = \
			"$(counted ga tx-esp-frames) $(counted ga tx-ike-frames) 0" ] &&
		[ "$(value '.connections[0].responder | "\(."esp-in-stream") \(."ike-messages") \(.strays)"')" = \
			"$(counted ga rx-esp-frames) $(counted ga rx-ike-frames) 0" ] && exceeds ga tx-esp-frames 2
}

shows_sockets() {
	out=$(tool gb sockets --json) || return
	[ "$(value '[.[] | select(.state == "listen") | .process] | unique | join(" ")')" = charon ] &&
		[ "$(value '[.[] | select(.state == "listen") | .local | split(":")[-1]] | unique | join(" ")')" = "$port" ] &&
		[ "$(value '.[] | select(.state == "up") | "\(.process) \(.pid) \(.local)"')" = \
			"charon ${pids[gb]} $(esptcp_table gb local)" ] || return
	out=$(tool ga sockets)
	[[ $out == *"up     charon"*"${pids[ga]}"*"$(esptcp_table ga local)"*"$(esptcp_table ga remote)"* ]]
}

# The kernel's names and numbers, in Prometheus' words
metrics_are_the_counters() {
	local counter value

	out=$(tool ga metrics) || return
	while read -r counter value; do
		[[ $counter == ?x-drop-* ]] || continue
		grep -qx "esptcp_dropped_packets_total{direction=\".*\",reason=\"${counter#?x-drop-}\"} $value" \
			<<< "$out" || return
	done < <(ns ga cat /proc/net/esptcp_stat)
	grep -qx "esptcp_frames_total{direction=\"transmit\",payload=\"esp\"} $(counted ga tx-esp-frames)" <<< "$out" &&
		grep -qx "esptcp_bytes_total{direction=\"receive\",payload=\"ike\"} $(counted ga rx-ike-bytes)" <<< "$out" &&
		grep -qx "esptcp_stream_esp_total $(counted ga rx-stream-esp)" <<< "$out" &&
		grep -qx 'esptcp_connections{state="up"} 1' <<< "$out" &&
		grep -qx 'esptcp_sas{connected="yes"} 2' <<< "$out" &&
		grep -qx "esptcp_peer_connections{peer=\"$B\",state=\"up\"} 1" <<< "$out" &&
		grep -qx "esptcp_peer_bytes_total{peer=\"$B\",direction=\"receive\",payload=\"ike\"} $(counted ga rx-ike-bytes)" <<< "$out"
}

# promtool complains about names, help texts and types.
promtool_likes_it() {
	tool ga metrics | promtool check metrics > "$work/promtool" 2>&1 && [ ! -s "$work/promtool" ] && return
	sed 's/^/# /' "$work/promtool"
	return 1
}

nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)

others_are_told() {
	local command

	for command in gateways tunnels; do
		! out=$(inside ga "${nobody[@]}" timeout 30 esptcp $command 2>&1) &&
			[[ $out == *"charon cannot be asked: Permission denied"*"run it as root"* ]] || return
	done
	out=$(inside ga "${nobody[@]}" timeout 30 esptcp sockets --json) &&
		[ "$(value '.[] | select(.state == "up") | has("process")')" = false ] &&
		out=$(inside ga "${nobody[@]}" timeout 30 esptcp metrics) &&
		[[ $out == *"esptcp_connections"* && $out != *"esptcp_sas"* ]]
}

doctor_is_content() {
	out=$(tool gb doctor --json) && [ "$(value '[.[] | select(.verdict != "ok")] | length')" = 0 ] && return
	sed 's/^/# /' <<< "$out"
	return 1
}

# transports WANTED: of the IKE_SA and of the CHILD_SA of gateway A
transports() {
	local command

	for command in gateways tunnels; do
		out=$(tool ga $command --json) &&
			[ "$(value '.[0] | "\(.transport) \(."connection-state")"')" = "$1" ] || return
	done
}

# series: names and labels of what is said of peers
series() {
	tool ga metrics | sed -n 's/^\(esptcp_peer.*\) [0-9.e+-]*$/\1/p'
}

# The router ends the connection, and lets no other one through.
connection_is_gone() {
	local before
	before=$(series) && [ "$before" ] || return
	ns r nft insert rule inet fw forward meta l4proto tcp reject with tcp reset
	ns ca ping -q -c 1 -W 1 "$clientB" > /dev/null
	within 20 transports "tcp null" || return
	out=$(tool ga gateways) && [[ $out == *"transport   tcp, without a connection"* ]] &&
		out=$(tool ga tunnels) && [[ $out == *"transport   tcp, without a connection"* ]] || return
	ns r nft delete rule inet fw forward handle "$(ns r nft -a list chain inet fw forward | awk '/tcp reset/ { print $NF }')"
	within 60 transports "tcp up" && within 10 has_series "$before"
}

# The connection is another one, the peer is not.
has_series() {
	[ "$(series)" = "$1" ] && return
	diff <(series) - <<< "$1" | sed 's/^/# /'
	return 1
}

# The router says nothing to who opens a connection.
connection_is_opened() {
	swan ga --terminate --ike net > /dev/null
	ns r nft insert rule inet fw forward meta l4proto tcp drop
	swan ga --initiate --child net > /dev/null &
	within 10 shows_connecting
	local ok=$?
	kill $!
	wait $!
	return $ok
}

shows_connecting() {
	out=$(tool ga gateways --json) &&
		[ "$(value '.[0] | "\(.state) \(.transport) \(.connection)"')" = "CONNECTING tcp null" ]
}

udp_is_udp() {
	ns r nft insert rule inet fw forward meta l4proto udp accept
	ns r nft insert rule inet fw forward meta l4proto esp accept
	restart udp && establish || return
	out=$(tool ga gateways --json) && [ "$(value '.[0].transport')" = udp ] &&
		out=$(tool ga tunnels --json) && [ "$(value '.[0].transport')" = esp ] || return
	swan ga --terminate --ike net > /dev/null
	out=$(tool ga gateways) && [ "$out" = "no gateways: charon has no IKE_SA" ] &&
		out=$(tool ga tunnels) && [ "$out" = "no tunnels: charon has no CHILD_SA" ]
}

without_charon() {
	gateways_stop
	! out=$(ns ga timeout 30 esptcp gateways 2>&1) && [[ $out == *"charon cannot be asked: it does not run"*"start strongSwan"* ]]
}

gateways_test 15
restart || ktap_exit_fail_msg "the gateways do not start"
check "a capture begins" capture
check "the tunnel comes up" establish
check "gateways: the initiator" shows_gateway ga initiator originator
check "gateways: the responder" shows_gateway gb responder responder
check "tunnels" shows_tunnel ga "$netA" "$netB"
check "capture: what the module has counted" within 5 captured
end tcpdump TERM
check "sockets" shows_sockets
check "metrics are the kernel's counters" metrics_are_the_counters
check "promtool has nothing to object to" promtool_likes_it
check "others than root" others_are_told
check "doctor finds nothing wrong with a working responder" doctor_is_content
check "a connection that was reset" connection_is_gone
check "a connection that is opened" connection_is_opened
check "an IKE_SA over UDP is shown as such" udp_is_udp
check "charon does not run" without_charon
ktap_finished
