#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp(8): what show, dump and drops print is what the kernel did; on
# terminals, with filters, for many connections.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/tool.sh
. lib/tool.sh

tests=(
	tcp			"TCP's own view, as ss has it"
	error			"the last error, and the reason"
	filters			"filters by number, peer, port and state"
	unknown			"a number that no connection has is an error"
	no_diag			"without TCP's view, the rest is shown"
	dump			"dump has the fields that the manual page names"
	counters		"counters and drops, as the kernel has them"
	brief			"a line a connection"
	colour			"colours on a terminal only"
	many			"500 connections"
	interface		"procfs and sysfs are as documented, for everybody"
	completion		"completion knows every command"
	manual			"the manual pages name every command, counter and parameter"
)

test_tcp() {
	local mss pmtu

	attach
	run 0 ss -Htin "sport = $(local_port)"
	[[ $out =~ mss:([0-9]+) ]] && mss=${BASH_REMATCH[1]}
	[[ $out =~ pmtu:([0-9]+) ]] && pmtu=${BASH_REMATCH[1]}
	[[ $out =~ cwnd:([0-9]+) ]]
	run 0 esptcp show id "$id"
	has "^  tcp +rtt [0-9]+\\.[0-9]{3} ms, cwnd ${BASH_REMATCH[1]} x $mss B, path MTU $pmtu,\$" \
		'^ +0 retransmitted, [0-9]+ on their way$'
	run 0 esptcp show id "$id" --json
	same "$mss $pmtu 0" "$(json '.connections[].tcp | "\(.mss) \(.pmtu) \(.retransmitted)"')"
	[ "$(json '.connections[].tcp.rtt')" -gt 0 ]

	# what is lost on the way is sent again
	ip netns exec "$peer_ns" nft 'table inet lossy { chain input { type filter hook input priority 0; policy drop; }; }'
	printf '\0\0\0\0ike' >&"$fd"
	until_true retransmitted
	ip netns exec "$peer_ns" nft delete table inet lossy
}

retransmitted() {
	[ "$(esptcp show id "$id" --json | jq '.connections[].tcp.retransmitted')" -gt 0 ]
}

local_port() {
	esptcp show id "$id" --json | jq '.connections[]."local-port"'
}

test_error() {
	attach
	run 0 esptcp show id "$id"
	lacks 'last error'
	peer reset
	until_true is_down "$id"
	run 0 esptcp show id "$id"
	has '^  state +down \(reset\): ' '^  last error +Connection reset by peer$'
	lacks '^  tcp'
	run 0 esptcp show id "$id" --json
	same "reset 104" "$(json '.connections[] | "\(.reason) \(.error)"')"
	attach
	peer fin
	until_true is_down "$id"
	run 0 esptcp show id "$id"
	has '^  state +down \(eof\): '
	lacks 'last error'
}

# shown FILTER...: the numbers of the connections that show shows
shown() {
	esptcp show "$@" --json | jq -r '[.connections[].id] | join(" ")'
}

test_filters() {
	local first second third

	attach
	first=$id
	connect fd77::2
	second=$(esptcp attach "$fd")
	attach
	third=$id
	peer fin
	until_true is_down "$third"
	esptcp bind conn "$first" "${sa_out[@]}"

	same "$first $second $third" "$(shown)"
	same "$second" "$(shown id "$second")"
	same "$first $third" "$(shown peer 10.77.0.2)"
	same "$first $third" "$(shown peer 10.77.0.0/24)"
	same "$first $third" "$(shown peer 0.0.0.0/0)"
	same "$second" "$(shown peer fd77::/63)"
	same "none" "none$(shown peer 10.77.0.1/32)"
	same "none" "none$(shown peer 10.77.1.0/24)"
	same "$first" "$(shown peer 10.77.0.0/30 state up port 4500)"
	same "$third" "$(shown state down)"
	same "$first" "$(id=$first; shown port "$(local_port)")"
	same "none" "none$(shown port 443)"

	run 0 esptcp show state up
	has "^connection $first\$" '^  SA +out'
	lacks "^connection $third\$"
	lacks total
	run 0 esptcp show id "$second"
	lacks '^  SA'
	run 0 esptcp show port 443
	same "no such connection" "$out"
}

