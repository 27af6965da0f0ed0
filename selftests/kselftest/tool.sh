#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp(8): what its commands make the module do, and how they fail.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/tool.sh
. lib/tool.sh

tests=(
	usage			"wrong arguments are refused with status 2"
	mistakes		"what was meant is suggested"
	options			"options and filters before and without a command"
	help			"help and version"
	no_module		"without the module"
	no_loading		"looking does not load the module, attaching does"
	empty			"an empty namespace"
	attach_ipv4		"attach over IPv4"
	attach_ipv6		"attach over IPv6"
	attach_role		"attach says who opened the connection"
	framings		"framings, by attach and by set"
	framing_types		"a framing's numbers are decimal, and numbers in JSON"
	attach_refused		"attach refuses what is no connected TCP socket"
	bind			"bind by number and by descriptor, unbind"
	bind_refused		"bind and unbind of what is not there"
	replace			"a new connection takes the bindings over"
	orphans			"bindings outlive their connection; unbind all"
	unprivileged		"without privileges"
	monitor			"monitor prints events and their reasons"
	monitor_json		"monitor --json says when"
	closed_output		"an output that cannot be written"
)

test_usage() {
	local arguments

	while read -r arguments; do
		# shellcheck disable=SC2086 # words
		run 2 esptcp ${arguments%%|*}
		has "expected ${arguments#*|}" "usage:|esptcp help"
	done <<- END
		show 1|id, peer, port or state, found '1'
		show id 0|the number of a connection, found '0'
		show peer localhost|an address, or a network .*, found 'localhost'
		show peer 10.0.0.0/33|an address, or a network .*, found '33'
		show peer 10.0.0.0/|an address, or a network .*, found ''
		show port 65536|a port of 1 to 65535, found '65536'
		show state sideways|'up' or 'down', found 'sideways'
		doctor x|no more arguments, found 'x'
		doctor port|a port of 1 to 65535, found nothing
		gateways x|no more arguments, found 'x'
		tunnels x|no more arguments, found 'x'
		sockets x|no more arguments, found 'x'
		drops x|no more arguments, found 'x'
		attach 1 framing cisco|'rfc9329' or 'fortinet', found 'cisco'
		set|the number of a connection, found nothing
		set 1|framing, found nothing
		set 1 speed 9|framing or one of its options, found 'speed'
		set 1 flags syn|'ack', 'psh' or 'psh,ack', found 'syn'
		set 1 seq random|'fixed', 'sa', 'snapshot' or 'advancing', found 'random'
		set 1 window 65536|'snapshot' or a number up to 65535, found '65536'
		set 1 seq-value -1|a number of 32 bits, found '-1'
		set 1 ack-value 0x|a number of 32 bits, found '0x'
		set 1 window 08x|'snapshot' or a number up to 65535, found '08x'
		set 1 in-window maybe|'yes' or 'no', found 'maybe'
		attach 1 role boss|'originator' or 'responder', found 'boss'
		help show stat|no more arguments, found 'stat'
		stat --json x|no more arguments, found 'x'
		monitor x|no more arguments, found 'x'
		attach|the number of a file descriptor, found nothing
		attach three|.*, found 'three'
		attach -1|.*, found '-1'
		attach 0x|.*, found '0x'
		attach 1 instead|role, replaces or framing, found 'instead'
		attach 1 replaces 2 role|'originator' or 'responder', found nothing
		attach 1 replaces|the number of a connection, found nothing
		attach 1 replaces 0|the number of a connection, found '0'
		attach 1 replaces 4294967296|the number of a connection, found '4294967296'
		bind|conn or fd, found nothing
		bind id 1|conn or fd, found 'id'
		bind conn 1 both|'in' or 'out', found 'both'
		bind conn 1 in|spi, found nothing
		bind conn 1 in spi|an SPI .*, found nothing
		bind conn 1 in spi 0 daddr 10.0.0.1|an SPI .*, found '0'
		bind conn 1 in spi 0xff daddr 10.0.0.1|an SPI .*, found '0xff'
		bind conn 1 in spi 0x100000000 daddr 10.0.0.1|an SPI .*, found '0x100000000'
		bind conn 1 in spi c0a80101 daddr 10.0.0.1|an SPI .*, found 'c0a80101'
		bind conn 1 in spi 0xc0a80101 10.0.0.1|daddr, found '10.0.0.1'
		bind conn 1 in daddr 10.0.0.1|spi, found nothing
		bind conn 1 in daddr 10.0.0.1 spi 0xc0a80101 x|no more arguments, found 'x'
		bind conn 1 in spi 0xc0a80101 daddr 10.0.0.256|an IPv4 or IPv6 address, found '10.0.0.256'
		bind conn 1 in spi 0xc0a80101 daddr fd77::1::2|an IPv4 or IPv6 address, found 'fd77::1::2'
		bind conn 1 in spi 0xc0a80101 daddr localhost|an IPv4 or IPv6 address, found 'localhost'
		unbind|'in' or 'out', found nothing
		unbind all in|no more arguments, found 'in'
	END
}

