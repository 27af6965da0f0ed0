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
# without charon's own limits, as they all have one address
charonopts='dos_protection = no'
pluginopts='prefix_timeout = 3
ike_timeout = 4
establish_timeout = 8'

# strangers KIND...: they come at once
strangers() {
	local kind

	for kind; do
		background "$kind" r python3 lib/stranger.py "$B" "$port" "$kind"
	done
}

# seconds KIND: how long the responder has let it go on
seconds() {
	wait "${pids[$1]}" && unset "pids[$1]" && seconds=$(< "$work/$1.out") && echo "# $1: ended after $seconds s"
}

# ended_within SECONDS KIND
ended_within() {
	seconds "$2" && awk "BEGIN { exit !($seconds <= $1) }"
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
	seconds syntax && log_has gb 'IKE_SA_INIT response 0 . N(INVAL_SYN)' && awk "BEGIN { exit !($seconds > 3) }"
}

# An IKE_SA whose connection was closed says nothing more, least of all over UDP.
late() {
	ended_late late && within 5 log_has gb 'message to .* dropped, it has no TCP connection' &&
		log_has gb 'IKE_AUTH response 1 . N(INVAL_SYN)' && ns gb nft list counter inet out ike_auth | grep -q 'packets 0'
}

# Count what follows IKE_SA_INIT over UDP: behind UDP's header, the marker and SPIs.
count_ike_auth() {
	ns gb nft -f - <<- END
		table inet out {
			counter ike_auth { }
			chain output {
				type filter hook output priority 0;
				udp sport { 500, 4500 } @th,240,8 35 counter name ike_auth
			}
		}
	END
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
	within $((60 + CROWD / 50)) says crowd 'ended' || return
	sed 's/^/# /' "$work/crowd.out"
	says crowd "$CROWD opened"
}

# Silent ones have all places. A client has that of one of them.
displaced() {
	pluginopts='prefix_timeout = 60
half_open_limit = 3' configure && swan gb --reload-settings > /dev/null || return
	background crowd r python3 lib/stranger.py "$B" "$port" crowd 4
	within 10 log_has gb 'displaces another, half_open_limit of 3 reached' && tunnel || return
	end crowd KILL
}

# Without descriptors it goes on, and says what to do.
no_descriptors() {
	local all=("/proc/${pids[gb]}/fd"/*) last

	pluginopts='prefix_timeout = 60
half_open_limit_ip = 0' configure && swan gb --reload-settings > /dev/null || return
	last=$(printf '%s\n' "${all[@]##*/}" | sort -n | tail -1)
	prlimit --pid "${pids[gb]}" --nofile=$((last + 1)):4096
	background crowd r python3 lib/stranger.py "$B" "$port" crowd 40
	within 10 log_has gb 'there are no more descriptors' || return
	end crowd KILL
	prlimit --pid "${pids[gb]}" --nofile=1024:4096
	stops_listening && configure && swan gb --reload-settings > /dev/null && tunnel
}

# The descriptor that it has in reserve does not keep the port open.
stops_listening() {
	configure tcp "" && swan gb --reload-settings > /dev/null && ! listens gb "$port"
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

gateways_test 17
restart && count_ike_auth || ktap_exit_fail_msg "the gateways do not start"
strangers tls http
check "a TLS hello" ended_within 1 tls
check "HTTP" ended_within 1 http
strangers silent half slow prefix junk syntax chatty initiate twice late
check "silence" ended_within 6 silent
check "half a prefix" ended_within 6 half
check "an octet a second" ended_within 6 slow
check "a prefix and nothing else" ended_within 8 prefix
check "a prefix and junk" ended_within 8 junk
check "a message a second" ended_late chatty
check "an IKE_SA that nobody authenticates" ended_late initiate
check "two IKE_SAs on a connection" two_ike_sas
check "a syntax error" syntax_error
check "an IKE_SA whose connection is gone" late
check "$CROWD silent connections" crowd
check "they are counted, and gone" counted_all
check "a client displaces a silent one" displaced
check "without descriptors" no_descriptors
check "a port that is taken, the others work" other_ports_work
ktap_finished