test_unknown() {
	local command

	for command in show "show --json" "show --brief" dump; do
		# shellcheck disable=SC2086 # words
		run 1 esptcp $command id 4000000000
		same $'esptcp: there is no connection 4000000000\n  "esptcp show" lists them' "$out"
	done
	attach
	run 0 esptcp show id "$id" state down
	same "no such connection" "$out"
}

# The kernel would load the module that lists its TCP sockets.
without_diag() {
	local loader

	loader=$(cat /proc/sys/kernel/modprobe)
	# shellcheck disable=SC2064 # the value is wanted now
	trap "echo $loader > /proc/sys/kernel/modprobe" EXIT
	echo /bin/false > /proc/sys/kernel/modprobe
	modprobe -r tcp_diag
}

test_no_diag() {
	attach
	esptcp bind conn "$id" "${sa_out[@]}"
	run 0 esptcp show id "$id"
	has '^  tcp +rtt '
	without_diag
	run 0 esptcp show
	has "^connection $id\$" '^  SA +out' '^total of' "^esptcp: TCP's view is missing" '^  load the module .*: modprobe tcp_diag$'
	lacks '^  tcp'
	same "$id false" "$(esptcp show --json 2> /dev/null | jq -r '.connections[] | "\(.id) \(has("tcp"))"')"
	run 0 esptcp metrics
	has '^esptcp_peer_connections\{peer="10\.77\.0\.2",state="up"\} 1$' '^esptcp_sas\{connected="yes"\} 1$'
	lacks '^esptcp_peer_rtt_seconds\{'
	run 0 esptcp dump
	has "^conn.$id.*-.-.-\$"
	run 1 esptcp sockets
	has 'does not list its TCP sockets' 'modprobe tcp_diag'
	esptcp unbind all
}

# The names of the fields, as the table of the manual page has them
manual_fields() {
	local page=../../tools/esptcp.8

	awk -v record="$1" '$0 == ".\\\" dump " record { on = 1; next } $0 == ".\\\" end" { on = 0 }
		on && /^\.IR? / { print $2 }' $page
}

test_dump() {
	local fields i name
	local -A field

	attach role originator
	esptcp bind conn "$id" "${sa_in[@]}"
	esptcp bind conn "$id" "${sa_out[@]}"
	peer send 0022deadbeef"$(printf '%056d' 0)"
	until_true dropped 1
	run 0 esptcp dump
	lacks ' '
	same 3 "$(cut -f1 <<< "$out" | sort -u | wc -l)"
	same "$(grep -c . /proc/net/esptcp_stat)" "$(grep -c ^total <<< "$out")"

	mapfile -t fields < <(manual_fields conn)
	IFS=$'\t' read -ra values < <(grep ^conn <<< "$out")
	same "${#fields[@]}" "${#values[@]}"
	for i in "${!fields[@]}"; do
		field[${fields[i]}]=${values[i]}
	done
	run 0 esptcp show --json
	for name in id state reason role framing local-addr local-port remote-addr remote-port inode bindings \
			tx-queue ike-rx-queue error; do
		same "$(json ".connections[].\"$name\"")" "${field[$name]}"
	done
	for name in {rx,tx}-{esp,ike}-{frames,bytes}; do
		same "$(json ".connections[].stats.\"$name\"")" "${field[$name]}"
	done
	same "1 0" "${field[rx-drops]} ${field[tx-drops]}"
	same "$(json '.connections[].tcp.cwnd')" "${field[cwnd]}"

	run 0 esptcp dump
	same "sa $id in 0xc0a80101 10.77.0.1" "$(awk '$1 == "sa" && $3 == "in"' <<< "$out" | tr '\t' ' ')"
	exec {fd}>&-
	run 0 esptcp dump
	same "sa - in 0xc0a80101 10.77.0.1" "$(awk '$1 == "sa" && $3 == "in"' <<< "$out" | tr '\t' ' ')"
	esptcp unbind all
}

dropped() {
	[ "$(esptcp show id "$id" --json | jq '.connections[].stats."rx-drop-unbound"')" = "$1" ]
}

