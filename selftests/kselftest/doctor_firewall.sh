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
	uncertain		"rules of which nobody can say what they do"
	families		"rules for IPv6 only"
	legacy			"rules of iptables-legacy"
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
		meta nfproto ipv6 drop; ip6 nexthdr tcp drop; meta protocol ip6 drop;
	END
	with_rules "table inet t {
			chain maybe { ip saddr 10.77.0.0/24 return; drop; };
			$(chain input "jump maybe;")
		}" no_alarm
	with_rules "table inet t { $(chain input "ip saddr 10.77.0.0/24 return; drop;") }" no_alarm
	with_rules "table arp t { $(chain input "arp operation reply drop;") }" no_alarm
	with_rules "table bridge t { $(chain input "policy drop;") $(chain prerouting "policy drop;") }" no_alarm
	with_rules "table inet t {
			set allowed { type inet_service; flags interval; elements = { 22, 4000-5000 }; }
			chain services { tcp dport @allowed accept; return; };
			$(chain input "policy drop; ct state established accept; jump services;")
		}" no_alarm
}

# no_problem WHAT: the peer is let in, and doctor does not say that it certainly is not
no_problem() {
	examine
	finds warning firewall "$1" 'nft list ruleset'
	same warning "$(verdicts firewall)"
	reached 10 || fail "but the peer cannot connect"
}

# A queue that nobody reads lets pass. Some releases of nftables do not tell which flag a table has.
test_uncertain() {
	local perhaps='^what peers send to open a connection is perhaps dropped by the chain "(input|INPUT)" of the table'

	listen charon 4500
	with_rules "table inet t { $(chain input "tcp dport 4500 queue flags bypass to 1; tcp dport 4500 drop;") }" no_problem "$perhaps"
	with_rules "table inet t {
			chain maybe { tcp dport 4500 queue flags bypass to 1; };
			$(chain input "policy drop; tcp sport 4500 accept; ct state established accept; jump maybe;")
		}" no_problem "$perhaps"
	nft 'flush ruleset'
	iptables-nft -A INPUT -p tcp --dport 4500 -j NFQUEUE --queue-num 1 --queue-bypass
	iptables-nft -A INPUT -p tcp --dport 4500 -j DROP
	no_problem "$perhaps"
	nft "flush ruleset; table inet t { flags dormant; $(chain input "policy drop;") }"
	examine
	[[ $(verdicts firewall) =~ ^(ok|warning( warning)*)$ ]] || fail "$(verdicts firewall)"
	reached 10 || fail "but the peer cannot connect"

	# what comes behind a rule that only tells is as certain as before
	nft 'flush ruleset'
	iptables-nft -A INPUT -p tcp --dport 4500 -j LOG
	iptables-nft -A INPUT -p tcp --dport 4500 -j DROP
	examine
	finds problem firewall '^what peers send to open a connection is dropped by the chain "INPUT" of the table "ip filter"' .
	nft 'flush ruleset'
}

# A host with IPv4 addresses may not want IPv6, one without does.
test_families() {
	listen charon 4500
	with_rules "table ip6 t { $(chain input "policy drop;") }" no_problem_over_ipv6
	trap 'kill $listener; nft "flush ruleset"; ip address add 10.77.0.1/24 dev tool0' EXIT
	ip address delete 10.77.0.1/24 dev tool0
	with_rules "table ip6 t { $(chain input "policy drop;") }" examine
	finds problem firewall '^what peers send to open a connection is dropped by the chain "input" of the table "ip6 t"' .
	with_rules "table ip t { $(chain input "policy drop;") }" examine
	same ok "$(verdicts firewall)"
}

no_problem_over_ipv6() {
	examine
	finds warning firewall '^what peers send to open a connection over IPv6 is dropped by the chain "input" of the table "ip6 t": TCP port 4500$' .
	[[ $(verdicts firewall) != *problem* ]] || fail "$(verdicts firewall)"
	reached 10 || fail "but the peer cannot connect"
}

# They are not followed, but that there are some is said. The modules would find no rule in the tests that follow.
test_legacy() {
	local program

	nft 'flush ruleset'
	trap 'modprobe -r ip6table_filter ip6_tables iptable_filter ip_tables' EXIT
	for program in iptables ip6tables; do
		$program-legacy -A INPUT -p tcp --dport 4500 -j DROP
		examine
		finds warning firewall "^there are tables of $program-legacy, whose rules doctor does not follow\$" "$program-legacy -S"
		[[ $(verdicts firewall) != *problem* ]] || fail "$(verdicts firewall)"
		$program-legacy -F
		[ $program = ip6tables ] || modprobe -r iptable_filter ip_tables
	done
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
