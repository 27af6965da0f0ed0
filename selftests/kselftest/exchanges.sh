#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What IKE does besides setting up and rekeying, over TCP: certificates over both
# families and behind a NAT, cookies, a key exchange that is repeated, redirects,
# several rounds of authentication, fragments, dead peer detection.
cd "$(dirname "$0")" || exit
. lib/gateways.sh
. lib/certificates.sh

charonopts='cookie_threshold = 1
retransmit_timeout = 1
retransmit_base = 1
retransmit_tries = 4
fragment_size = 600'
pluginopts='establish_timeout = 20'
localauth='pubkey
certs = own.pem'
remoteauth=pubkey

# load: the settings of both gateways, without a restart
load() {
	local name

	for name in ga gb; do
		: > "$work/$name/charon.log"
		swan $name --reload-settings > /dev/null &&
			swan $name --load-conns --file "$work/$name/swanctl.conf" > "$work/$name/load" || return
	done
}

# tunnel: it comes up over TCP and carries traffic
tunnel() {
	establish && works
}

works() {
	carries && only_tcp
}

carries() {
	[ "$(esptcp_table gb bindings)" = 2 ] && ! ipn gb xfrm state | grep -q encap && ping_ok ca "$clientB" 1000
}

# goes: and leaves nothing
goes() {
	swan ga --terminate --ike net > /dev/null && within 10 no_state
}

certificates_v6() {
	tunnel && log_has ga 'sending end entity cert' && log_has gb 'sending end entity cert' &&
		! log_has ga 'splitting IKE message' && ! log_has gb 'splitting IKE message' && dpd
}

# Who has heard nothing for long enough asks first, and hears.
dpd() {
	within 10 one_asked
}

one_asked() {
	asked ga gb || asked gb ga
}

asked() {
	log_has "$1" 'sending DPD request' && log_has "$1" 'parsed INFORMATIONAL response' &&
		log_has "$2" 'parsed INFORMATIONAL request'
}

# TCP acknowledges, nobody answers. The first retransmission is not sent.
dead_peer() {
	local before sent

	kill -STOP "${pids[gb]}"
	before=$(counted ga tx-ike-frames)
	within 20 log_has ga 'giving up after 4 retransmits' || { kill -CONT "${pids[gb]}" && return 1; }
	kill -CONT "${pids[gb]}"
	sent=$(($(counted ga tx-ike-frames) - before))
	echo "# a request and 4 retransmissions, $sent messages since the peer stood still"
	# the request itself may have gone before that
	[ $sent = 3 ] || [ $sent = 4 ] && within 20 no_state && only_tcp
}

# Somebody has begun an IKE_SA, so that the next one has to bring a cookie. The
# peers see a NAT.
behind_nat() {
	local status=0

	family 4
	configure && load || return
	ns r nft -f - <<- END
		table ip nat {
			chain post {
				type nat hook postrouting priority 100;
				oifname to_b masquerade
			}
		}
	END
	background half_open r python3 lib/stranger.py "$B" "$port" initiate
	within 10 log_has gb 'IKE_SA is initiated over TCP' && establish && end half_open TERM &&
		log_has gb 'remote host is behind NAT' && log_has ga 'parsed IKE_SA_INIT response 0 . N(COOKIE)' &&
		one_connection && within 5 alone && works && goes || status=1
	ns r nft delete table ip nat
	return $status
}

# The tunnel's connection is the only one.
alone() {
	[ "$(esptcp_table gb id | wc -l)" = 1 ]
}

# All of it happened on the same connection.
one_connection() {
	[ "$(grep -c 'TCP connection .* is up' "$work/ga/charon.log")" = 1 ]
}

# The initiator's first choice is not the responder's.
another_key_exchange() {
	connopts='proposals = aes128-sha256-x25519-ecp256' gateway_conf ga tcp ""
	connopts='proposals = aes128-sha256-ecp256' gateway_conf gb udp "$port"
	load && tunnel && log_has ga 'N(INVAL_KE)' && one_connection && goes
}

several_rounds() {
	local name

	for name in ga gb; do
		connopts="local-2 {
			round = 2
			auth = psk
			id = $name.example.org
		}
		remote-2 {
			round = 2
			auth = psk
		}" gateway_conf $name tcp "$port"
	done
	load && tunnel && [ "$(grep -c "authentication of 'gb.example.org' with" "$work/ga/charon.log")" = 2 ] &&
		[ "$(grep -c "authentication of 'ga.example.org' with" "$work/gb/charon.log")" = 2 ] && one_connection && goes
}

# We send none unless told to, and take them always.
fragments() {
	connopts='fragmentation = force' configure && load && tunnel || return
	echo "# $(grep -c 'splitting IKE message' "$work/ga/charon.log") messages split by the initiator"
	log_has ga 'splitting IKE message' && log_has gb 'received fragment' && goes
}

# The gateway has another address, to which it sends its peer, which begins as its
# settings say.
redirect() {
	ipn gb addr add 203.0.113.2/24 dev wan
	pluginopts="$pluginopts
		connections { net { auto_transport_threshold = 1 } }" localaddrs=%any configure auto && load && establish && carries || return
	: > "$work/ga/charon.log"
	swan gb --redirect --ike net --gateway 203.0.113.2 > /dev/null
	within 15 log_has ga 'redirected to 203.0.113.2' && within 30 log_has ga 'CHILD_SA net.* established' &&
		log_has ga 'initiating IKE_SA .* over UDP, over TCP' && log_has ga "over TCP to 203.0.113.2.$port" &&
		within 10 moved && carries && [ "$(routed bare_esp)" = 0 ] && goes
}

moved() {
	[[ $(esptcp_table ga remote) = 203.0.113.2:$port ]]
}

gateways_test 7
certificates ga gb && give ga && give gb || ktap_exit_fail_msg "there are no certificates"
for name in ga gb; do
	cp "$work/$name.pem" "$work/$name/x509/own.pem"
	cp "$work/$name.key" "$work/$name/private/own.key"
done
family 6
connopts='dpd_delay = 2' restart || ktap_exit_fail_msg "the gateways do not start"
check "certificates and dead peer detection, IPv6" certificates_v6
check "a peer that does not answer is dead, whatever TCP says" dead_peer
check "certificates behind a NAT, with a cookie" behind_nat
check "another key exchange method" another_key_exchange
check "several rounds of authentication" several_rounds
check "fragments" fragments
check "redirect" redirect
ktap_finished
