#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fortinet framing: both ends, both families, both modes; what is taken for
# ESP and what for IKE; peers that are set differently. Sizes are in
# fortinet_mtu.sh.
cd "$(dirname "$0")" || exit
. ./net.sh
. lib/fortinet.sh

# Datagrams that do not fit cannot be sent in transport mode.
local_transport() {
	ping_ok ga "$B" 1300 && ns ga timeout 60 helper/traffic -t "$B" && only_segments
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
	local ok=1 replay="replay-window 32"

	gro on
	tunnelled "$1" fortinet,name=advancing-profile tunnel merged_forwarded && ok=0
	gro off
	ns gb nft delete table inet gro
	return $ok
}

# They keep their order: none is too late for the replay window.
merged_forwarded() {
	local late

	late=$(late_ones)
	forwarded && [[ $(ns gb nft list counter inet gro merged) =~ packets\ [1-9][0-9] ]] && [ "$(late_ones)" = "$late" ]
}

late_ones() {
	ns gb awk '$1 == "XfrmInStateSeqError" { print $2 }' /proc/net/xfrm_stat
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

# congestion RULE FILTER: what a router marks arrives at the inner packet.
congestion() {
	ns r nft add rule inet seen segment "$1" || return
	background tcpdump cb tcpdump -Z root -lni lan -c 1 "$2"
	within 10 says tcpdump 'listening on' || return
	ns ca ping -q -n -Q 2 -i 0.1 -c 3 -w 5 "$clientB" > "$work/ping"
	within 5 says tcpdump 'ICMP6?,? echo'
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

# beside_ike WHAT COMMAND...: run it while IKE goes to and fro, which it must not
# disturb
beside_ike() {
	local ok=1

	family 4
	next_spis
	carrier_b -f fortinet && carrier_a -f fortinet -i && within 10 says b $'\nup' && sas tunnel "$gcm" &&
		ping_ok ca "$clientB" 56 && "$@" && pause 1 && ok=0
	[ $ok = 0 ] || diagnosis
	sas_flush
	end a TERM
	end b TERM
	carriers_forget
	[ $ok = 0 ] && pings_came_back
}

# What lies in TCP's window and has none of the stream's time stamps is nothing
# to TCP.
forged_in_window() {
	local dropped

	dropped=$(counted gb rx-drop-unbound)
	ns r timeout 30 python3 lib/fake.py window to_a "$A" "$B" "$port" 10 &&
		within 5 exceeds gb rx-drop-unbound $((dropped + 9)) && ping_ok ca "$clientB" 56
}

# So are segments of an SA that is not bound any more.
unbound_segments() {
	local dropped

	dropped=$(counted gb rx-drop-unbound)
	ns gb helper/carrier unbind && ping_some ca "$clientB" && within 5 exceeds gb rx-drop-unbound $((dropped + 2))
}

# Without time stamps SPIs alone tell ESP from IKE.
without_timestamps() {
	local ok=1 framing

	ns ga sysctl -qw net.ipv4.tcp_timestamps=0
	for framing in fortinet fortinet,name=advancing-profile; do
		family 4
		remember
		next_spis
		carrier_b -f $framing && carrier_a -f $framing -i && within 10 says b $'\nup' && sas tunnel "$gcm" &&
			traffic ca "$clientB" && within 5 all_arrived && [ "$(since ga.tx-esp-frames)" -gt 20 ] &&
			[ "$(since gb.rx-stream-esp)" = 0 ] && pause 1 && ok=0
		[ $ok = 0 ] || diagnosis
		sas_flush
		end a TERM
		end b TERM
		carriers_forget
		[ $ok = 0 ] && pings_came_back || ok=1
		[ $ok = 0 ] || break
	done
	ns ga sysctl -qw net.ipv4.tcp_timestamps=1
	return $ok
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

# sent GATEWAY FRAMING: how much ESP its connections with that framing have sent
sent() {
	ns "$1" awk -v framing="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		$column["framing"] == framing { sum += $column["tx_esp"] }
		END { print sum + 0 }' /proc/net/esptcp
}

# One gateway, both framings: IPv4 in a stream, IPv6 in segments
both_framings() {
	local ok=1

	family 4
	watch 1500
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
		[ "$(seen segments)" -gt 20 ] && [ "$(sent ga fortinet)" -gt 10 ] && [ "$(sent ga rfc9329)" = 0 ] &&
		watch 1500 && ns ca timeout 60 helper/traffic 10.2.0.2 &&
		[ "$(seen segments)" = 0 ] && [ "$(sent ga rfc9329)" -gt 10 ] && ok=0
	[ $ok = 0 ] || diagnosis
	end a2 TERM
	end b2 TERM
	router_rules
	down
	return $ok
}

test_start 28
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
check "IPv4, segments that GRO merges" merged 4
check "IPv6, segments that GRO merges" merged 6
check "DSCP and ECN of IPv4" tunnelled 4 fortinet tunnel marks
check "DSCP and ECN of IPv6" tunnelled 6 fortinet tunnel marks
check "congestion marked on the way, IPv4" tunnelled 4 fortinet tunnel congestion "ip ecn set ce" 'ip[1] & 3 = 3 and icmp'
# Linux 7.2 does nothing for "ip6 ecn set ce", which writes a single octet.
check "congestion marked on the way, IPv6" tunnelled 6 fortinet tunnel congestion \
	"meta nfproto ipv6 @nh,0,16 set 0x6030" 'ip6[1] & 0x30 = 0x30 and icmp6'
check "IKE full of SPIs, told by the option" ike_full_of_spis fortinet
check "IKE full of SPIs, told by the window" ike_full_of_spis fortinet,timestamps=1,in-window=0
check "IKE full of SPIs, profile advancing" ike_full_of_spis fortinet,name=advancing-profile
check "forged segments" tunnelled 4 fortinet tunnel forged
check "forged segments in the window" beside_ike forged_in_window
check "segments of an SA that is not bound" beside_ike unbound_segments
check "TCP without time stamps" without_timestamps
check "ESP in UDP is refused" tunnelled 4 fortinet tunnel in_udp
check "one side with segments" only_a
check "peers with profiles of their own" other_profile
check "one gateway with both framings" both_framings
check "segments with a length" tunnelled 4 fortinet,length-prefix=1 tunnel forwarded
check "segments with PSH and a window" tunnelled 4 fortinet,flags=0x18,window=0 tunnel forwarded
check "nothing but TCP was on the way" only_tcp
ktap_finished
