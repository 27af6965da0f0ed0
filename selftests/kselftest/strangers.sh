#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the Internet sends to an open port, to strongSwan with our plugin: it is
# ended in time, counted, and keeps nobody out.
#
#   CROWD=10000 ./strangers.sh    with more silent connections
cd "$(dirname "$0")" || exit
. lib/gateways.sh

CROWD=${CROWD:-600}
pluginopts='prefix_timeout = 3
ike_timeout = 4
establish_timeout = 8'

# stranger KIND: how long the responder lets it go on, in seconds
stranger() {
	ns r python3 lib/stranger.py "$B" "$port" "$@"
}

# ended_within SECONDS KIND
ended_within() {
	local seconds

	seconds=$(stranger "$2") && echo "# $2: ended after $seconds s" &&
		awk "BEGIN { exit !($seconds <= $1) }"
}

# ended_late KIND: it holds its place for a while, not for ever
ended_late() {
	ended_within 12 "$1" && log_has gb 'was established within 8 seconds'
}

# Another one is dropped, and the first one's half-open state goes.
two_ike_sas() {
	ended_late twice && log_has gb 'is that of another IKE_SA'
}

# It is told, and may try again on the same connection.
syntax_error() {
	local seconds

	seconds=$(stranger syntax) && echo "# syntax: ended after $seconds s" && log_has gb 'N(INVAL_SYN)' &&
		awk "BEGIN { exit !($seconds > 3) }"
}

tunnel() {
	swan ga --initiate --child net > "$work/initiate" && clients_talk && only_tcp &&
		swan ga --terminate --ike net > /dev/null && within 10 no_state
}

# A crowd of silent ones, as fast as they can, and a client meanwhile.
crowd() {
	background crowd r python3 lib/stranger.py "$B" "$port" crowd "$CROWD"
	within 10 says crowd 'begun' && log_has gb 'half_open_limit' || within 10 log_has gb 'half_open_limit' || return
	tunnel || return
	[ "$(ls "/proc/${pids[gb]}/fd" | wc -l)" -lt 400 ] || return
	within 60 says crowd 'ended' || return
	sed 's/^/# /' "$work/crowd.out"
}

# Without descriptors it goes on, and says what to do.
no_descriptors() {
	local free=0

	while [ -e "/proc/${pids[gb]}/fd/$free" ]; do
		free=$((free + 1))
	done
	prlimit --pid "${pids[gb]}" --nofile=$free:4096
	stranger silent > /dev/null
	log_has gb 'there are no more descriptors' || return
	prlimit --pid "${pids[gb]}" --nofile=1024:4096
	tunnel
}

other_ports_work() {
	gateways_stop
	background squatter gb socat TCP-LISTEN:443 STDOUT
	within 5 listens gb 443
	configure tcp "443, 11443, $port" && gateways_start || return
	log_has gb 'TCP port 443 is taken by process [0-9]* (socat)' && listens gb 11443 &&
		port=11443 gateway_conf ga tcp "" && end squatter TERM &&
		ns r nft insert rule inet fw forward tcp dport 11443 accept &&
		ns r nft insert rule inet fw forward tcp sport 11443 accept &&
		swan ga --reload-settings > /dev/null && tunnel
}

counted_all() {
	swan gb --reload-settings > /dev/null && within 5 log_has gb 'TCP connections from peers: [1-9]' &&
		echo "# $(grep -o 'TCP connections from peers.*' "$work/gb/charon.log" | tail -1)"
}

gateways_test 15
restart || ktap_exit_fail_msg "the gateways do not start"
check "silence" ended_within 6 silent
check "a TLS hello" ended_within 1 tls
check "HTTP" ended_within 1 http
check "half a prefix" ended_within 6 half
check "an octet a second" ended_within 6 slow
check "a prefix and nothing else" ended_within 8 prefix
check "a prefix and junk" ended_within 8 junk
check "a message a second" ended_late chatty
check "an IKE_SA that nobody authenticates" ended_late initiate
check "two IKE_SAs on a connection" two_ike_sas
check "a syntax error" syntax_error
check "$CROWD silent connections" crowd
check "they are counted, and gone" counted_all
check "without descriptors" no_descriptors
check "a port that is taken, the others work" other_ports_work
ktap_finished
