# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # $work is net.sh's
#
# Certificates for the gateways of gateways.sh, made as daemon/examples/README.md
# says. Sourced after that.

plugins+=(pem pkcs1 pkcs8 x509 pubkey constraints)
# shellcheck disable=SC2034 # by gateway_conf
swanctl_plugins="openssl random nonce pem pkcs1 pkcs8 x509"

# Debian's other plugins take an emulated machine a second each time.
pki() {
	echo "pki { load = $swanctl_plugins }" > "$work/pki.conf"
	STRONGSWAN_CONF=$work/pki.conf command pki "$@"
}

# certificate NAME: for NAME.example.org, in $work/NAME.pem and NAME.key
certificate() {
	pki --gen --type ecdsa --size 256 --outform pem > "$work/$1.key" &&
		pki --issue --cacert "$work/ca.pem" --cakey "$work/ca.key" --in "$work/$1.key" --type priv \
			--dn "CN=$1.example.org" --san "$1.example.org" --outform pem > "$work/$1.pem"
}

# certificates NAME...: with the CA that issues them
certificates() {
	local name

	pki --gen --type ecdsa --size 256 --outform pem > "$work/ca.key" &&
		pki --self --ca --in "$work/ca.key" --type priv --dn "CN=Example CA" --outform pem > "$work/ca.pem" || return
	for name; do
		certificate "$name" || return
	done
}

# give GATEWAY [CERTIFICATE]: put the CA's certificate, its own and the key where
# its swanctl looks for them
give() {
	local dir=$work/$1

	mkdir -p "$dir"/{x509,x509ca,private} && cp "$work/ca.pem" "$dir/x509ca/" || return
	[ -z "${2:-}" ] || { cp "$work/$2.pem" "$dir/x509/" && cp "$work/$2.key" "$dir/private/"; }
}
