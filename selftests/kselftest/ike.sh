#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan with our plugin: tunnels through a network that only lets TCP
# through, from the first SYN to the last FIN. The environment says in which
# framing, and $pluginopts has the settings for it.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

charonopts='delete_rekeyed_delay = 1'

comes_up() {
	establish && [ "$(esptcp_table ga framing state)" = "${framing:-rfc9329} up" ] &&
		[ "$(esptcp_table gb framing state)" = "${framing:-rfc9329} up" ]
}

# The log names the transport and the peer.
log_names_tcp() {
	log_has ga "over TCP to .*\[$port\]" && log_has ga "TCP connection .* to .*\[$port\] is up" &&
		log_has gb 'initiated over TCP from .*\['
}

# No NAT was seen, no SA has an encapsulation, each is bound.
sas_are_plain_and_bound() {
	local name

	for name in ga gb; do
		[ "$(spis $name | wc -l)" = 2 ] || return
		ipn $name xfrm state | grep -q encap && return 1
		[ "$(esptcp_table $name bindings)" = 2 ] || return
	done
	! log_has ga 'behind NAT' && ! log_has gb 'behind NAT'
}

spis() {
	ipn "$1" xfrm state | grep -o 'spi 0x[0-9a-f]*'
}

# Everything that the gateways said to each other was in TCP, and nothing was
# lost in the module.
nothing_else() {
	stats ga
	stats gb
	only_tcp && no_drops
}

# while_pinging COMMAND...: not one ping is lost meanwhile, nor while the old
# SAs go, which charon keeps for a second
while_pinging() {
	background pinger ca ping -n -i 0.1 "$clientB"
	within 10 says pinger icmp_seq=2 && "$@" && pause 2 || return
	end pinger INT
	grep -o 'icmp_seq=[0-9]*' "$work/pinger.out" | cut -d= -f2 | sort -nu |
		awk '$1 != NR { exit lost = 1 } END { exit lost || NR < 20 }'
}

connections() {
	esptcp_table ga id local remote && esptcp_table gb id local remote
}

rekey_child() {
	local before
	before=$(spis ga)

	swan "$1" --rekey --child net > /dev/null && within 10 renewed "$before"
}

# renewed OLD: no outbound SA is one of the old ones
renewed() {
	local new
	new=$(ipn ga xfrm state list src "$A" | grep -o 'spi 0x[0-9a-f]*')

	[ "$new" ] && ! grep -qF "$new" <<< "$1"
}

ike_spis() {
	swan ga --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*' | sort
}

rekey_ike() {
	local before
	before=$(ike_spis)

	swan "$1" --rekey --ike net > /dev/null && within 10 other_ike_spis "$before"
}

other_ike_spis() {
	[ "$(ike_spis)" != "$1" ]
}

# rekeys COMMAND...: on the same connection, without a loss
rekeys() {
	local before
	before=$(connections)

	while_pinging "$@" && [ "$(connections)" = "$before" ]
}

# The side that opened the connection closes it.
closes() {
	swan "$1" --terminate --ike net > /dev/null && within 8 no_state &&
		log_has ga 'closing TCP connection' && log_has gb 'ended: closed by the peer'
}

lifecycle() {
	check "IPv$1: the tunnel comes up over TCP" comes_up
	check "IPv$1: the log names the transport" log_names_tcp
	check "IPv$1: SAs are plain ESP and bound" sas_are_plain_and_bound
	check "IPv$1: the clients talk through it" clients_talk
	check "IPv$1: CHILD_SA rekeying by the initiator loses nothing" rekeys rekey_child ga
	check "IPv$1: CHILD_SA rekeying by the responder loses nothing" rekeys rekey_child gb
	check "IPv$1: IKE_SA rekeying by the initiator loses nothing" rekeys rekey_ike ga
	check "IPv$1: IKE_SA rekeying by the responder loses nothing" rekeys rekey_ike gb
	check "IPv$1: nothing but TCP was sent, nothing dropped" nothing_else
	check "IPv$1: deleting by the $2 leaves nothing behind" closes "$3"
}

# Hidden behind the router: the peer sees a NAT, and SAs must not get encap.
natted() {
	local ok=0

	ns r nft add table ip nat
	ns r nft add chain ip nat post '{ type nat hook postrouting priority 100; }'
	ns r nft add rule ip nat post oifname to_b masquerade
	establish && log_has gb 'remote host is behind NAT' &&
		! ipn gb xfrm state | grep -q encap && [ "$(esptcp_table gb bindings)" = 2 ] &&
		clients_talk && nothing_else && swan ga --terminate --ike net > /dev/null &&
		within 8 no_state || ok=1
	ns r nft delete table ip nat
	return $ok
}

gateways_test 22
restart || ktap_exit_fail_msg "the gateways do not start"
lifecycle 4 initiator ga
check "NAT: SAs stay plain ESP" natted
family 6
check "IPv6: the gateways start" restart
lifecycle 6 responder gb
ktap_finished
