#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fortinet framing: ESP behind TCP headers of its own, beside the stream.
# The router counts what is a segment of that kind (it has no timestamps, which
# all of the stream's segments have), what is a fragment, and what is too big.
cd "$(dirname "$0")" || exit
. ./net.sh

# watch MTU: count in the router, from 0
watch() {
	ns r nft -f - <<- END
		table inet seen
		delete table inet seen
		table inet seen {
			counter segments { }
			counter fragments { }
			counter big { }
			counter marked { }
			chain prerouting {
				type filter hook prerouting priority -500;
				ip frag-off & 0x3fff != 0 counter name fragments
				exthdr frag exists counter name fragments
				tcp flags & (syn | rst) == 0 tcp option timestamp missing jump segment
			}
			chain segment {
				counter name segments
				meta length > $1 counter name big
				ip dscp ef ip ecn ect1 counter name marked
				ip6 dscp ef ip6 ecn ect1 counter name marked
			}
		}
	END
}

# seen COUNTER
seen() {
	local text
	text=$(ns r nft list counter inet seen "$1") && [[ $text =~ packets\ ([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}

# What both gateways have counted until now
declare -A before
remember() {
	local key

	stats ga
	stats gb
	for key in "${!stat[@]}"; do
		before[$key]=${stat[$key]}
	done
}

# since GATEWAY.COUNTER: how much more it is
since() {
	echo $((stat[$1] - before[$1]))
}

all_arrived() {
	stats ga
	stats gb
	[ "$(since ga.tx-esp-frames)" = "$(since gb.rx-esp-frames)" ] &&
		[ "$(since gb.tx-esp-frames)" = "$(since ga.rx-esp-frames)" ]
}

# Each frame was a segment, none in pieces, none too big, none in the stream.
only_segments() {
	within 5 all_arrived &&
		[ $(($(since ga.tx-esp-frames) + $(since gb.tx-esp-frames))) = "$(seen segments)" ] &&
		[ "$(seen segments)" -gt 20 ] && [ "$(seen fragments)" = 0 ] && [ "$(seen big)" = 0 ] &&
		[ "$(since ga.rx-stream-esp)" = 0 ] && [ "$(since gb.rx-stream-esp)" = 0 ]
}

# up FRAMING MODE [ALGORITHMS [OPTION...]]: a tunnel
up() {
	local framing=$1 mode=$2
	shift 2

	next_spis
	carrier_b -f "$framing" && carrier_a -f "$framing" && within 10 says b $'\nup' &&
		sas "$mode" "${@:-$gcm}"
}

down() {
	sas_flush
	carriers_end
	carriers_forget
}

# tunnelled 4|6 FRAMING MODE COMMAND...: run it while such a tunnel is up
tunnelled() {
	local v=$1 framing=$2 mode=$3 ok=1
	shift 3

	family "$v"
	watch 1500
	remember
	up "$framing" "$mode" && "$@" && ok=0
	[ $ok = 0 ] || diagnosis
	down
	return $ok
}

# Large packets first: their sender has to learn the tunnel's MTU, and TCP
# must not lose time by it.
traffic() {
	ns "$1" ping -q -n -i 0.2 -w 5 -s 1420 -c 5 "$2" > "$work/ping" || :
	within 10 ping_ok "$1" "$2" 1420 && ping_ok "$1" "$2" 56 && ping_ok "$1" "$2" 8000 &&
		ns "$1" timeout 60 helper/traffic "$2"
}

forwarded() {
	traffic ca "$clientB" && only_segments
}

local_tunnel() {
	traffic ga "$lanB" && only_segments
}

# Datagrams that do not fit cannot be sent in transport mode.
local_transport() {
	ping_ok ga "$B" 1300 && ns ga timeout 60 helper/traffic -t "$B" && only_segments
}

# A router on the way takes less: its ICMP errors have to be understood.
narrow_path() {
	local ok=1

	watch 1400
	ipn r link set to_b mtu 1400
	ipn gb link set wan mtu 1400
	ns ca timeout 60 helper/traffic "$clientB" && ns ga timeout 60 helper/traffic "$lanB" &&
		[ "$(seen fragments)" = 0 ] && no_big_behind && ok=0
	ipn r link set to_b mtu 1500
	ipn gb link set wan mtu 1500
	ipn ga route flush cache
	ipn gb route flush cache
	ns ga ip -6 route flush cache
	ns gb ip -6 route flush cache
	return $ok
}

# TCP goes another way than routing finds for the SA, and that takes less.
narrow_way() {
	local ok=0

	ns ga ip rule add to "$B" ipproto tcp lookup 7
	ns ga ip route add default via 198.51.100.254 mtu 1300 table 7
	tunnelled 4 fortinet tunnel narrow_forwarded || ok=1
	ns ga ip rule del lookup 7
	ns ga ip route flush table 7
	return $ok
}

narrow_forwarded() {
	watch 1300 && ns ca timeout 60 helper/traffic "$clientB" &&
		[ "$(seen segments)" -gt 20 ] && no_big_behind
}

# A sender that lets routers fragment hears of no MTU; its large packets of TCP
# are many.
may_be_fragmented() {
	ns ca sysctl -qw net.ipv4.ip_no_pmtu_disc=1
	ns ca ip route flush cache
	ns ca timeout 60 helper/traffic -t "$clientB"
	local ok=$?
	ns ca sysctl -qw net.ipv4.ip_no_pmtu_disc=0
	[ $ok = 0 ] && only_segments && [ "$(since ga.tx-drop-inner-mtu)" = 0 ] || return
	# Later tests rely on what a client learns.
	within 10 learns_mtu
}

learns_mtu() {
	ns ca ping -q -n -M "do" -W 1 -c 1 -s 1400 "$clientB" > "$work/ping"
	[[ $(ns ca ip route get "$clientB") =~ mtu ]]
}

# gro on|off: have gateway B's device merge what arrives, and count it. veth does
# so if the other end does not keep segments together by itself.
gro() {
	local tso=off

	[ "$1" = on ] || tso=on
	ns r ethtool -K to_b tso $tso > "$work/ethtool"
	ns gb ethtool -K wan gro "$1" > "$work/ethtool"
	ns gb nft -f - <<- END
		table inet gro
		delete table inet gro
		table inet gro {
			counter merged { }
			chain prerouting {
				type filter hook prerouting priority -500;
				tcp dport $port meta length > 1500 counter name merged
			}
		}
	END
}

# Segments whose numbers follow one another are merged, and cut up again.
merged() {
	local ok=1

	gro on
	tunnelled "$1" fortinet,name=advancing-profile tunnel merged_forwarded && ok=0
	gro off
	ns gb nft delete table inet gro
	return $ok
}

merged_forwarded() {
	forwarded && [[ $(ns gb nft list counter inet gro merged) =~ packets\ [1-9][0-9] ]]
}

# What was too big before the ICMP error came did not get through.
no_big_behind() {
	stats ga
	stats gb
	[ "$(since ga.tx-drop-too-big)" -lt 10 ] && [ "$(since gb.tx-drop-too-big)" -lt 10 ]
}

# ike_full_of_spis FRAMING
ike_full_of_spis() {
	local ok=1

	family 4
	next_spis
	carrier_b -f "$1" && carrier_a -f "$1" -e "$spiAB" && within 10 says b $'\nup' &&
		sas tunnel "$gcm" && ns ca timeout 60 helper/traffic "$clientB" && pause 2 && ok=0
	sas_flush
	end a TERM
	end b TERM
	carriers_forget
	[ $ok = 0 ] && pings_came_back
}

# What the outer header says of service and congestion is what ESP-in-UDP's
# would say.
marks() {
	ns ca ping -q -n -Q 0xb9 -i 0.1 -c 5 -w 5 "$clientB" > "$work/ping" &&
		[ "$(seen marked)" -ge 5 ]
}

# Congestion that a router marks arrives at the inner packet.
congestion() {
	ns r nft add rule inet seen segment ip ecn set ce
	background tcpdump cb tcpdump -Z root -lni lan -c 1 'ip[1] & 3 = 3 and icmp'
	within 10 says tcpdump 'listening on' || return
	ns ca ping -q -n -Q 2 -i 0.1 -c 3 -w 5 "$clientB" > "$work/ping"
	within 5 says tcpdump 'ICMP echo'
	local ok=$?
	end tcpdump TERM
	return $ok
}

# The port by which B knows A
peer_port() {
	local line
	while read -r line; do
		[[ $line =~ \ $A:([0-9]+)\ fortinet\ up ]] && echo "${BASH_REMATCH[1]}" && return
	done < <(ns gb cat /proc/net/esptcp)
}

# xfrm_counts NAME COUNTER MIN
xfrm_counts() {
	local counter value

	while read -r counter value; do
		[ "$counter" = "$2" ] && [ "$value" -ge "$3" ] && return
	done < <(ns "$1" cat /proc/net/xfrm_stat)
	return 1
}

# Garbage with the connection's addresses and ports and the SA's SPI is refused
# by XFRM, and that is all.
forged() {
	ns r python3 lib/fake.py segment "$A" "$B" "$(peer_port)" "$port" "$spiAB" 200 &&
		within 5 xfrm_counts gb XfrmInStateProtoError 200 && ping_ok ca "$clientB" 56 &&
		! says a $'\n(end|error)' && ! says b $'\n(end|error)'
}

# Plain SAs do not take what comes in UDP.
in_udp() {
	background udp gb python3 lib/fake.py encap "$B"
	within 10 says udp ready || return
	ns r python3 lib/fake.py udp "$B" "$spiAB" &&
		within 5 xfrm_counts gb XfrmInStateMismatch 1 && ping_ok ca "$clientB" 56
	local ok=$?
	end udp KILL
	return $ok
}

# The peers are set differently. A takes the frames in B's stream; to B's TCP,
# A's segments are old data, which cost its stream nothing.
only_a() {
	local ok=1

	family 4
	next_spis
	remember
	carrier_b && carrier_a -f fortinet -i && within 10 says b $'\nup' && sas tunnel "$gcm" &&
		no_ping ca "$clientB" && ping_some cb "$clientA" && pause 0.5 && ok=0
	sas_flush
	end a TERM
	end b TERM
	carriers_forget
	stats ga
	stats gb
	[ $ok = 0 ] && pings_came_back && [ "$(since ga.rx-stream-esp)" -ge 5 ] &&
		[ "$(since gb.rx-esp-frames)" = 0 ] && [ "$(since ga.tx-esp-frames)" -gt 5 ]
}

# What the headers say but for their size and place is nothing to a receiver.
other_profile() {
	local ok=1

	family 4
	next_spis
	carrier_b -f fortinet,name=advancing-profile &&
		carrier_a -f fortinet,flags=0x18,seq=snapshot,ack=fixed,window=7 &&
		within 10 says b $'\nup' && sas tunnel "$gcm" && ping_ok ca "$clientB" 1000 &&
		ns ca timeout 60 helper/traffic -t "$clientB" && ok=0
	[ $ok = 0 ] || diagnosis
	down
	return $ok
}

# One gateway, both framings
both_framings() {
	local ok=1

	family 4
	next_spis
	background b2 gb helper/carrier -b "out:$spiBA:$A" -b "in:$spiAB:$B" listen "$B" 4501
	ns r nft insert rule inet fw forward tcp dport 4501 accept
	ns r nft insert rule inet fw forward tcp sport 4501 accept
	within 10 says b2 $'\nlistening' || return
	background a2 ga helper/carrier -b "out:$spiAB:$B" -b "in:$spiBA:$A" connect "$B" 4501
	within 10 says a2 $'\nup' && within 10 says b2 $'\nup' && sas tunnel "$gcm" || return
	next_spis
	family 6
	carrier_b -f fortinet && carrier_a -f fortinet && within 10 says b $'\nup' &&
		sas tunnel "$gcm" && ns ca timeout 60 helper/traffic fd02::2 &&
		ns ca timeout 60 helper/traffic 10.2.0.2 && ok=0
	end a2 TERM
	end b2 TERM
	router_rules
	down
	return $ok
}

test_start 29
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms

check "IPv4, tunnel, forwarded" tunnelled 4 fortinet tunnel forwarded
check "IPv6, tunnel, forwarded" tunnelled 6 fortinet tunnel forwarded
check "IPv4, tunnel, local" tunnelled 4 fortinet tunnel local_tunnel
check "IPv6, tunnel, local" tunnelled 6 fortinet tunnel local_tunnel
check "IPv4, transport" tunnelled 4 fortinet transport local_transport
check "IPv6, transport" tunnelled 6 fortinet transport local_transport
check "IPv4, profile advancing" tunnelled 4 fortinet,name=advancing-profile tunnel forwarded
check "IPv6, profile advancing" tunnelled 6 fortinet,name=advancing-profile tunnel forwarded
check "IPv4, the path takes less" tunnelled 4 fortinet tunnel narrow_path
check "IPv6, the path takes less" tunnelled 6 fortinet tunnel narrow_path
check "IPv4, the path takes less, advancing" tunnelled 4 fortinet,name=advancing-profile tunnel narrow_path
check "TCP's way takes less than the SA's" narrow_way
check "a sender that lets routers fragment" tunnelled 4 fortinet tunnel may_be_fragmented
check "IPv4, segments that GRO merges" merged 4
check "IPv6, segments that GRO merges" merged 6
check "DSCP and ECN of IPv4" tunnelled 4 fortinet tunnel marks
check "DSCP and ECN of IPv6" tunnelled 6 fortinet tunnel marks
check "congestion marked on the way" tunnelled 4 fortinet tunnel congestion
check "IKE full of SPIs, told by the option" ike_full_of_spis fortinet
check "IKE full of SPIs, told by the window" ike_full_of_spis fortinet,timestamps=1,in-window=0
check "IKE full of SPIs, profile advancing" ike_full_of_spis fortinet,name=advancing-profile
check "forged segments" tunnelled 4 fortinet tunnel forged
check "ESP in UDP is refused" tunnelled 4 fortinet tunnel in_udp
check "one side with segments" only_a
check "peers with profiles of their own" other_profile
check "one gateway with both framings" both_framings
check "segments with a length" tunnelled 4 fortinet,length-prefix=1 tunnel forwarded
check "segments with PSH and a window" tunnelled 4 fortinet,flags=0x18,window=0 tunnel forwarded
check "nothing but TCP was on the way" only_tcp
ktap_finished
