#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Encapsulation of packets that XFRM has not cut up (kmod/encap.c): when it takes
# place, when it is left to the stack, and that its segments are as good.
cd "$(dirname "$0")" || exit
. ./net.sh

# Packets for which there were pages: those encapsulated without the stack
encapsulated() {
	grep -c esptcp_pages_alloc $tracing/trace
}

# The first flow learns the path's MTU, and loses packets for that.
mtu_known() {
	forwarded && "$@"
}

# Octets there and back
forwarded() {
	ns ca timeout 60 helper/traffic -t "$clientB"
}

local_tunnel() {
	ns ga timeout 60 helper/traffic -t "$lanB"
}

local_transport() {
	ns ga timeout 60 helper/traffic -t "$B"
}

udp() {
	ns ca timeout 60 helper/traffic -u "$clientB"
}

# Large packets that are not TCP, which the kernel cuts up into 20 each
udp_gso() {
	local before
	before=$(counted ga tx-esp-frames)

	ns ca python3 -c "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_UDP, 103, 1000)
for _ in range(5):
    s.sendto(bytes(20000), (sys.argv[1], 9))" "$clientB" &&
		within 5 exceeds ga tx-esp-frames $((before + 99))
}

# some|none COMMAND...: so many packets are encapsulated without the stack
some() {
	echo > $tracing/trace
	"$@" && [ "$(encapsulated)" -gt 0 ]
}

none() {
	echo > $tracing/trace
	"$@" && [ "$(encapsulated)" = 0 ]
}

all_arrives() {
	within 5 sums_agree esp && no_drops
}

# outer_and_inner 4|6|46: the addresses of the gateways, and of their networks
outer_and_inner() {
	family "${1:0:1}"
	if [ "$1" = 46 ]; then
		netA=fd01::/64 netB=fd02::/64 clientB=fd02::2 lanB=fd02::1
	fi
}

# run 4|6|46 tunnel|transport ALGORITHMS COMMAND...
run() {
	local v=$1 mode=$2 algorithms=$3 ok=1 options=()
	shift 3

	outer_and_inner "$v"
	[ "$v" != 46 ] || options=(flag af-unspec)
	next_spis
	carriers_up && sas "$mode" "$algorithms" "${options[@]}" && "$@" && all_arrives && ok=0
	[ $ok = 0 ] || diagnosis
	sas_flush
	carriers_end
	carriers_forget
	return $ok
}

# recorded COMMAND...: what passes the router meanwhile is in a file
recorded() {
	local ok=1

	background record r tcpdump -Z root -B 32768 --immediate-mode -U -s 0 -i to_b \
		-w "$work/record" tcp port $port
	within 30 says record 'listening on' && "$@" && ok=0
	pause 0.5
	end record TERM
	return $ok
}

# segments COMMAND...: those on the wire meanwhile are good; their number and
# flags go to the variables $segments, $psh, $cwr, $fin and $cwr_again
segments() {
	recorded "$@" && python3 lib/segments.py "$work/record" "$spiAB" > "$work/segments" || return
	read -r segments psh cwr fin cwr_again < "$work/segments"
	ktap_print_msg "$segments segments, with PSH $psh, CWR $cwr, FIN $fin"
}

# nonces COMMAND...: none was used twice
nonces() {
	local packets

	recorded "$@" && packets=$(python3 lib/nonces.py "$work/record") || return
	ktap_print_msg "$packets packets"
	[ "$packets" -gt 500 ]
}

# Packets that are encapsulated here, and others between them
mixture() {
	forwarded || return
	forwarded &
	local pid=$!
	udp && captured udp && wait $pid && forwarded
}

many_segments() {
	segments run "$@" && [ "$segments" -gt 100 ] && [ "$fin" -le 1 ]
}

# pushes COMMAND...: counts in $pushes the packets with PSH that gateway A
# forwards meanwhile
pushes() {
	local text
	ns ga nft "table ip pushed { chain forward { type filter hook forward priority 0;
		ip saddr $clientA tcp flags & psh == psh counter; }; }" && "$@" || return
	text=$(ns ga nft list table ip pushed) && [[ $text =~ packets\ ([0-9]+) ]] || return
	pushes=${BASH_REMATCH[1]}
	ns ga nft delete table ip pushed
}

# Of the segments that a packet with PSH becomes one has it.
push() {
	segments run 4 tunnel "$null" mtu_known pushes some forwarded &&
		ktap_print_msg "$pushes packets with PSH" && [ "$psh" = "$pushes" ]
}

