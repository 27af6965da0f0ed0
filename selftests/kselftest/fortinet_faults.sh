#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fortinet framing under strongSwan when something goes wrong: settings that
# are wrong or differ, connections that are lost.
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

# The responder knows first whose connection it is.
log_any() {
	log_has ga "$1" || log_has gb "$1"
}

both_are() {
	[ "$(esptcp_table ga framing state)" = "$1 up" ] && [ "$(esptcp_table gb framing state)" = "$1 up" ]
}

comes_up() {
	establish && both_are fortinet && clients_talk
}

# lost COMMAND...: after the command another connection carries the same SAs, in
# the same framing
lost() {
	local before
	before=$(esptcp_table ga id)

	pings_start && "$@" && within 15 other_connection "$before" && pings_go_on 15 || return
	echo "# $1: traffic stood still for $(pings_gap) s"
	within 10 both_are fortinet && clients_talk && only_tcp
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

# A framing that the kernel module refused is not tried again.
refusal_is_forgotten() {
	local before

	framed "framing = rfc9329"
	configure && framed "framing = fortinet
		fortinet { seq_value = 1 }" && gateway_conf ga tcp "" || return
	swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && ! establish > /dev/null &&
		within 5 log_has ga "a number goes with the policy fixed only" && before=$(esptcp_table ga id) && [ "$before" ] &&
		reset_by ga dport && within 15 other_connection "$before" && [ "$(esptcp_table ga framing state)" = "rfc9329 up" ] &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state
}

# The gateways are set differently: what B sends arrives, what A sends does not,
# and IKE does not suffer.
set_differently() {
	framed "framing = fortinet"
	gateway_conf ga tcp "" && framed "framing = rfc9329" && gateway_conf gb udp "$port" || return
	swan ga --reload-settings > /dev/null && swan gb --reload-settings > /dev/null && establish &&
		[ "$(esptcp_table ga framing)" = fortinet ] && [ "$(esptcp_table gb framing)" = rfc9329 ] &&
		no_ping ca "$clientB" && ping_some cb "${clientA:?}" && [ "$(counted ga rx-stream-esp)" -ge 5 ] &&
		swan ga --rekey --child net > /dev/null && within 10 log_has ga 'rekey' &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state && only_tcp
}

gateways_test 12
framed "framing = fortinet"
restart || ktap_exit_fail_msg "the gateways do not start"
check "the tunnel comes up" comes_up
check "reset by gateway A" lost reset_by ga dport
check "reset by gateway B" lost reset_by gb sport
check "the connection vanishes" lost silence
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
check "wrong flags" refused "framing = fortinet
	fortinet { flags = syn }" "fortinet.flags = syn is wrong, use ack, psh or psh,ack"
check "a number without the policy fixed" refused "framing = fortinet
	fortinet { seq_value = 1 }" "a number goes with the policy fixed only"
check "a framing that was refused is not tried again" refusal_is_forgotten
check "the gateways are set differently" set_differently
ktap_finished
