#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The examples of daemon/examples as they are: certificates, EAP, virtual IPs.
cd "$(dirname "$0")" || exit
. lib/gateways.sh
. lib/certificates.sh

examples=../../daemon/examples
plugins+=(eap-identity eap-tls)

# example GATEWAY DIRECTORY [CERTIFICATE]: the settings of a gateway
example() {
	gateway_conf "$1" udp ""
	cp "$examples/$2"/{esptcp,swanctl}.conf "$work/$1/" && give "$1" "${3:-}"
}

tcp_443() {
	port=443
	ns r nft delete table inet fw
	router_rules
}

site_to_site() {
	tcp_443
	certificates a b alice && example ga site-to-site/initiator a && example gb site-to-site/responder b &&
		gateways_start && ping_some ca "$clientB" && within 30 log_has ga 'CHILD_SA branch.* established' &&
		clients_talk && log_has ga 'no response over UDP within 10 s' && [ "$(esptcp_table gb bindings)" = 2 ]
}

# The certificates do not fit into one datagram, but that is for UDP.
no_fragments() {
	log_has ga 'sending end entity cert' && ! log_has ga 'splitting IKE message' &&
		! log_has gb 'splitting IKE message'
}

road_warrior() {
	gateways_stop
	rm -rf "$work"/g?/x509
	example ga road-warriors/client alice && example gb road-warriors/gateway b && gateways_start &&
		swan ga --initiate --child office > "$work/initiate" && log_has gb 'EAP.* successful' || return
	inside ga ping -q -n -c 3 -i 0.2 -I 10.3.0.1 "$clientB" > "$work/ping" && [ "$(esptcp_table gb bindings)" = 2 ] &&
		log_has ga 'to .*\[443\] is up'
}

gateways_test 3
check "site to site, as in the example" site_to_site
check "certificates without fragments" no_fragments
check "a road warrior, as in the example" road_warrior
ktap_finished