all_counted() {
	[ "$(esptcp show id "$id" --json | jq '.connections[].stats |
		."rx-drop-unbound" + ."rx-ike-frames" + ."rx-drop-runt"')" = 4 ]
}

# Two frames of ESP with an SPI that is not bound, one of IKE, one that is
# neither.
test_counters() {
	local payload

	attach
	payload=$(printf '%056d' 0)
	peer send "0022deadbeef${payload}0022deadbeef${payload}"
	peer send "002200000000${payload}0004abcd"
	until_true all_counted

	run 0 esptcp show id "$id"
	has '^  IKE in +1 frame   32 B$' '^  dropped in +2  ESP whose SPI is not bound' '^  dropped in +1  Frames too short' \
		'^  waiting +ESP to send: 0 B, IKE to read: [1-9]'
	lacks '.{81}'
	run 0 esptcp stat
	same "$(awk '{ print $1, $2 }' <<< "$out" | sort)" "$(awk '{ print $1, $2 }' /proc/net/esptcp_stat | sort)"
	run 0 esptcp stat --json
	same "$(json .)" "$(esptcp show --json | jq .stats)"
	run 0 esptcp show id "$id" --json
	same 2 "$(json '.connections[].stats."rx-drop-unbound"')"
	same "$(awk 'END { print $11 }' /proc/net/esptcp)" "$(json '.connections[]."ike-rx-queue"')"

	run 0 esptcp drops
	has '^ +[1-9][0-9]*  rx-drop-unbound$' '^ +ESP whose SPI is not bound' '^ +-> a few are normal' \
		'^ +1  rx-drop-runt$'
	lacks '.{81}'
	lacks tx-drop
	run 0 esptcp drops --json
	same "$(awk '/-drop-/ && $2 > 0 { print $1, $2 }' /proc/net/esptcp_stat | paste -sd ,)" \
		"$(json '.[] | "\(.name) \(.packets)"' | paste -sd ,)"
	same 0 "$(json '[.[] | select((.meaning | length) == 0 or (.remedy | length) == 0)] | length')"
}

test_brief() {
	attach
	esptcp bind conn "$id" "${sa_in[@]}"
	run 0 esptcp --brief
	has "^$id +up +[0-9]+ s +1 +0 +0 +[0-9]+\\.[0-9]  10\\.77\\.0\\.2:4500\$" '^ID '
	same 2 "$(wc -l <<< "$out")"
	lacks '.{81}'
	esptcp unbind all
}

# on_terminal COMMAND...: what it writes to a terminal
on_terminal() {
	TERM=${term-vt100} timeout 20 python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' "$@" < /dev/null
}

test_colour() {
	local command

	attach
	for command in show "show --brief"; do
		# shellcheck disable=SC2086 # words
		[[ $(on_terminal "$tool" $command) == *$'\033[32mup'* ]]
		# shellcheck disable=SC2086 # words
		[[ $(NO_COLOR=1 on_terminal "$tool" $command) != *$'\033'* ]]
		# shellcheck disable=SC2086 # words
		[[ $(term=dumb on_terminal "$tool" $command) != *$'\033'* ]]
		# shellcheck disable=SC2086 # words
		[[ $(esptcp $command) != *$'\033'* ]]
	done
	[[ $(on_terminal "$tool" show --json) != *$'\033'* ]]
}

# Attached by setsockopt(), which is quicker
many_program='
import resource, socket, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
listener = socket.create_server(("127.0.0.1", 4501), backlog=64)
socks = []
for i in range(500):
    here = socket.create_connection(("127.0.0.1", 4501))
    there = listener.accept()[0]
    here.setsockopt(socket.SOL_TCP, 31, b"esptcp")    # TCP_ULP
    socks += [here, there]
print("ready", flush=True)
sys.stdin.read()
'

# The kernel puts about 25 connections into a message of 16 KiB. A second is
# much for a real machine, but little for an emulated one.
test_many() {
	local ready start

	coproc MANY { exec timeout 120 python3 -c "$many_program" 2>&1; }
	read -r -t 100 -u "${MANY[0]}" ready
	same ready "$ready"
	start=${EPOCHREALTIME/./}
	esptcp show > "$tmp/show"
	echo "# show with 500 connections: $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
	[ $((${EPOCHREALTIME/./} - start)) -lt 10000000 ]
	same 500 "$(grep -c '^connection ' "$tmp/show")"
	same 500 "$(grep -c '^  tcp ' "$tmp/show")"
	same 500 "$(esptcp show --json | jq '[.connections[].id] | unique | length')"
	same 500 "$(esptcp show port 4501 --brief | grep -c ' 127\.0\.0\.1:4501$')"
	same 500 "$(esptcp dump | grep -c ^conn)"
	# shellcheck disable=SC2153 # coproc sets it
	kill "$MANY_PID"
	wait "$MANY_PID" || true
	until_true none_left
}

none_left() {
	[ -z "$(esptcp dump | grep ^conn)" ]
}

# These names and their order are an interface: programs rely on them.
columns="id local remote framing state reason inode age bindings tx_queue ike_rx_queue rx_esp tx_esp rx_ike tx_ike"
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all)

