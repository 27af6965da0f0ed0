#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every reason for which a packet on its way between XFRM and TCP is dropped,
# provoked once and found in its counter. What concerns the peer's frames and
# the owner's queue is in receive.c and end.c.
cd "$(dirname "$0")" || exit
. ./net.sh

. lib/drops.sh

parameters=/sys/module/esptcp/parameters

# dam COMMAND...: the router holds TCP back meanwhile
dam() {
	ns r nft insert rule inet fw forward tcp dport $port drop
	"$@"
	router_rules
}

full_queue() {
	local bytes
	bytes=$(< $parameters/tx_queue_bytes)

	echo 50000 > $parameters/tx_queue_bytes
	dam ping_flood ca "$clientB" 3
	echo "$bytes" > $parameters/tx_queue_bytes
}

flood_and_kill() {
	ping_flood ca "$clientB" 3
	end a KILL
}

# TCP gets less than is sent, for longer than CoDel puts up with.
slow_link() {
	ns r tc qdisc add dev to_b root tbf rate 300kbit burst 5kb latency 100ms
	ping_flood ca "$clientB" 4
	ns r tc qdisc del dev to_b root
}

# XFRM hands over ESP packets of at most 65535 octets with their outer header,
# which fit. Only a raw IPv6 socket makes one that does not.
too_big() {
	ns ga helper/inject esp "$B" "$spiAB" 65535
}

# An IPv4 header with protocol UDP, and 8 octets more
not_esp() {
	ns ga helper/inject packet esptcp0 ip \
		4500001c00000000401100007f0000017f0000010000000000000000
}

# The same with protocol ESP and an SPI that nobody has bound
unbound() {
	ns ga helper/inject packet esptcp0 ip \
		4500001c00000000403200007f0000017f000001deadbeef00000001
}

# A connection without the IPsec bypass, and policies that catch all that goes
# to its peer: each of its packets would travel in itself.
loop() {
	carriers_end
	sas_flush
	next_spis
	carrier_b && carrier_a -n -i && within 10 says b $'\nup' && sas transport "$gcm"
}

device_down() {
	ipn ga link set esptcp0 down && ping_some ca "$clientB" && ipn ga link set esptcp0 up &&
		ping_ok ca "$clientB" 56
}

no_memory_to_receive() {
	fault symbol=esptcp_alloc_skb times=3
}

# TCP's account of memory is exhausted, and an IKE message is larger than a page.
no_memory_for_ike() {
	local framing=(-e 1)

	drop 4 gb rx-drop-no-memory fault symbol=__sk_mem_schedule caller=esptcp result=0 times=20
}

# The kernel's transmit path can return a packet that it has not encrypted yet
# (validate_xmit_xfrm(), when asynchronous packets wait).
not_encrypted() {
	fault symbol=validate_xmit_xfrm result=-1 times=1000
}

unbound_here() {
	ns gb helper/carrier unbind && ping_some ca "$clientB"
}

# The peer's frames have come in by a device that is gone when they are parsed:
# they wait in a socket that replaces the connection which has the binding.
device_gone() {
	local frame first

	[[ $(< "$work/b.out") =~ up\ ([0-9]+) ]] && first=${BASH_REMATCH[1]}
	ipn ga link add x type veth peer name x netns "esptcp-$$-gb" &&
		ipn ga link set x up && ipn ga addr add 192.0.2.1/24 dev x &&
		ipn gb link set x up && ipn gb addr add 192.0.2.2/24 dev x || return
	background second gb helper/carrier -s -r "$first" listen 192.0.2.2 4501
	within 10 says second listening || return
	frame="IKETCP\x00\x22$(printf '%08x' "$spiAB" | sed 's/../\\x&/g')$(printf '\\x00%.0s' {1..28})"
	background peer ga bash -c "exec 3<> /dev/tcp/192.0.2.2/4501; printf '$frame' >&3; sleep 60"
	within 10 stopped second && pause 0.3 && ipn gb link del x && kill -CONT "${pids[second]}"
	within 10 says second $'\nup' && within 5 exceeds gb rx-drop-no-device 0
	local ok=$?
	end peer KILL
	end second KILL
	return $ok
}

stopped() {
	[[ $(< "/proc/${pids[$1]}/stat") =~ \)\ T ]]
}

test_start 16
check "tx-drop-no-conn" drop 4 ga tx-drop-no-conn after_kill
check "tx-drop-queue-full" drop 4 ga tx-drop-queue-full full_queue
check "tx-drop-conn-closed" drop 4 ga tx-drop-conn-closed dam flood_and_kill
check "tx-drop-queue-delay" drop 4 ga tx-drop-queue-delay slow_link
check "tx-drop-too-big" drop 6 ga tx-drop-too-big too_big
check "tx-drop-not-esp" drop 4 ga tx-drop-not-esp not_esp
check "tx-drop-unbound" drop 4 ga tx-drop-unbound unbound
check "tx-drop-loop" drop 4 ga tx-drop-loop loop
check "tx-drop-device-down" drop 6 ga tx-drop-device-down device_down
check "tx-drop-no-memory" drop 4 ga tx-drop-no-memory no_memory_to_send
check "tx-drop-not-encrypted" drop 4 ga tx-drop-not-encrypted not_encrypted
check "rx-drop-no-memory" drop 4 gb rx-drop-no-memory no_memory_to_receive
check "rx-drop-no-memory, IKE" no_memory_for_ike
check "rx-drop-unbound" drop 6 gb rx-drop-unbound unbound_here
check "rx-drop-no-device" drop 4 gb rx-drop-no-device device_gone
check "an IPv4 fragment in transport mode" transport 4 fragments
ktap_finished