test_mistakes() {
	local command

	run 2 esptcp shwo
	has "^esptcp: there is no command 'shwo'$" "did you mean 'show'\\? \"esptcp help\" lists"
	run 2 esptcp help tunel
	has "did you mean 'tunnels'"
	run 2 esptcp --json mon
	has "did you mean 'monitor'"
	run 2 esptcp nonsense
	has "there is no command 'nonsense'" '^  "esptcp help" lists the commands$'
	lacks 'did you mean'

	for command in --nonsense "dump --json" "metrics --json" "--json help" "stat -x" "capture --nonsense"; do
		# shellcheck disable=SC2086 # words
		run 2 esptcp $command
		has "^esptcp: there is no option '-.*' here$" '^usage: esptcp '
	done

	# charon prints SPIs so
	run 2 esptcp bind conn 1 in spi c0a80101 daddr 10.0.0.1
	has '^  if it is hexadecimal: 0xc0a80101$'
	run 2 esptcp bind conn 1 in spi c0a80101z daddr 10.0.0.1
	lacks 'if it is hexadecimal'
}

test_options() {
	attach
	run 0 esptcp --json show id "$id"
	same "$id" "$(json '.connections[].id')"
	run 0 esptcp -j stat
	same object "$(json type)"
	run 0 esptcp --brief state up
	has "^$id +up "
	run 0 esptcp id "$id"
	has "^connection $id\$"
}

test_help() {
	local command

	run 0 esptcp help
	for command in show dump stat drops doctor gateways tunnels sockets metrics monitor attach set bind unbind capture help; do
		has "^  $command( |$)"
		esptcp "$command" --help | grep -q "^usage: esptcp $command"
		same "$(esptcp help "$command")" "$(esptcp "$command" --json --help)"
		[ "$command" = help ] || same "$(esptcp help "$command")" "$(esptcp "$command" help)"
	done
	lacks '.{81}'
	same "$out" "$(esptcp --help)"
	run 0 esptcp --version
	same "esptcp $(cat /sys/module/esptcp/version)" "$out"
}

# The kernel would load the module by itself when it is asked for the family.
without_module() {
	local loader

	loader=$(cat /proc/sys/kernel/modprobe)
	# shellcheck disable=SC2064 # the value is wanted now
	trap "echo $loader > /proc/sys/kernel/modprobe; modprobe esptcp" EXIT
	echo /bin/false > /proc/sys/kernel/modprobe
	modprobe -r esptcp
}

test_no_module() {
	local command

	without_module
	for command in show dump stat drops sockets metrics monitor "unbind all" "attach 0" "bind conn 1 ${sa_in[*]}"; do
		# shellcheck disable=SC2086 # words
		run 1 esptcp $command
		has 'the module esptcp is not loaded' 'modprobe esptcp'
	done
}

test_no_loading() {
	local command

	trap 'modprobe esptcp' EXIT
	modprobe -r esptcp
	for command in show dump stat drops sockets metrics monitor; do
		run 1 esptcp $command
		has 'is not loaded$' 'modprobe esptcp'
	done
	[ ! -e /sys/module/esptcp ] || fail "the module has been loaded"
	attach
	run 0 esptcp show id "$id"
	exec {fd}>&-
}

test_empty() {
	run 0 esptcp
	has '^no connections$' '^total of the network namespace$' 'ESP in +0 frames +0 B$'
	lacks dropped
	same "$out" "$(esptcp show)"
	run 0 esptcp --json
	same 0 "$(json '.connections | length')"
	same 0 "$(json '.bindings | length')"
	same 0 "$(json '[.stats[]] | add')"
}

