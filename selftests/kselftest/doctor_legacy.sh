#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor and the rules of iptables-legacy: what it says of a set of rules
# is what happens to a peer's packets.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	drops			"rules that drop what peers send"
	accepts			"rules that do not"
)

# with_legacy RULES COMMAND...: a line of iptables-legacy-restore, or several
# with semicolons, for a moment
with_legacy() {
	local rules=$1
	shift

	iptables-legacy-restore <<< "*filter${rules//;/$'\n'}"$'\nCOMMIT'
	"$@"
	iptables-legacy-restore <<< $'*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n-F\n-X\nCOMMIT'
}

# The peer tries while doctor thinks.
legacy_drops() {
	reached 1.5 &
	examine
	finds problem firewall \
		"^what peers send to open a connection is dropped by the chain \"INPUT\" of the table \"ip filter\": TCP port 4500\$" \
		'iptables-legacy -S'
	! wait $! || fail "but the peer connects"
}

# The module would be loaded for the rest of the tests, and find no rule.
unload_legacy() {
	trap 'kill $listener; modprobe -r ip6table_filter ip6_tables iptable_filter ip_tables' EXIT
}

test_drops() {
	local rules

	listen charon 4500
	unload_legacy
	while read -r rules; do
		with_legacy ";$rules" legacy_drops
	done <<- END
		-A INPUT -p tcp -m tcp --dport 4500 -j DROP
		-A INPUT -p tcp -m multiport --dports 22,4000:5000 -m comment --comment "no -j ACCEPT here" -j REJECT --reject-with tcp-reset
		-A INPUT ! -p udp -j DROP
		:INPUT DROP;-A INPUT -i lo -j ACCEPT;-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
		:services -;-A INPUT -p tcp -j services;-A services -p tcp -m tcp --dport 22 -j ACCEPT;-A services -j LOG;-A services -j DROP
		:services -;-A INPUT -p tcp -g services;-A services -p tcp -m tcp ! --dport 4500 -j ACCEPT;-A services -j DROP
	END
	ip6tables-legacy -A INPUT -p tcp --dport 4500 -j DROP
	examine
	finds problem firewall 'table "ip6 filter": TCP port 4500$' 'ip6tables-legacy -S'
	ip6tables-legacy -F

	# the rules are there, but not the program that lists them
	iptables-legacy -A INPUT -p tcp --dport 4500 -j DROP
	status=0
	out=$(PATH=/nowhere "$tool" doctor --json) || status=$?
	finds warning firewall 'iptables-legacy-save does not list them' 'package iptables'
	iptables-legacy -F
}

test_accepts() {
	local rules

	listen charon 4500
	unload_legacy
	while read -r rules; do
		with_legacy ";$rules" no_alarm
	done <<- END
		-A INPUT -p tcp -m tcp --dport 4500 -j ACCEPT;-A INPUT -p tcp -m tcp --dport 4500 -j DROP
		:INPUT DROP;-A INPUT -s 10.77.0.0/24 -j ACCEPT
		:INPUT DROP;:services -;-A INPUT -m state --state NEW -j services;-A INPUT -m state --state ESTABLISHED -j ACCEPT;-A services -p tcp -m tcp --dport 4500 -j ACCEPT;-A services -j RETURN
		-A INPUT -p udp -m udp --dport 4500 -j DROP;-A INPUT -p tcp -m tcp --dport 4501 -j DROP;-A INPUT -i lo -j DROP
		-A INPUT -p tcp -m tcp --dport 4500 -s 192.0.2.1 -j DROP;-A INPUT -m conntrack --ctstate INVALID -j DROP
	END
}

run_tests
