#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The reasons for which packets of the fortinet framing are dropped, provoked
# and found in their counters. rx-drop-unbound is in fortinet.sh, and what it
# shares with the other framing in drops.sh.
cd "$(dirname "$0")" || exit
. ./net.sh
. lib/drops.sh
# shellcheck disable=SC2034 # lib/drops.sh does
framing=(-f fortinet)

# Small enough for ESP, too big once the TCP header is added, and not to be cut
# in pieces
inner_mtu() {
	ns "$1" ping -q -n -M "do" -i 0.1 -c 3 -W 0.2 -s "$3" "$2" > "$work/ping"
	[[ $(< "$work/ping") =~ \ 0\ received ]]
}

# There is a route for ESP, and none for TCP.
no_route() {
	ipn ga "-$1" rule add ipproto 6 dport $port unreachable && ping_some ca "$clientB" &&
		ipn ga "-$1" rule del ipproto 6 dport $port unreachable && ping_ok ca "$clientB" 56
}

# The gateway's own firewall refuses segments.
output() {
	ns ga nft -f - <<- END && ping_some ca "$clientB" && ns ga nft delete table inet own &&
		table inet own {
			chain output {
				type filter hook output priority 0;
				tcp dport $port tcp option timestamp missing drop
			}
		}
	END
		ping_ok ca "$clientB" 56
}

# XFRM makes none that are too big, unless the path has just become narrower.
# A raw socket does.
too_big() {
	ns ga helper/inject esp "$B" "$spiAB" $((1500 - $1))
}

# The largest packet that each link of IPv6 has to take, on a path that takes it
# with ESP, and not with a TCP header, too
too_big_for_ipv6() {
	ipn ga -6 route replace default via 2001:db8:1::254 mtu 1360
	ns ca ping -q -n -M "do" -i 0.1 -c 3 -W 0.2 -s 1232 "$clientB" > "$work/ping"
	ipn ga -6 route replace default via 2001:db8:1::254
	[[ $(< "$work/ping") =~ \ 0\ received ]]
}

# ESP that is not right behind the IPv6 header, where segments have TCP
extension_header() {
	ns ga python3 -c "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes((0, 0, 1, 4, 0, 0, 0, 0)))
s.sendto(b'x', ('$B', 9))" && within 5 exceeds ga tx-drop-not-esp "$1" && ping_ok ga "$B" 1300
}

not_behind_the_header() {
	extension_header "$(counted ga tx-drop-not-esp)"
}

# It is not fragmented.
datagram() {
	local before

	before=$(counted ga tx-drop-inner-mtu)
	! ns ga ping -q -n -M "dont" -c 1 -W 1 -s "$1" "$B" > "$work/ping" &&
		exceeds ga tx-drop-inner-mtu "$before" && ping_ok ga "$B" 1300
}

no_memory_to_receive() {
	tap gb wan fault symbol=skb_copy caller=esptcp times=3
}

test_start 16
check "tx-drop-no-conn" drop 4 ga tx-drop-no-conn after_kill
check "tx-drop-inner-mtu, IPv4, forwarded" drop 4 ga tx-drop-inner-mtu inner_mtu ca 10.2.0.2 1410
check "tx-drop-inner-mtu, IPv6, forwarded" drop 6 ga tx-drop-inner-mtu inner_mtu ca fd02::2 1370
check "tx-drop-no-route, IPv4" drop 4 ga tx-drop-no-route no_route 4
check "tx-drop-no-route, IPv6" drop 6 ga tx-drop-no-route no_route 6
check "tx-drop-output, IPv4" drop 4 ga tx-drop-output output
check "tx-drop-output, IPv6" drop 6 ga tx-drop-output output
check "tx-drop-too-big, IPv4" drop 4 ga tx-drop-too-big too_big 30
check "tx-drop-too-big, IPv6" drop 6 ga tx-drop-too-big too_big 50
check "tx-drop-too-big, IPv6 of 1280 octets" drop 6 ga tx-drop-too-big too_big_for_ipv6
check "tx-drop-no-memory" drop 4 ga tx-drop-no-memory no_memory_to_send
check "rx-drop-no-memory" drop 4 gb rx-drop-no-memory no_memory_to_receive
check "an IPv4 fragment in transport mode" transport 4 fragments
check "an IPv6 extension header in transport mode" transport 6 not_behind_the_header
check "tx-drop-inner-mtu, IPv4, transport mode" transport 4 datagram 1425
check "tx-drop-inner-mtu, IPv6, transport mode" transport 6 datagram 1410
ktap_finished
