#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a message costs charon, while many other clients are idle: no more than
# while few are.
#
#   CLIENTS="1000 5000" ./idle.sh     as many, with dead peer detection each 30 s
cd "$(dirname "$0")" || exit
. lib/gateways.sh

CLIENTS=${CLIENTS:-1000}
few=50 seconds=${SECONDS_EACH:-20}
# They have one address, and no IKE_SA.
pluginopts='half_open_limit = 0
half_open_limit_ip = 0
prefix_timeout = 3600
ike_timeout = 3600
establish_timeout = 3600
keepalive = 0'

# cost CLIENTS RATE: sets $cost, in microseconds of CPU time for a message
cost() {
	local percent

	gateway_stop gb
	gateway_start gb && ns r python3 lib/idle.py "$B" "$port" "${pids[gb]}" "$1" "$2" "$seconds" > "$work/idle" || return
	read -r cost percent < "$work/idle"
	echo "# $1 clients, $2 messages a second: $cost us each, $percent % of a CPU"
}

# constant CLIENTS: no more than twice what it is with few, and a bit
constant() {
	local rate=$((($1 + 29) / 30)) limit

	cost "$few" "$rate" && limit=$((2 * cost + 300)) && cost "$1" "$rate" && [ "$cost" -le "$limit" ]
}

# The kernel for benchmarks has neither.
router_rules() { :; }
steer_flows() { :; }

ulimit -n 32768
read -ra numbers <<< "$CLIENTS"
gateways_test "${#numbers[@]}"
configure
for number in "${numbers[@]}"; do
	check "$number idle clients" constant "$number"
done
ktap_finished
