#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor and the rules of nftables: what it says of a set of rules is
# what happens to a peer's packets.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	drops			"rules that drop what peers send"
	accepts			"rules that do not"
	others			"rules that drop what this host sends, or answers"
)

# with_rules RULES COMMAND...: with these rules, and no others, in this network namespace
with_rules() {
	nft "flush ruleset; $1"
	"${@:2}"
}

# certainly_drops VERDICT WHAT CHAIN
certainly_drops() {
	examine
	finds "$1" firewall "^$2 is dropped by the chain \"$3\" of the table \"inet t\": TCP port 4500\$" 'nft list ruleset'
}

# The peer tries while doctor thinks.
peers_are_dropped() {
	reached 1.5 &
	certainly_drops problem 'what peers send to open a connection' "$1"
	! wait $! || fail "but the peer connects"
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

run_tests
