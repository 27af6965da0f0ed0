#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor and the rules of nftables and iptables-legacy: what it says of a
# set of rules is what happens to a peer's packets.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	drops			"rules that drop what peers send"
	accepts			"rules that do not"
	others			"rules that drop what this host sends, or answers"
	legacy_drops		"rules of iptables-legacy that drop what peers send"
	legacy_accepts		"rules of iptables-legacy that do not"
)

# The peer can connect to port 4500
reached() {
	ip netns exec "$peer_ns" timeout 1 bash -c '< /dev/tcp/10.77.0.1/4500' 2> /dev/null
}

# with_rules RULES COMMAND...: in this network namespace, for a moment
with_rules() {
	local rules=$1
	shift

	nft "$rules"
	"$@"
	nft flush ruleset
}

# certainly_drops VERDICT WHAT CHAIN
certainly_drops() {
	examine
	finds "$1" firewall "^$2 is dropped by the chain \"$3\" of the table \"inet t\": TCP port 4500\$" 'nft list ruleset'
}

peers_are_dropped() {
	certainly_drops problem 'what peers send to open a connection' "$1"
	! reached || fail "but the peer connects"
}

no_alarm() {
	examine
	same ok "$(verdicts firewall)"
	reached || fail "but the peer cannot connect"
}

chain() {
	echo "chain $1 { type filter hook $1 priority 0; $2 };"
}

test_drops() {
	local rules

	listen charon 4500
	while read -r rules; do
		with_rules "table inet t { $(chain input "$rules") }" peers_are_dropped input
	done <<- END
		tcp dport 4500 drop;
		tcp dport { 22, 4500 } counter drop;
		meta l4proto tcp tcp dport 4000-5000 reject;
		tcp dport != 22 drop;
		ct state new log drop;
		policy drop; tcp dport 22 accept; iif lo accept; ct state established,related accept; udp dport 4500 accept;
		policy drop; tcp dport vmap { 22 : accept, 4500 : drop };
		tcp dport { 4400-4499, 4501 } accept; ip protocol tcp drop;
	END
	with_rules "table inet t {
			set allowed { type inet_service; elements = { 22, 80 }; }
			chain end { drop; };
			chain services { tcp dport @allowed accept; tcp dport 4500 goto end; };
			$(chain input "ct state vmap { established : accept, invalid : drop }; jump services;")
		}" peers_are_dropped input
	with_rules "table inet t { $(chain prerouting "tcp dport 4500 drop;") }" peers_are_dropped prerouting
}

test_accepts() {
	local rules

	listen charon 4500
	while read -r rules; do
		with_rules "table inet t { $(chain input "$rules") }" no_alarm
	done <<- END
		tcp dport 4500 accept; tcp sport 4500 accept; drop;
		policy drop; ip saddr 10.77.0.0/24 accept;
		policy drop; tcp dport { 22, 4500 } ct state new accept; ct state established accept;
		udp dport 4500 drop; tcp dport 4501 drop; ct state invalid drop; icmp type echo-request drop;
		tcp dport 4500 ip saddr 192.0.2.1 drop; iif lo drop;
		tcp dport 4500 limit rate over 100/second drop;
	END
	with_rules "table inet t {
			set allowed { type inet_service; flags interval; elements = { 22, 4000-5000 }; }
			chain services { tcp dport @allowed accept; return; };
			$(chain input "policy drop; ct state established accept; jump services;")
		}" no_alarm
}

# What matters more depends on whether somebody listens.
test_others() {
	with_rules "table inet t { $(chain output "tcp dport 4500 reject;") }" \
		certainly_drops problem 'what this host sends to open a connection' output
	with_rules "table inet t { $(chain output "policy drop; tcp dport 4500 accept;") }" \
		certainly_drops warning 'what peers get for an answer' output
	with_rules "table inet t { $(chain input "policy drop; tcp dport 4500 accept;") }" \
		certainly_drops problem 'what this host gets for an answer' input
	listen charon 4500
	with_rules "table inet t { $(chain output "tcp dport 4500 reject;") }" \
		certainly_drops warning 'what this host sends to open a connection' output
	with_rules "table inet t { $(chain output "policy drop; tcp dport 4500 accept;") }" \
		certainly_drops problem 'what peers get for an answer' output
}

# with_legacy RULES COMMAND...: a line of iptables-legacy-restore, or several
# with semicolons, for a moment
with_legacy() {
	local rules=$1
	shift

	iptables-legacy-restore <<< "*filter${rules//;/$'\n'}"$'\nCOMMIT'
	"$@"
	iptables-legacy-restore <<< $'*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n-F\n-X\nCOMMIT'
}

legacy_drops() {
	examine
	finds problem firewall \
		"^what peers send to open a connection is dropped by the chain \"INPUT\" of the table \"ip filter\": TCP port 4500\$" \
		'iptables-legacy -S'
	! reached || fail "but the peer connects"
}

# The module would be loaded for the rest of the tests, and find no rule.
unload_legacy() {
	trap 'kill $listener; modprobe -r ip6table_filter ip6_tables iptable_filter ip_tables' EXIT
}

test_legacy_drops() {
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

test_legacy_accepts() {
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