# Compare the only connection with /proc/net/esptcp. IPv6 addresses contain a
# colon and are in brackets there and here.
shown_as_in_proc() {
	local number here there framing state rest

	read -r number here there framing state rest < <(tail -n 1 /proc/net/esptcp)
	same "$number" "$id"
	run 0 esptcp show
	has "^connection $number\$" "^  local +${here//[[]/\\[}\$" "^  remote +${there//[[]/\\[}\$" \
		"^  framing +$framing\$" "^  state +$state\$"
}

test_attach_ipv4() {
	attach
	run 0 esptcp show
	has '^  local +10\.77\.0\.1:[0-9]+$' '^  remote +10\.77\.0\.2:4500$' '^  age +[0-9]+ s$' \
		'^  waiting +ESP to send: 0 B, IKE to read: 0 B$'
	shown_as_in_proc
	run 0 esptcp show --json
	same "$id rfc9329 up none 10.77.0.1 10.77.0.2 4500 0" \
		"$(json '.connections[] | "\(.id) \(.framing) \(.state) \(.reason) \(."local-addr")",
			"\(."remote-addr") \(."remote-port") \(.bindings)"' | paste -sd ' ')"
	same "socket:[$(json '.connections[].inode')]" "$(readlink "/proc/self/fd/$fd")"
	[ "$(json '.connections[].age')" -lt 60000 ]
}

test_attach_ipv6() {
	connect fd77::2
	id=$(esptcp attach "$fd")
	run 0 esptcp show
	has '^  local +\[fd77::1\]:[0-9]+$' '^  remote +\[fd77::2\]:4500$'
	shown_as_in_proc
	run 0 esptcp bind conn "$id" in spi 4096 daddr fd77:0::1
	run 0 esptcp show
	has '^  SA +in   0x00001000  to fd77::1$'
	run 0 esptcp unbind in spi 0x1000 daddr fd77::1
}

test_attach_role() {
	local role

	for role in originator responder; do
		attach role "$role"
		run 0 esptcp show id "$id"
		has "^  role +$role: "
		run 0 esptcp show id "$id" --json
		same "$role" "$(json '.connections[].role')"
	done
	connect
	run 0 esptcp attach "$fd" role responder --json
	id=$(json .id)
	run 0 esptcp show id "$id" --json
	same "responder 0" "$(json '.connections[] | "\(.role) \(.error)"')"
	attach
	run 0 esptcp show id "$id"
	has '^  role +unknown: '
}

test_attach_refused() {
	local file

	run 1 esptcp attach 99
	has 'descriptor 99 is not open' 'close-on-exec'
	exec {file}< /dev/null
	run 1 esptcp attach "$file"
	has 'connected TCP socket'
	exec {file}<> /dev/udp/10.77.0.2/4500
	run 1 esptcp attach "$file"
	has 'connected TCP socket'
	attach
	run 1 esptcp attach "$fd"
	has 'already'
	connect
	peer reset
	run 1 esptcp attach "$fd"
	has 'not connected' 'must be established'
	connect
	run 1 ip netns exec "$peer_ns" "$tool" attach "$fd"
	has 'another network namespace'
	run 1 esptcp attach "$fd" replaces 4000000000
	has '"esptcp show" lists them'
}

test_bind() {
	attach
	run 0 esptcp bind conn "$id" "${sa_in[@]}"
	run 0 esptcp bind fd "$fd" "${sa_out[@]}"
	run 0 esptcp show
	has '^  SA +in   0xc0a80101  to 10\.77\.0\.1$' '^  SA +out  0xc0a80102  to 10\.77\.0\.2$'
	run 0 esptcp show -j
	same 2 "$(json '.connections[].bindings')"
	same "$id in 0xc0a80101 10.77.0.1" \
		"$(json '.bindings[] | select(.dir == "in") | "\(."conn-id") \(.dir) \(.spi) \(.daddr)"')"
	run 0 esptcp unbind "${sa_in[@]}"
	run 0 esptcp show
	has 'SA +out'
	lacks 'SA +in'
	run 0 esptcp unbind "${sa_out[@]}"
	run 0 esptcp show
	lacks '^  SA'
}

