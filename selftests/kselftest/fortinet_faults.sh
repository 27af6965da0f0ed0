#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fortinet framing under strongSwan when something goes wrong: settings that
# are wrong, differ or change. How connections are lost is in
# fortinet_reconnect.sh.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

# framed SETTINGS: of the connection, on both gateways
framed() {
	pluginopts="user_timeout = 3
		keepalive = 2
		connections { net { $1 } }"
}

# refused SETTINGS MESSAGE: charon says what is wrong
refused() {
	framed "$1"
	configure && swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null &&
		! establish > /dev/null && within 5 log_any "$2"
	local ok=$?
	swan ga --terminate --ike net > /dev/null
	within 10 no_state && return $ok
}

log_any() {
	log_has ga "$1" || log_has gb "$1"
}

both_are() {
	[ "$(esptcp_table ga framing state)" = "$1 up" ] && [ "$(esptcp_table gb framing state)" = "$1 up" ]
}

comes_up() {
	establish && both_are fortinet && clients_talk
}

# other_settings FRAMING SETTINGS: while the tunnel is up. It keeps its own, also
# when it is rekeyed and when its connection is lost.
other_settings() {
	local spis before
	spis=$(ipn ga xfrm state list src "$A") before=$(esptcp_table ga id)

	framed "$2"
	configure && swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null &&
		swan ga --rekey --child net > /dev/null && within 10 rekeyed "$spis" && both_are "$1" && clients_talk &&
		reset_by ga dport && within 15 other_connection "$before" && within 10 both_are "$1" && clients_talk && only_tcp
}

# rekeyed OLD: gateway A's outbound SA is none of the old ones
rekeyed() {
	local now
	now=$(ipn ga xfrm state list src "$A" | grep -o 'spi 0x[0-9a-f]*')

	[ "$now" ] && ! grep -qF "$now" <<< "$1"
}

# The settings are wrong where the tunnel is called, which says so.
called_with_wrong_settings() {
	framed "framing = fortinet"
	gateway_conf ga tcp "" && framed "framing = cisco" && gateway_conf gb udp "$port" || return
	swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && ! establish > /dev/null &&
		within 5 log_has gb "cannot carry ESP as the settings of connection 'net' want it"
	local ok=$?
	swan ga --terminate --ike net > /dev/null
	within 10 no_state && return $ok
}

# Settings that the initiator knows to be wrong cost nobody an exchange.
not_initiated() {
	local before
	before=$(counted gb rx-ike-frames)

	refused "$@" && [ "$(counted gb rx-ike-frames)" = "$before" ]
}

# What is set without effect is said.
without_effect() {
	local tunnelopts=$2

	framed ""
	configure "$1" && swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && establish && within 5 log_has ga "$3" &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state
}

# Wrong or right, it is nothing to an IKE_SA over UDP, which does not get through
# here.
over_udp() {
	framed "framing = fortinet"
	configure udp && swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null || return
	swantimeout=3 swan ga --initiate --child net > /dev/null
	log_has ga "connection 'net' uses UDP, where framing = fortinet has no effect" && ns ga pgrep -x charon > /dev/null
	local ok=$?
	swan ga --terminate --ike net --force > /dev/null
	within 10 no_state && return $ok
}

# timestamps 0|1: of TCP, on both gateways
timestamps() {
	ns ga sysctl -qw net.ipv4.tcp_timestamps="$1" && ns gb sysctl -qw net.ipv4.tcp_timestamps="$1"
}

# A framing that the kernel module refused is not tried again.
refusal_is_forgotten() {
	local before

	framed "framing = rfc9329"
	configure && framed "framing = fortinet
		fortinet { length_prefix = yes }" && gateway_conf ga tcp "" || return
	timestamps 0
	swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && ! establish > /dev/null &&
		within 5 log_has ga "cannot carry ESP as the settings of connection 'net' want it" &&
		before=$(esptcp_table ga id) && [ "$before" ] &&
		reset_by ga dport && within 15 other_connection "$before" && [ "$(esptcp_table ga framing state)" = "rfc9329 up" ] &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state
	local ok=$?
	timestamps 1
	return $ok
}

# Where TCP has no time stamps, an SPI that looks like the beginning of IKE is of
# no use. A third of these do.
spis_unlike_ike() {
	local ok=0 charonopts='spi_min = 0xc0010000
		spi_max = 0xc0010002'

	framed "framing = fortinet"
	timestamps 0
	configure && swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null || ok=1
	for _ in 1 2 3 4 5; do
		[ $ok = 1 ] || tunnel_with_other_spis || ok=1
	done
	timestamps 1
	return $ok
}

tunnel_with_other_spis() {
	establish && ! ipn ga xfrm state | grep -q 'spi 0x[0-9a-f]*0000 ' && both_are fortinet && clients_talk &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state
}

# The gateways are set differently: what B sends arrives, what A sends does not,
# and IKE does not suffer.
set_differently() {
	local spis

	framed "framing = fortinet"
	gateway_conf ga tcp "" && framed "framing = rfc9329" && gateway_conf gb udp "$port" || return
	swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && establish &&
		[ "$(esptcp_table ga framing)" = fortinet ] && [ "$(esptcp_table gb framing)" = rfc9329 ] &&
		no_ping ca "$clientB" && ping_some cb "${clientA:?}" && [ "$(counted ga rx-stream-esp)" -ge 5 ] &&
		spis=$(ipn ga xfrm state list src "$A") && swan ga --rekey --child net > /dev/null && within 10 rekeyed "$spis" &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state && only_tcp
}

gateways_test 15
framed "framing = fortinet"
restart || ktap_exit_fail_msg "the gateways do not start"
check "the tunnel comes up" comes_up
check "other settings are for the next tunnel" other_settings fortinet "framing = fortinet
	fortinet { profile = advancing }"
check "another framing, too" other_settings fortinet "framing = rfc9329"
swan ga --terminate --ike net > /dev/null
within 10 no_state
router_rules
check "settings are applied without a restart: advancing" \
	eval 'framed "framing = fortinet
		fortinet { profile = advancing
			flags = psh,ack }"; configure && swan ga --reload-settings > /dev/null &&
		swan gb --reload-settings > /dev/null && comes_up &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state'
check "an unknown framing" refused "framing = cisco" "framing = cisco is unknown, use rfc9329 or fortinet"
check "wrong settings at the called side" called_with_wrong_settings
check "wrong flags" not_initiated "framing = fortinet
	fortinet { flags = syn }" "fortinet.flags = syn is wrong, use ack, psh or psh,ack"
check "a number without the policy fixed" not_initiated "framing = fortinet
	fortinet { seq_value = 1 }" "fortinet.seq_value needs fortinet.seq = fixed"
check "a number that is none" not_initiated "framing = fortinet
	fortinet { window = 08x }" "fortinet.window = 08x is wrong, use snapshot or a number up to 65535"
check "a length that nothing tells from the stream" not_initiated "framing = fortinet
	fortinet { length_prefix = yes
		timestamps = yes }" "fortinet.length_prefix = yes needs fortinet.timestamps = no"
check "a section without its framing" without_effect tcp "fortinet { flags = ack }" \
	"the section fortinet has no effect without framing = fortinet"
check "SPIs that look like IKE" spis_unlike_ike
check "a framing that was refused is not tried again" refusal_is_forgotten
check "the gateways are set differently" set_differently
check "the framing over UDP" over_udp
ktap_finished