test_interface() {
	local file parameters=/sys/module/esptcp/parameters name value last=

	attach
	same "$columns" "$("${nobody[@]}" head -n 1 /proc/net/esptcp)"
	same "$id" "$("${nobody[@]}" awk 'END { print $1 }' /proc/net/esptcp)"
	same "$(cat /proc/net/esptcp_stat)" "$("${nobody[@]}" cat /proc/net/esptcp_stat)"
	run 1 bash -c 'echo 1 > /proc/net/esptcp'

	# what the manual page says of the parameters, and who may change them
	same "$(basename -a $parameters/* | paste -sd ' ')" "ike_queue_bytes ike_unauth_bytes tx_queue_bytes tx_target_ms tx_unsent_max"
	while read -r name value; do
		same "$value" "$("${nobody[@]}" cat $parameters/"$name")"
		run 1 "${nobody[@]}" bash -c "echo 1 > $parameters/$name"
		last=$name
	done < <(sed -n 's/^\.BR \([a-z_]*\) " (\([0-9]*\))"$/\1 \2/p' ../../tools/esptcp.7)
	same ike_unauth_bytes "$last"

	# netlink answers, so the tool reads neither
	run 0 strace -f -e trace=open,openat -o "$tmp/trace" "$tool" show
	for file in /proc/net/esptcp /sys/module; do
		! grep -q "$file" "$tmp/trace" || fail "esptcp reads $file"
	done
}

# completes WORD...: what bash would offer for the last one
completes() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_esptcp
	printf '%s ' "${COMPREPLY[@]}"
}

test_completion() {
	# shellcheck source=../../tools/esptcp.bash
	. ../../tools/esptcp.bash
	same "$(esptcp help | awk '/^  [a-z]/ && $1 != "esptcp" { print $1 }' | sort | paste -sd ' ') " \
		"$(completes esptcp '' | tr ' ' '\n' | sort | paste -sd ' ' | sed 's/^ //') "
	same "show " "$(completes esptcp sh)"
	same "up down " "$(completes esptcp show state '')"
	attach
	same "$id " "$(completes esptcp show id '')"
	same "10.77.0.2 " "$(completes esptcp show peer '')"
	same "in out " "$(completes esptcp bind conn "$id" '')"
	same "originator responder " "$(completes esptcp attach 3 role '')"
	same "--json " "$(completes esptcp stat -)"
	: > "$tmp/a.pcap"
	same "$tmp/a.pcap " "$(completes esptcp capture "$tmp/a.")"
	same "$tmp/a.pcap " "$(completes esptcp --json capture "$tmp/a.")"
	same "--json " "$(completes esptcp capture --)"
	same "show " "$(completes esptcp --json sh)"
	same "--json " "$(completes esptcp --j)"
	same "peer port " "$(completes esptcp id "$id" p)"
	same "snapshot " "$(completes esptcp attach 3 window '')"
	same " " "$(completes esptcp unbind all '')"
}

test_manual() {
	local command name

	for command in $(esptcp help | awk '/^  [a-z]/ && $1 != "esptcp" { print $1 }'); do
		grep -Eq "^\.B[RI]* \"?$command\\>" ../../tools/esptcp.8 || fail "esptcp(8) lacks $command"
	done
	while read -r name _; do
		grep -Fqx ".B ${name//-/\\-}" ../../tools/esptcp.7 || fail "esptcp(7) lacks the counter $name"
	done < /proc/net/esptcp_stat
	for name in /sys/module/esptcp/parameters/*; do
		grep -q "^\.BR ${name##*/} " ../../tools/esptcp.7 || fail "esptcp(7) lacks ${name##*/}"
	done
}

run_tests
