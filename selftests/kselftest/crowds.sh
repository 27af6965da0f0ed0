#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Strangers who have more addresses than charon has places for half-open
# connections, or descriptors: they keep nobody out, and what is there goes on.
#
#   ADDRESSES=5000 ./crowds.sh    more of them
cd "$(dirname "$0")" || exit
. lib/gateways.sh

ADDRESSES=${ADDRESSES:-2000}
plugin_limits='prefix_timeout = 600
ike_timeout = 600
establish_timeout = 600'
# charon's own limits would ask for a COOKIE first
charonopts='dos_protection = no
half_open_timeout = 600'

# strangers networks|neighbours NUMBER KIND: when the ones before have gone
strangers() {
	[ ! -v 'pids[crowd]' ] || end crowd KILL
	within 30 no_connections || return
	background crowd r python3 lib/stranger.py "$B" "$port" "$@"
	within 300 all_opened "$2" && says crowd "$2 opened" && return
	sed 's/^/# /' "$work/crowd.out"
	return 1
}

all_opened() {
	says crowd "$1 opened" || has_ended crowd
}

descriptors() {
	find "/proc/${pids[gb]}/fd" -type l | wc -l
}

# connections: how many gateway B has of the crowd
connections() {
	ns gb ss -Htn state established dst 2001:db8:f000::/48 | wc -l
}

# newcomer: a client sets up its tunnel and takes it down
newcomer() {
	swan ga --initiate --child net > "$work/initiate" && clients_talk && only_tcp &&
		swan ga --terminate --ike net > /dev/null && swan gb --stats > /dev/null
}

limit_raised() {
	local soft hard

	read -r _ _ _ soft hard _ < <(grep 'Max open files' "/proc/${pids[gb]}/limits")
	log_has gb "limit of descriptors raised from 1024 to $hard" && [ "$soft" = "$hard" ]
}

silent_crowd() {
	strangers networks "$ADDRESSES" silent && newcomer && log_has gb 'displaces another, half_open_limit of 1000' || return
	echo "# $(connections) connections, $(descriptors) descriptors"
	[ "$(descriptors)" -le 1100 ]
}

# Each with an IKE_SA, which never goes on
begun_crowd() {
	strangers networks "$ADDRESSES" initiate || return
	echo "# $(connections) connections, $(descriptors) descriptors, $(grep -c 'IKE_SA_INIT response' "$work/gb/charon.log") responses"
	newcomer && [ "$(descriptors)" -le 1100 ]
}

no_connections() {
	[ "$(connections)" = 0 ]
}

one_network() {
	strangers neighbours 100 initiate || return
	pause 3
	echo "# $(connections) connections of 100 addresses in one network"
	[ "$(connections)" -le 10 ] && newcomer
}

# Descriptors are the limit, of which some are left for the rest of charon.
few_descriptors() {
	local limit=$(($(descriptors) + 200))

	pluginopts="$plugin_limits
half_open_limit = 0
half_open_limit_ip = 0" configure && swan gb --reload-settings > /dev/null && establish || return
	prlimit --pid "${pids[gb]}" --nofile="$limit:"
	pings_start
	strangers networks 400 silent || return
	echo "# $(descriptors) descriptors of $limit"
	log_has gb 'displaces another, there are no more descriptors' && [ "$(descriptors)" -le $((limit - 20)) ] &&
		swan gb --stats > /dev/null && pings_go_on 10 && pings_gap > /dev/null &&
		swan ga --terminate --ike net > /dev/null && newcomer
}

# ticks: of CPU time that gateway B's charon has used
ticks() {
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${pids[gb]}/stat"
}

# Not even the reserved one: it waits, and works again when there are some.
none_at_all() {
	local before

	end crowd KILL
	within 30 no_connections && prlimit --pid "${pids[gb]}" --nofile=10: || return
	strangers networks 5 silent || return
	before=$(ticks)
	pause 5
	echo "# $(($(ticks) - before)) ticks of CPU time in 5 s"
	[ $(($(ticks) - before)) -lt 150 ] && log_has gb 'refused, there are no more descriptors' || return
	prlimit --pid "${pids[gb]}" --nofile=1024: && end crowd KILL && newcomer
}

gateways_test 6
ulimit -Sn 1024
family 6
ipn r route add local 2001:db8:f000::/48 dev lo
ns r sysctl -qw net.ipv6.ip_nonlocal_bind=1
pluginopts=$plugin_limits restart || ktap_exit_fail_msg "the gateways do not start"
check "the limit of descriptors is raised" limit_raised
ulimit -Sn "$(ulimit -Hn)"
check "$ADDRESSES silent networks" silent_crowd
check "$ADDRESSES networks with an IKE_SA each" begun_crowd
check "an IKE_SA of each of 100 addresses in one network" one_network
check "few descriptors" few_descriptors
check "no descriptors at all" none_at_all
ktap_finished
