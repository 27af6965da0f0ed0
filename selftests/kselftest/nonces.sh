#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# No number, and so no nonce, is used twice (kmod/gso.c, kmod/encap.c): by bound
# SAs and by those with which we have nothing to do, whatever a guest's network
# card hands over.
cd "$(dirname "$0")" || exit
. ./net.sh

# guest KIND...: prepare packets, each kind in turn, as often as $times says
guest() {
	background guest ga python3 lib/virtio.py guest "$source" "$clientB" "$times" "$@"
	within 30 says guest ready && ipn ga <<- END
		link set guest up
		route add $source dev guest
	END
}

guest_sends() {
	kill -USR1 "${pids[guest]}"
	within 60 says guest $'\ndone'
}

times=40
# repeated TIMES COMMAND...
repeated() {
	local times=$1
	shift
	"$@"
}

# addresses 4|6|46: of the gateways, and of what they connect
addresses() {
	family "${1:0:1}"
	[ "$1" != 46 ] || netA=fd01::/64 netB=fd02::/64 clientB=fd02::2
	source=10.1.0.77
	[ "$1" = 4 ] || source=fd01::77
}

# oseq: the last number of gateway A's SA
oseq() {
	[[ $(ipn ga xfrm state get src "$A" dst "$B" proto esp spi "$spiAB") =~ oseq\ (0x[0-9a-f]+) ]] &&
		echo $((BASH_REMATCH[1]))
}

recorder() {
	background record r tcpdump -Z root -B 32768 --immediate-mode -U -s 0 -i to_a \
		-w "$work/record" 'esp or tcp port 4500'
	within 30 says record 'listening on'
}

# used: how many numbers the SA has
used() {
	echo $((($(oseq) - ${begin:-0}) & 0xffffffff))
}

# numbers N: so many were used, or more, each in one packet
numbers() {
	local packets

	packets=$(python3 lib/nonces.py "$work/record") || return
	ktap_print_msg "$packets packets, $(used) numbers"
	[ "$packets" = "$(used)" ] && [ "$packets" -ge "$1" ]
}

# Packets are neither lost on the way nor refused by the peer.
all_taken() {
	within 5 sums_agree esp && no_drops &&
		[ "$(ns gb awk '$1 ~ /XfrmIn.*Error|XfrmInStateMode/ { n += $2 } END { print n + 0 }' \
			/proc/net/xfrm_stat)" = "$refused" ]
}

# bound FAMILIES COUNT KIND...: of an SA that is bound to a connection, so many
# numbers are used, and the peer takes all packets
bound() {
	carried all_taken "$@"
}

# carried COMMAND FAMILIES COUNT KIND...: likewise, and COMMAND says whether all
# is well
carried() {
	local then=$1 ok=1
	shift

	addresses "$1"
	next_spis
	refused=$(ns gb awk '$1 ~ /XfrmIn.*Error|XfrmInStateMode/ { n += $2 } END { print n + 0 }' \
		/proc/net/xfrm_stat)
	recorder && carriers_up && sent "$@" && "$then" && ok=0
	end record TERM
	[ $ok = 0 ] || diagnosis
	sas_flush
	carriers_end
	carriers_forget
	return $ok
}

# plain FAMILIES COUNT KIND...: of one that is not
plain() {
	local ok=1

	addresses "$1"
	next_spis
	recorder && sent "$@" && ok=0
	end record TERM
	[ $ok = 0 ] || diagnosis
	sas_flush
	return $ok
}

# sent FAMILIES COUNT KIND...: send such packets to SAs, see which numbers are used
sent() {
	local families=$1 count=$2 ok=1 af=()
	shift 2

	[ "$families" != 46 ] || af=(flag af-unspec)
	# shellcheck disable=SC2086 # several options
	sas tunnel "$gcm" "${af[@]}" ${options-} && guest "$@" && ${path:-:} && guest_sends &&
		within 10 has_used "$count" && ok=0
	pause 0.2
	end guest TERM
	[ $ok = 0 ] && numbers "$count"
}

has_used() {
	[ "$(used)" -ge "$1" ]
}

# interface: the SAs belong to an XFRM interface
interface() {
	ipn ga <<- END
		link add ipsec0 type xfrm dev wan if_id 7
		link set ipsec0 up
		route replace $netB dev ipsec0
		xfrm policy flush
		xfrm state flush
		xfrm state add src $A dst $B proto esp spi $spiAB reqid 1 mode tunnel if_id 7 $gcm
		xfrm policy add src $netA dst $netB dir out if_id 7 tmpl src $A dst $B proto esp reqid 1 mode tunnel
	END
}

interface_ends() {
	ipn ga <<- END
		link del ipsec0
		route add 10.2.0.0/24 via 198.51.100.254 src 10.1.0.1
	END
}

by_interface() {
	local ok=0
	path=interface "$@" || ok=1
	interface_ends
	return $ok
}

# wrapping COMMAND...: the SA is about to use the last number of 32 bits
wrapping() {
	begin=$((0xffffff00)) \
		options="flag esn replay-window 128 replay-seq 0xffffff00 replay-oseq 0xffffff00" "$@"
}

# dropped COUNTER COMMAND...: packets are, for that reason
dropped() {
	local counter=$1 before
	before=$(counted ga "$counter")
	shift

	"$@" && exceeds ga "$counter" $((before + 9))
}

# with6 COMMAND...: the kernel would cut IPv6's packets up behind XFRM, too
with6() {
	modprobe -a esp6 esp6_offload && "$@"
	local ok=$?
	within 10 modprobe -r esp6_offload || ok=1
	return $ok
}

test_start 17
modprobe tun
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms

check "a guest's packets, IPv4 in TCP" bound 4 240 tcp small
check "a guest's packets, IPv6 in IPv4 in TCP" bound 46 240 tcp small
check "a guest's packets, IPv6 in TCP" bound 6 240 tcp small
check "a guest's packets, plain ESP, IPv4" plain 4 240 tcp small
check "a guest's packets, plain ESP, IPv6 in IPv4" plain 46 240 tcp small
check "a guest's packets, plain ESP, IPv6" plain 6 240 tcp small
check "IPv6 with esp6_offload, in TCP" with6 bound 6 240 tcp small
check "IPv6 with esp6_offload, plain ESP" with6 plain 6 240 tcp small
check "segments of a few octets, in TCP" repeated 4 bound 4 304 tiny small
check "segments of a few octets, plain ESP" repeated 4 plain 4 304 tiny small
check "an XFRM interface, in TCP" by_interface carried : 4 240 tcp small
check "an XFRM interface, plain ESP" by_interface plain 4 240 tcp small
check "ESN, the 32-bit number wraps, in TCP" wrapping bound 4 240 tcp small
check "ESN, the 32-bit number wraps, plain ESP" wrapping plain 4 240 tcp small
check "a checksum elsewhere, in TCP" repeated 10 carried : 4 10 checksum small
check "what cannot be cut up is dropped, in TCP" dropped tx-drop-gso \
	repeated 10 carried : 4 10 udp header short small
check "what cannot be cut up is dropped, plain ESP" dropped tx-drop-gso \
	repeated 10 plain 4 10 udp header short small
ktap_finished
