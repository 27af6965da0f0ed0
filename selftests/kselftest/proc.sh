#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# /proc/net/esptcp and /proc/net/esptcp_stat say the same as netlink and are
# named as in the specification, from which all the rest is generated.
cd "$(dirname "$0")" || exit
. ./net.sh

# The counters of kmod/esptcp.yaml, in its order
specified() {
	python3 -c '
import yaml
spec = yaml.safe_load(open("../../kmod/esptcp.yaml"))
sets = {s["name"]: s["attributes"] for s in spec["attribute-sets"]}
print(*(a["name"] for a in sets["stats"] if a["name"] != "pad"), sep="\n")'
}

named_as_specified() {
	diff <(specified) <(ns ga awk '{ print $1 }' /proc/net/esptcp_stat)
}

# Each line has a field for each word of the head.
fields_are_named() {
	ns ga awk 'NR == 1 { fields = NF } NF != fields { bad = 1 } END { exit bad || NR != 2 }' \
		/proc/net/esptcp
}

# field NAME: of the one connection of gateway A
field() {
	ns ga awk -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
		NR == 2 { print $column[name] }' /proc/net/esptcp
}

shows_the_connection() {
	[ "$(field id)" = "$id" ] && [ "$(field remote)" = "$1" ] && [ "$(field framing)" = rfc9329 ] &&
		[ "$(field state)" = up ] && [ "$(field reason)" = - ] && [ "$(field bindings)" = 2 ] &&
		[ "$(field tx_esp)" -gt 2 ] && [ "$(field rx_esp)" -gt 2 ] &&
		[ "$(field inode)" = "$(inode)" ]
}

# The socket's inode, as its owner sees it
inode() {
	local link

	for link in "/proc/${pids[a]}/fd/"*; do
		[[ $(readlink "$link") =~ socket:\[([0-9]+)\] ]] && echo "${BASH_REMATCH[1]}"
	done
}

ss_shows_the_protocol() {
	[[ $(ns ga ss -Htin "sport = ${1##*:}" ) =~ tcp-ulp-esptcp ]]
}

shows_the_end() {
	end b "$1"
	within 5 ended "$2"
}

ended() {
	[ "$(field state)" = down ] && [ "$(field reason)" = "$1" ]
}

# open 4|6: a carrier that has carried something. It stays until it is killed,
# and does not notice the end.
open() {
	family "$1"
	next_spis
	carriers_up && sas tunnel "$gcm" && ping_ok ca "$clientB" 56 &&
		[[ $(< "$work/a.out") =~ up\ ([0-9]+) ]] && id=${BASH_REMATCH[1]} &&
		kill -STOP "${pids[a]}"
}

close() {
	end a KILL
	end b KILL
	sas_flush
	carriers_forget
}

test_start 8
open 4
check "counters are named as specified" named_as_specified
check "each field has a name" fields_are_named
check "an IPv4 connection is shown" shows_the_connection 203.0.113.1:4500
check "ss shows the protocol" ss_shows_the_protocol "$(field local)"
check "its end is shown: eof" shows_the_end TERM eof
close
open 6
check "an IPv6 connection is shown" shows_the_connection "[2001:db8:2::1]:4500"
check "its end is shown: reset" shows_the_end USR1 reset
close
check "a closed connection is not shown" [ "$(field id)" = "" ]
ktap_finished
