#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# large_packets: what is larger than the network's packets goes through a tunnel
# as one frame, and the routing rules for that come and go with the SAs.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# large NAME ADDRESS SIZE [OPTION...]: whole pings come back
large() {
	ns "$1" ping -q -n -M "do" -i 0.1 -w 10 -c 3 -s "$3" "${@:4}" "$2" > "$work/ping" 2>&1
}

# too_big MTU NAME ADDRESS SIZE: the sender learns what would not be
too_big() {
	ns "$2" ping -n -M "do" -c 1 -W 2 -s "$4" "$3" > "$work/ping" 2>&1
	grep -q "mtu *= *$1" "$work/ping"
}

# in_one_frame COMMAND...: three pings take three frames each way
in_one_frame() {
	local before_a before_b
	before_a=$(counted ga tx-esp-frames)
	before_b=$(counted gb tx-esp-frames)

	"$@" && [ "$(counted ga tx-esp-frames)" = $((before_a + 3)) ] &&
		[ "$(counted gb tx-esp-frames)" = $((before_b + 3)) ] && only_tcp
}

# all_rules NAME: ours, of both families
all_rules() {
	{ ipn "$1" -4 rule && ipn "$1" -6 rule; } | grep 'proto 45'
}

# rules NAME: those of SAs
rules() {
	all_rules "$1" | grep 'lookup 4500'
}

no_rules() {
	[ -z "$(rules ga)$(rules gb)" ]
}

# lan_mtu MTU NAME...: of both ends of a client's network
lan_mtu() {
	local mtu=$1 name
	shift

	for name; do
		ipn "$name" link set lan mtu "$mtu" || return
	done
}

# load NAME: charon gets what is in swanctl.conf now
load() {
	swan "$1" --load-all --file "$work/$1/swanctl.conf" > "$work/$1/load"
}

reload() {
	configure && load ga && load gb
}

# leaves_nothing: of a tunnel that ends
leaves_nothing() {
	swan ga --terminate --ike net > /dev/null && within 5 no_rules && only_tcp
}

# goes_on COMMAND...: rekeyed, on another TCP connection, with as many rules
goes_on() {
	local before ids
	before=$(rules ga | wc -l)
	ids=$(esptcp_table ga id)

	swan gb --rekey --child net > /dev/null && within 10 rules_are "$before" &&
		swan ga --rekey --ike net > /dev/null && reset_by ga dport &&
		within 15 other_connection "$ids" && within 10 log_has gb 'continues on' &&
		within 10 "$@" && within 10 rules_are "$before"
}

rules_are() {
	[ "$(rules ga | wc -l)" = "$1" ] && [ "$(rules gb | wc -l)" = "$1" ]
}

# A gateway whose network is small tells the sender.
far_small() {
	local ok=1

	lan_mtu 1500 gb cb
	too_big 1500 ca "$clientB" 8000 && large ca "$clientB" 1472 && clients_talk && ok=0
	lan_mtu 9000 gb cb
	ipn ca route flush cache
	return $ok
}

# The selectors are the gateways' own addresses, and who checks the way back is
# content.
host_to_host() {
	ns ga sysctl -qw net.ipv4.conf.wan.rp_filter=1
	ns gb sysctl -qw net.ipv4.conf.wan.rp_filter=1
	netA=$A netB=$B reload && establish && in_one_frame large ga "$B" 30000 -I "$A" &&
		goes_on large gb "$A" 60000 -I "$B" && leaves_nothing
}

# covers_peer yes|no: a tunnel over UDP, in UDP or not, whose selectors are the
# gateways' own addresses: its outer packets are for where the large ones are
covers_peer() {
	local ok=1

	ns r nft insert rule inet fw forward meta l4proto '{ udp, esp }' accept
	netA=$A netB=$B connopts="encap = $1" configure udp && swan ga --reload-settings > "$work/reload" &&
		load ga && load gb && establish &&
		ns ga ping -q -n -M "dont" -i 0.1 -w 10 -c 3 -s 4000 "$B" > "$work/ping" &&
		ns ga helper/traffic "$B" && ok=0
	swan ga --terminate --ike net > "$work/terminate"
	configure && swan ga --reload-settings > "$work/reload" && load ga && load gb
	router_rules
	return $ok
}

ipv6() {
	family 6
	reload && establish && in_one_frame large ca "$clientB" 8000 && in_one_frame large cb fd01::2 8000
	local status=$?
	family 4
	return $status
}

# Of IPv6, by a charon that starts without the setting
removes_leftovers() {
	end ga KILL
	[ "$(rules ga)" ] || return
	sas_flush && ns ga esptcp unbind all && tunnelopts='' gateway_conf ga tcp "" &&
		gateway_start ga && [ -z "$(all_rules ga)" ]
}

without() {
	gateway_conf gb udp "$port" && load gb && establish && [ -z "$(rules ga)" ] && too_big 14.. ca "$clientB" 8000 && clients_talk
}

not_fortinet() {
	tunnelopts='large_packets = yes
		framing = fortinet' gateway_conf ga tcp "" && swan ga --reload-settings > /dev/null &&
		within 5 log_has ga "connection 'net': large_packets has no effect with framing = fortinet"
}

gateways_test 10
tunnelopts='large_packets = yes'
lan_mtu 9000 ca ga gb cb
restart && no_rules && establish || ktap_exit_fail_msg "the gateways do not start"
check "packets of large networks go through in one frame" in_one_frame large ca "$clientB" 8000
check "a small network at the far end tells the sender" far_small
check "nothing is left of a tunnel" leaves_nothing
check "host to host, as large as packets can be" host_to_host
check "a tunnel in UDP that covers its peer is as ever" covers_peer yes
check "and one of plain ESP" covers_peer no
check "IPv6" ipv6
check "rules that a killed charon left are removed" removes_leftovers
check "without the setting all is as ever" without
check "not with fortinet" not_fortinet
ktap_finished