test_bind_refused() {
	run 1 esptcp bind conn 4000000000 "${sa_in[@]}"
	has 'no such connection' '"esptcp show" lists them'
	run 1 esptcp unbind "${sa_in[@]}"
	has 'not bound' '"esptcp show" lists them'
	connect
	run 1 esptcp bind fd "$fd" "${sa_in[@]}"
	has 'not attached'
	run 1 esptcp bind fd 99 "${sa_in[@]}"
	has 'descriptor 99 is not open'
	id=$(esptcp attach "$fd")
	run 1 esptcp bind conn "$id" in spi 0xc0a80101 daddr fd77::1
	has 'address family' 'must be IPv4'
	peer reset
	until_true is_down "$id"
	run 1 esptcp bind conn "$id" "${sa_in[@]}"
	has 'is down'
	run 0 esptcp show
	lacks '^  SA'
}

# shown: the framing as the tool shows it, in a line
shown() {
	run 0 esptcp show id "$id"
	[[ $out =~ framing\ +([^:]*)\ role ]] && xargs <<< "${BASH_REMATCH[1]}"
}

test_framings() {
	local all="flags psh,ack seq fixed seq-value 7 ack snapshot window 1000 length-prefix yes timestamps no in-window no"

	attach framing fortinet
	same "fortinet profile fortios flags ack seq sa ack sa length-prefix no timestamps no in-window yes" "$(shown)"
	attach framing fortinet profile advancing
	same "fortinet profile advancing flags ack seq advancing ack snapshot length-prefix no timestamps no in-window no" "$(shown)"
	# shellcheck disable=SC2086 # words
	attach role originator framing fortinet $all
	same "fortinet profile fortios $all" "$(shown)"
	run 0 esptcp show id "$id" --json
	same "fortinet psh,ack 1000" "$(json '.connections[] | "\(.framing) \(.profile.flags) \(.profile.window)"')"
	attach
	same rfc9329 "$(shown)"
	run 0 esptcp bind conn "$id" "${sa_out[@]}"
	run 1 esptcp set "$id" framing fortinet
	has "connection $id has SAs" 'before SAs are bound'
	same rfc9329 "$(shown)"
	run 0 esptcp unbind all
	run 0 esptcp set "$id" framing fortinet seq snapshot window snapshot
	same "fortinet profile fortios flags ack seq snapshot ack sa length-prefix no timestamps no in-window yes" "$(shown)"
	run 0 esptcp bind conn "$id" "${sa_out[@]}"
	run 0 esptcp set "$id" framing fortinet seq snapshot
	run 0 esptcp unbind all
	run 1 esptcp set "$id" framing fortinet seq advancing
	has 'has another profile' 'a connection keeps its framing'
	run 1 esptcp set 4711 framing fortinet
	has 'no such connection' 'takes the number of a connection'
	run 1 esptcp set "$id" framing rfc9329
	has 'can be set to the fortinet framing only'
	connect
	run 1 esptcp attach "$fd" profile advancing
	has 'a profile goes with the fortinet framing only'
	run 1 esptcp attach "$fd" framing fortinet seq-value 1
	has 'a number goes with the policy fixed only'
	run 1 esptcp attach "$fd" framing fortinet length-prefix yes timestamps yes
	has 'a length prefix needs'
}

test_framing_types() {
	attach framing fortinet seq fixed seq-value 010 ack fixed ack-value 0x10 window 0100 length-prefix yes timestamps no
	same "fortinet profile fortios flags ack seq fixed seq-value 10 ack fixed ack-value 16 window 100 length-prefix yes timestamps no in-window yes" "$(shown)"
	run 0 esptcp show id "$id" --json
	same '{"profile":"fortios","flags":"ack","seq":"fixed","seq-value":10,"ack":"fixed","ack-value":16,"window":100,"length-prefix":1,"timestamps":0,"in-window":1}' \
		"$(jq -c '.connections[].profile' <<< "$out")"
}

test_replace() {
	local old

	attach
	old=$id
	run 0 esptcp bind conn "$old" "${sa_out[@]}"
	attach replaces "$old" role originator
	run 0 esptcp show --json
	same originator "$(json ".connections[] | select(.id == $id).role")"
	same "$id" "$(json '.bindings[]."conn-id"')"
	same "0 1" "$(json "[.connections[] | select(.id == $old, .id == $id)] | sort_by(.id) | map(.bindings) | join(\" \")")"
	run 0 esptcp unbind all
}

