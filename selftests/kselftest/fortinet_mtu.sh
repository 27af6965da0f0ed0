#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sizes with the fortinet framing: the largest packet, path MTU discovery,
# fragments before encryption.
cd "$(dirname "$0")" || exit
. ./net.sh
. lib/fortinet.sh

# As much as a segment holds (ESP pads to four octets) passes, an octet more
# does not.
largest() {
	local size=$1

	ns ca ip route flush cache
	ns ca ip -6 route flush cache
	ping_ok ca "$clientB" 56 && ping_dont_fragment "$size" && [ "$(seen full)" -ge 1 ] &&
		! ping_dont_fragment $((size + 1)) && ping_dont_fragment "$size" && [ "$(seen big)" = 0 ]
}

ping_dont_fragment() {
	ns ca ping -q -n -M "do" -W 2 -c 1 -s "$1" "$clientB" > "$work/ping" 2> "$work/ping.err"
}

# A router on the way takes less: its ICMP errors have to be understood.
narrow_path() {
	local ok=1

	watch 1400
	ipn r link set to_b mtu 1400
	ipn gb link set wan mtu 1400
	ns ca timeout 60 helper/traffic "$clientB" && ns ga timeout 60 helper/traffic "$lanB" &&
		[ "$(seen fragments)" = 0 ] && no_big_behind && stays_narrow && ok=0
	ipn r link set to_b mtu 1500
	ipn gb link set wan mtu 1500
	ipn ga route flush cache
	ipn gb route flush cache
	ns ga ip -6 route flush cache
	ns gb ip -6 route flush cache
	return $ok
}

# What was learned holds for the next flows.
stays_narrow() {
	watch 1400
	ns ca timeout 60 helper/traffic "$clientB" && ns ga timeout 60 helper/traffic "$lanB" &&
		[ "$(seen big)" = 0 ] && [ "$(seen segments)" -gt 20 ] && [ "$(seen fragments)" = 0 ]
}

# learns MTU WHAT YES-OR-NO: whether A believes a router, who quotes that
learns() {
	background icmp r python3 lib/fake.py icmp to_a "$A" "$B" "$port" "$1" "$2"
	within 10 says icmp listening && ping_ok ca "$clientB" 56 && within 5 has_ended icmp || return
	pause 0.2
	if [ "$3" = yes ]; then
		within 2 knows_mtu "$1"
	else
		! knows_mtu "$1"
	fi
}

knows_mtu() {
	[[ $(ipn ga route get "$B") =~ mtu\ $1 ]]
}

icmp_is_checked() {
	learns 1301 other-spi no && learns 1302 other-seq no && learns 1303 spi yes && learns 1302 seq yes &&
		ns ga sysctl -qw net.ipv4.ip_no_pmtu_disc=1 && learns 1301 spi yes &&
		ns ga sysctl -qw net.ipv4.ip_no_pmtu_disc=2 && learns 1300 spi no
	local ok=$?
	ns ga sysctl -qw net.ipv4.ip_no_pmtu_disc=0
	ipn ga route flush cache
	return $ok
}

# The path takes more than when the SA was bound. The numbers stay below what TCP
# of a peer that does not know the framing waits for: it sees A's FIN.
path_widens() {
	local ok=1

	family 4
	next_spis
	ns ca ip route flush cache
	ipn ga route replace default via 198.51.100.254 mtu 1300
	carrier_b && carrier_a -f fortinet && within 10 says b $'\nup' && sas tunnel "$gcm" &&
		ipn ga route replace default via 198.51.100.254 && watch 1480 &&
		{ ns ca ping -q -n -i 0.05 -c 30 -s 1390 -W 0.2 "$clientB" > "$work/ping" || :; } &&
		[ "$(seen big)" -gt 5 ] && end a TERM && within 10 says b $'\nend' && ok=0
	[ $ok = 0 ] || diagnosis
	ipn ga route replace default via 198.51.100.254
	down
	return $ok
}

# tracked COMMAND...: while connection tracking puts fragments together. Whether
# it sees packets before the module does depends on who came first.
tracked() {
	local name

	for name in ga gb; do
		ns $name nft -f - <<- END || return
			table inet tracking {
				chain forward {
					type filter hook forward priority 0;
					ct state new,established accept
				}
			}
		END
	done
	"$@"
	local ok=$?
	for name in ga gb; do
		ns $name nft delete table inet tracking
	done
	return $ok
}

# Fragments are fragmented anew, the first packet of a flow, too: each ping is one.
# Those that may not be fragmented go on if they fit.
fragments_pass() {
	ping_ok ca "$clientB" 56 || return
	for _ in 1 2 3; do
		ns ca ping -q -n -M "dont" -c 1 -W 3 -s 8000 "$clientB" > "$work/ping" || return
	done
	ns ca python3 lib/fake.py fragments "$clientA" "$clientB" 5001 && traffic ca "$clientB" && only_segments
}

# IPv6's sender has to hear how large fragments may be.
large_datagram() {
	within 10 ping_ok ca "$clientB" 8000 && ping_ok ca "$clientB" 8000 && traffic ca "$clientB" && only_segments
}

# TCP goes another way than routing finds for the SA, and that takes less.
narrow_way() {
	local name ok=0

	family 4
	ns ga ip rule add to "$B" ipproto tcp lookup 7
	ns ga ip route add default via 198.51.100.254 mtu 1300 table 7
	ns gb ip rule add to "$A" ipproto tcp lookup 7
	ns gb ip route add default via 203.0.113.254 mtu 1300 table 7
	tunnelled 4 fortinet tunnel narrow_forwarded || ok=1
	for name in ga gb; do
		ns $name ip rule del lookup 7
		ns $name ip route flush table 7
	done
	return $ok
}

narrow_forwarded() {
	watch 1300 && ns ca timeout 60 helper/traffic "$clientB" &&
		[ "$(seen segments)" -gt 20 ] && [ "$(seen big)" = 0 ] && no_big_behind
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

# What was too big before the ICMP error came did not get through.
no_big_behind() {
	stats ga
	stats gb
	[ "$(since ga.tx-drop-too-big)" -lt 10 ] && [ "$(since gb.tx-drop-too-big)" -lt 10 ]
}

test_start 13
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms

check "IPv4, the path takes less" tunnelled 4 fortinet tunnel narrow_path
check "IPv6, the path takes less" tunnelled 6 fortinet tunnel narrow_path
check "IPv4, the path takes less, advancing" tunnelled 4 fortinet,name=advancing-profile tunnel narrow_path
check "the path takes more than before" path_widens
check "IPv4, fragments that are put together before" tracked tunnelled 4 fortinet tunnel fragments_pass
check "IPv4, fragments that are put together behind" tunnelled 4 fortinet tunnel tracked fragments_pass
check "IPv6, fragments that are put together on the way" tunnelled 6 fortinet tunnel tracked large_datagram
check "TCP's way takes less than the SA's" narrow_way
check "a sender that lets routers fragment" tunnelled 4 fortinet tunnel may_be_fragmented
check "ICMP errors that quote no segment" tunnelled 4 fortinet tunnel icmp_is_checked
check "IPv4, the largest packet" tunnelled 4 fortinet tunnel largest 1398
check "IPv6, the largest packet" tunnelled 6 fortinet tunnel largest 1358
check "nothing but TCP was on the way" only_tcp
ktap_finished