# Congestion is noticed on the way to client B, and client A says that it knows.
congestion() {
	local name ok=1

	for name in ca cb; do
		ns $name sysctl -qw net.ipv4.tcp_ecn=1
	done
	ns gb nft "table ip congested { chain forward { type filter hook forward priority 0;
		ip daddr $clientB ip ecn ect0 numgen inc mod 5 0 ip ecn set ce; }; }"
	segments run 4 tunnel "$null" some forwarded && [ "$cwr" -gt 0 ] && [ "$cwr_again" = 0 ] && ok=0
	ns gb nft delete table ip congested
	for name in ca cb; do
		ns $name sysctl -qw net.ipv4.tcp_ecn=2
	done
	return $ok
}

# device_counts: the device has, what the connections have sent, and IP headers
device_counts() {
	local bytes packets frames
	stats ga
	read -r bytes packets < <(ns ga awk '$1 == "esptcp0:" { print $10, $11 }' /proc/net/dev)
	frames=${stat[ga.tx-esp-frames]}

	[ "$packets" = "$frames" ] && [ "$bytes" = $((${stat[ga.tx-esp-bytes]} + 20 * frames)) ]
}

# captured COMMAND...: somebody looks at the device meanwhile
captured() {
	local name ok=0

	for name in ga gb; do
		background tcpdump_$name $name tcpdump -Z root -lni esptcp0 esp
		within 30 says tcpdump_$name 'listening on' || ok=1
	done
	"$@" || ok=1
	within 5 says tcpdump_ga "ESP\(spi=0x0*${spiAB#0x}" || ok=1
	end tcpdump_ga TERM
	end tcpdump_gb TERM
	return $ok
}

# tc_on WHAT...: run it for the device of both gateways
tc_on() {
	ns ga tc "$@" && ns gb tc "$@"
}

# queued COMMAND...: the device has a queue
queued() {
	tc_on qdisc add dev esptcp0 root pfifo limit 10000 && "$@" &&
		[[ $(ns ga tc -s qdisc show dev esptcp0) =~ Sent\ [1-9] ]]
	local ok=$?
	tc_on qdisc del dev esptcp0 root
	return $ok
}

# filtered COMMAND...: tc looks at what leaves by it
filtered() {
	tc_on qdisc add dev esptcp0 clsact &&
		tc_on filter add dev esptcp0 egress protocol all matchall action ok && "$@" &&
		[[ $(ns ga tc -s filter show dev esptcp0 egress) =~ Sent\ [1-9] ]]
	local ok=$?
	tc_on qdisc del dev esptcp0 clsact
	return $ok
}

nft_on() {
	ns ga nft "$1" && ns gb nft "$1"
}

# hooked COMMAND...: netfilter does
hooked() {
	nft_on "table netdev seen { chain egress {
		type filter hook egress device esptcp0 priority 0; counter; }; }" && "$@" &&
		[[ $(ns ga nft list table netdev seen) =~ packets\ [1-9] ]]
	local ok=$?
	nft_on "delete table netdev seen"
	return $ok
}

# fails PARAMETER...: the first packets cannot be encapsulated, and arrive
fails() {
	insmod helper/fault.ko caller=esptcp "$@" && forwarded &&
		[ "$(< /sys/module/fault/parameters/times)" = 0 ]
	local ok=$?
	rmmod fault
	return $ok
}

test_start 19
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms
trace esptcp_pages_alloc || ktap_exit_fail_msg "the kernel does not trace functions"

check "IPv4, tunnel: segments are good" many_segments 4 tunnel "$null" mtu_known some forwarded
check "IPv6 in IPv4: segments are good" many_segments 46 tunnel "$null" mtu_known some forwarded
check "IPv4, transport: segments are good" many_segments 4 transport "$null" some local_transport
check "PSH is in the last segment only" push
check "CWR is in the first segment only" congestion
check "AES-GCM" run 4 tunnel "$gcm" some forwarded
check "AES-GCM with ESN" run 4 tunnel "$gcm flag esn replay-window 128" some forwarded
check "AES-CBC and HMAC" run 46 tunnel "$cbc" some local_tunnel
check "IPv4: no nonce is used twice" nonces run 4 tunnel "$gcm" some mixture
check "the device counts them" device_counts
check "IPv6, tunnel: segments are good" many_segments 6 tunnel "$null" mtu_known some forwarded
check "IPv6: no nonce is used twice" nonces run 6 tunnel "$gcm" some mixture
check "UDP is left to the stack" run 4 tunnel "$gcm" none udp_gso
check "a capture sees ESP" run 4 tunnel "$gcm" captured none forwarded
check "the device may have a queue" run 4 tunnel "$gcm" queued none forwarded
check "tc sees packets on the device" run 4 tunnel "$gcm" filtered none forwarded
check "netfilter sees packets on the device" run 4 tunnel "$gcm" hooked none forwarded
check "without memory it is left to the stack" run 4 tunnel "$gcm" \
	fails symbol=esptcp_pages_alloc times=3
check "what fails is left to the stack" run 4 tunnel "$gcm" \
	fails symbol=crypto_aead_encrypt result=-12 times=3
echo nop > $tracing/current_tracer
ktap_finished