test_orphans() {
	attach
	run 0 esptcp bind conn "$id" "${sa_in[@]}"
	run 0 esptcp bind conn "$id" "${sa_out[@]}"
	exec {fd}>&-
	run 0 esptcp show
	has '^no connections$' '^without a connection' '^  SA +in   0xc0a80101' '^  SA +out  0xc0a80102'
	run 0 esptcp show --brief
	has '^SAs without a connection: 2 \(their packets are dropped\)$'
	run 0 esptcp show --brief state up
	lacks '^SAs'
	run 0 esptcp show --json
	same "false false" "$(json '[.bindings[] | has("conn-id")] | join(" ")')"
	run 0 esptcp unbind all
	run 0 esptcp show
	lacks '^  SA'
}

test_unprivileged() {
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all timeout 20 "$tool")

	attach
	run 0 esptcp bind conn "$id" "${sa_out[@]}"
	run 0 "${nobody[@]}" show
	has "^connection $id\$" '^  SAs +1, hidden from you$' '^SAs are hidden: .*CAP_NET_ADMIN.*as root'
	lacks 0xc0a80102
	run 0 "${nobody[@]}" show --json
	same false "$(json 'has("bindings")' || true)"
	run 0 "${nobody[@]}" stat
	run 1 "${nobody[@]}" bind conn "$id" "${sa_in[@]}"
	has CAP_NET_ADMIN
	run 1 "${nobody[@]}" unbind all
	has CAP_NET_ADMIN
	run 1 "${nobody[@]}" monitor
	has CAP_NET_ADMIN
	connect
	run 1 "${nobody[@]}" attach "$fd"
	has CAP_NET_ADMIN
	run 0 esptcp unbind all
}

# The monitor has begun to listen when it tells of a connection.
start_monitor() {
	timeout 60 "$tool" monitor > "$tmp/events" 2>&1 &
	monitor=$!
	trap 'kill "$monitor"' EXIT
	until_true monitor_hears
}

monitor_hears() {
	attach
	exec {fd}>&-
	[ -s "$tmp/events" ]
}

monitor_says() {
	grep -Eq "^[0-9:]{8} $1" "$tmp/events"
}

# goes_down REASON PEER-COMMAND...: an attached connection, and what ends it
goes_down() {
	local reason=$1
	shift

	attach
	peer "$@"
	until_true is_down "$id"
	until_true monitor_says "down +connection $id +10\.77\.0\.1:[0-9]+ - 10\.77\.0\.2:4500  $reason: "
	run 0 esptcp show
	has "^  state +down \($reason\): The peer"
}

test_monitor() {
	local old

	start_monitor
	goes_down eof fin
	goes_down reset reset
	goes_down bad-length send 0001

	attach
	until_true monitor_says "up +connection $id +10\.77\.0\.1:[0-9]+ - 10\.77\.0\.2:4500$"
	old=$id
	run 0 esptcp bind conn "$old" "${sa_out[@]}"
	attach replaces "$old"
	until_true monitor_says "rebind +connection $id  out 0xc0a80102 to 10\.77\.0\.2$"
	exec {fd}>&-
	until_true monitor_says "down +connection $id .*  closed: "
	run 0 esptcp unbind all
}

heard() {
	attach
	[ -s "$tmp/events.json" ]
}

test_monitor_json() {
	local before after

	before=$(date +%s%3N)
	timeout 60 "$tool" monitor --json > "$tmp/events.json" 2>&1 &
	monitor=$!
	trap 'kill "$monitor"' EXIT
	until_true heard
	after=$(date +%s%3N)
	out=$(head -n 1 "$tmp/events.json")
	same "number conn-up 10.77.0.2" "$(json '"\(.time | type) \(.event) \(.connection."remote-addr")"')"
	[ "$before" -le "$(json .time)" ] && [ "$(json .time)" -le "$after" ] ||
		fail "$(json .time) is not between $before and $after"
}

test_closed_output() {
	run 1 bash -c "$tool stat > /dev/full"
	has 'cannot write the output'
}

run_tests
