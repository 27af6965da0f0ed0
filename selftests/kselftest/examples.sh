#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The examples of daemon/examples as they are: certificates, EAP, virtual IPs.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

examples=../../daemon/examples
plugins+=(pem pkcs1 pkcs8 x509 pubkey constraints eap-identity eap-tls)
swanctl_plugins="openssl random nonce pem pkcs1 pkcs8 x509"

# certificate NAME: as examples/README.md says
certificate() {
	pki --gen --type ecdsa --size 256 --outform pem > "$work/$1.key" &&
		pki --issue --cacert "$work/ca.pem" --cakey "$work/ca.key" --in "$work/$1.key" --type priv \
			--dn "CN=$1.example.org" --san "$1.example.org" --outform pem > "$work/$1.pem"
}

certificates() {
	pki --gen --type ecdsa --size 256 --outform pem > "$work/ca.key" &&
		pki --self --ca --in "$work/ca.key" --type priv --dn "CN=Example CA" --outform pem > "$work/ca.pem" &&
		certificate a && certificate b && certificate alice
}

# example GATEWAY DIRECTORY [CERTIFICATE]: the settings of a gateway
example() {
	local dir=$work/$1

	gateway_conf "$1" udp ""
	cp "$examples/$2"/{esptcp,swanctl}.conf "$dir/" && mkdir -p "$dir"/{x509,x509ca,private} &&
		cp "$work/ca.pem" "$dir/x509ca/"
	[ -z "${3:-}" ] || { cp "$work/$3.pem" "$dir/x509/" && cp "$work/$3.key" "$dir/private/"; }
}

tcp_443() {
	port=443
	ns r nft delete table inet fw
	router_rules
}

site_to_site() {
	tcp_443
	certificates && example ga site-to-site/initiator a && example gb site-to-site/responder b &&
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
