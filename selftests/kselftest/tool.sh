#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp(8): what it prints, what it makes the module do, and how it fails.
#
#   this script, 10.77.0.1, fd77::1 --- veth --- peer, 10.77.0.2, fd77::2
#
# The script opens TCP connections to a peer in another network namespace, a
# small Python program that does what the script tells it. Every test runs in
# a shell of its own, with which its connections end.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
set -euo pipefail
shopt -s inherit_errexit

if [ "${1-}" != --in-namespace ]; then
	exec unshare --net -- "$0" --in-namespace
fi

tests=(
	usage			"wrong arguments are refused with status 2"
	help			"help and version"
	no_module		"without the module"
	empty			"an empty namespace"
	attach_ipv4		"attach over IPv4"
	attach_ipv6		"attach over IPv6"
	attach_refused		"attach refuses what is no connected TCP socket"
	bind			"bind by number and by descriptor, unbind"
	bind_refused		"bind and unbind of what is not there"
	replace			"a new connection takes the bindings over"
	orphans			"bindings outlive their connection; unbind all"
	counters		"counters and drops, as the kernel has them"
	many			"more connections than one netlink message holds"
	unprivileged		"without privileges"
	monitor			"monitor prints events and their reasons"
	closed_output		"an output that cannot be written"
)

tmp=$(mktemp -d)
peer_ns=tool-peer-$$
sa_in=(in spi 0xc0a80101 daddr 10.77.0.1)
sa_out=(out spi 0xc0a80102 daddr 10.77.0.2)

clean_up() {
	[ -z "${PEER_PID-}" ] || kill "$PEER_PID"
	ip netns delete "$peer_ns" 2> /dev/null || true
	rm -rf "$tmp"
}

#
# The two ends
#

# The peer does one command a line and answers with a line.
peer_program='
import socket, struct, sys

listener = socket.create_server(("::", 4500), family=socket.AF_INET6,
                                dualstack_ipv6=True)
listener.settimeout(10)
conns = []
for line in sys.stdin:
    verb, *words = line.split()
    if verb == "accept":
        conn = listener.accept()[0]
        conns.append(conn)
        prefix = conn.recv(6, socket.MSG_WAITALL)
        assert prefix == b"IKETCP", prefix
    elif verb == "send":
        conn.sendall(bytes.fromhex(words[0]))
    elif verb == "reset":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        conn.close()
    elif verb == "fin":
        conn.shutdown(socket.SHUT_WR)
    print("done", flush=True)
'

start_peer() {
	ip netns add "$peer_ns"
	ip link add tool0 type veth peer name tool0 netns "$peer_ns"
	ends "" 1
	ends "-n $peer_ns" 2
	coproc PEER { exec ip netns exec "$peer_ns" python3 -c "$peer_program"; }
	# the shells of the tests inherit only copies
	exec {to_peer}>&"${PEER[1]}" {from_peer}<&"${PEER[0]}"
	peer hello
}

# shellcheck disable=SC2086 # the first argument may be no word or two
ends() {
	ip $1 link set lo up
	ip $1 address add "10.77.0.$2/24" dev tool0
	ip $1 address add "fd77::$2/64" dev tool0 nodad
	ip $1 link set tool0 up
}

peer() {
	local answer

	echo "$*" >&"$to_peer"
	read -r -t 15 -u "$from_peer" answer || fail "the peer does not answer to '$*'"
	same "done" "$answer"
}

# connect [ADDRESS]: open a connection as $fd and send the prefix
connect() {
	exec {fd}<> "/dev/tcp/${1-10.77.0.2}/4500"
	printf IKETCP >&"$fd"
	peer accept
}

# attach [ARGUMENT...]: connect and attach; the number becomes $id
attach() {
	connect
	id=$(esptcp attach "$fd" "$@")
}

#
# Checks
#

fail() {
	printf '# %s\n' "$@"
	exit 1
}

esptcp() {
	timeout 20 "$tool" "$@"
}

# run STATUS COMMAND...: both outputs become $out
run() {
	local want=$1 status=0
	shift

	out=$("$@" 2>&1) || status=$?
	[ "$status" = "$want" ] || fail "$*: status $status, not $want" "${out//$'\n'/$'\n'# }"
}

# Without grep: each process costs a slow machine some tenths of a second.
any_line() {
	local line

	while IFS= read -r line; do
		[[ $line =~ $1 ]] && return
	done <<< "$out"
	return 1
}

# has PATTERN...: each matches a line of $out, as an extended regular expression
has() {
	local pattern

	for pattern; do
		any_line "$pattern" || fail "no '$pattern' in:" "${out//$'\n'/$'\n'# }"
	done
}

lacks() {
	! any_line "$1" || fail "'$1' is in:" "${out//$'\n'/$'\n'# }"
}

same() {
	[[ -n $1 && $1 == "$2" ]] || fail "'$1' is not '$2'"
}

# json FILTER: what jq makes of the last JSON output
json() {
	jq -er "$1" <<< "$out"
}

# until_true COMMAND...: wait for up to 10 s until it succeeds
until_true() {
	local i

	for ((i = 0; i < 100; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	fail "never: $*"
}

is_down() {
	esptcp show --json | jq -e ".connections[] | select(.id == $1 and .state == \"down\")" > /dev/null
}

#
# Tests
#

test_usage() {
	local arguments

	while read -r arguments; do
		# shellcheck disable=SC2086 # words
		run 2 esptcp ${arguments%%|*}
		has "expected ${arguments#*|}" "usage:|esptcp help"
	done <<- END
		nonsense|a command .*, found 'nonsense'
		--nonsense|no more arguments, found '--nonsense'
		show 1|no more arguments, found '1'
		stat --json x|no more arguments, found 'x'
		monitor x|no more arguments, found 'x'
		attach|the number of a file descriptor, found nothing
		attach three|.*, found 'three'
		attach -1|.*, found '-1'
		attach 0x|.*, found '0x'
		attach 1 instead|no more arguments, found 'instead'
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
		bind conn 1 in spi 0xc0a80101 daddr 10.0.0.256|an IPv4 or IPv6 address, found '10.0.0.256'
		bind conn 1 in spi 0xc0a80101 daddr fd77::1::2|an IPv4 or IPv6 address, found 'fd77::1::2'
		bind conn 1 in spi 0xc0a80101 daddr localhost|an IPv4 or IPv6 address, found 'localhost'
		unbind|'in' or 'out', found nothing
		unbind all in|no more arguments, found 'in'
	END
}

test_help() {
	local command

	run 0 esptcp help
	for command in show stat monitor attach bind unbind help; do
		has "^  $command( |$)"
		esptcp "$command" --help | grep -q "^usage: esptcp $command"
	done
	same "$out" "$(esptcp --help)"
	run 0 esptcp --version
	has '^esptcp [0-9]+\.[0-9]+'
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
	for command in show stat monitor "unbind all" "attach 0" "bind conn 1 ${sa_in[*]}"; do
		# shellcheck disable=SC2086 # words
		run 1 esptcp $command
		has 'netlink family "esptcp"' 'modprobe esptcp'
	done
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
		'^  queued +0 B of ESP to send, IKE to read in 0 B of memory$'
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
	has '^  binding +in   0x00001000  to fd77::1$'
	run 0 esptcp unbind in spi 0x1000 daddr fd77::1
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
	has '^  binding +in   0xc0a80101  to 10\.77\.0\.1$' '^  binding +out  0xc0a80102  to 10\.77\.0\.2$'
	run 0 esptcp show -j
	same 2 "$(json '.connections[].bindings')"
	same "$id in 0xc0a80101 10.77.0.1" \
		"$(json '.bindings[] | select(.dir == "in") | "\(."conn-id") \(.dir) \(.spi) \(.daddr)"')"
	run 0 esptcp unbind "${sa_in[@]}"
	run 0 esptcp show
	has 'binding +out'
	lacks 'binding +in'
	run 0 esptcp unbind "${sa_out[@]}"
	run 0 esptcp show
	lacks binding
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
	lacks binding
}

test_replace() {
	local old

	attach
	old=$id
	run 0 esptcp bind conn "$old" "${sa_out[@]}"
	attach replaces "$old"
	run 0 esptcp show --json
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
	has '^no connections$' '^without a connection' '^  binding +in   0xc0a80101' '^  binding +out  0xc0a80102'
	run 0 esptcp show --json
	same "false false" "$(json '[.bindings[] | has("conn-id")] | join(" ")')"
	run 0 esptcp unbind all
	run 0 esptcp show
	lacks binding
}

all_counted() {
	[ "$(esptcp stat | awk '$1 ~ /^rx-(drop-unbound|ike-frames|drop-runt)$/ { n += $2 } END { print n }')" = 4 ]
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

	run 0 esptcp show
	has '^  IKE in +1 frames   32 B$' '^  dropped in +2  ESP whose SPI is not bound' '^  dropped in +1  Frames too short' \
		'^  queued +0 B of ESP to send, IKE to read in [1-9]'
	lacks '.{81}'
	run 0 esptcp stat
	same "$(awk '{ print $1, $2 }' <<< "$out" | sort)" "$(awk '{ print $1, $2 }' /proc/net/esptcp_stat | sort)"
	run 0 esptcp stat --json
	same "2 1 32" "$(json '"\(."rx-drop-unbound") \(."rx-ike-frames") \(."rx-ike-bytes")"')"
	same "$(json .)" "$(esptcp show --json | jq .stats)"
	run 0 esptcp show --json
	same 2 "$(json '.connections[].stats."rx-drop-unbound"')"
	same "$(awk 'END { print $11 }' /proc/net/esptcp)" "$(json '.connections[]."ike-rx-queue"')"
}

# The kernel puts about 25 connections into a message of 16 KiB.
test_many() {
	local i

	for ((i = 0; i < 40; i++)); do
		attach
	done
	run 0 esptcp show --json
	same 40 "$(json '[.connections[].id] | unique | length')"
	same 40 "$(esptcp show | grep -c '^connection ')"
}

test_unprivileged() {
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all timeout 20 "$tool")

	attach
	run 0 esptcp bind conn "$id" "${sa_out[@]}"
	run 0 "${nobody[@]}" show
	has "^connection $id\$" '^  bindings +1 \(only root'
	lacks 0xc0a80102
	run 0 "${nobody[@]}" show --json
	same false "$(json 'has("bindings")' || true)"
	run 0 "${nobody[@]}" stat
	run 1 "${nobody[@]}" bind conn "$id" "${sa_in[@]}"
	has CAP_NET_ADMIN
	run 1 "${nobody[@]}" unbind all
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
	grep -Eq "$1" "$tmp/events"
}

# goes_down REASON PEER-COMMAND...: an attached connection, and what ends it
goes_down() {
	local reason=$1
	shift

	attach
	peer "$@"
	until_true is_down "$id"
	until_true monitor_says "^down +connection $id +10\.77\.0\.1:[0-9]+ - 10\.77\.0\.2:4500  $reason: "
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
	until_true monitor_says "^up +connection $id +10\.77\.0\.1:[0-9]+ - 10\.77\.0\.2:4500$"
	old=$id
	run 0 esptcp bind conn "$old" "${sa_out[@]}"
	attach replaces "$old"
	until_true monitor_says "^rebind +connection $id  out 0xc0a80102 to 10\.77\.0\.2$"
	exec {fd}>&-
	until_true monitor_says "^down +connection $id .*  closed: "
	run 0 esptcp unbind all
}

test_closed_output() {
	run 1 bash -c "$tool stat > /dev/full"
	has 'cannot write the output'
}

#
# All of them
#

trap clean_up EXIT
tool=$(command -v esptcp || readlink -f ../../tools/esptcp)
modprobe esptcp
start_peer

echo "KTAP version 1"
echo "1..$((${#tests[@]} / 2))"
failed=0
for ((i = 0; i < ${#tests[@]}; i += 2)); do
	# errexit would not work in the shell of a test that is part of a condition
	set +e
	(set -e; "test_${tests[i]}")
	status=$?
	set -e
	[ $status = 0 ] && result=ok || result="not ok"
	[ $status = 0 ] || failed=1
	echo "$result $((i / 2 + 1)) ${tests[i + 1]}"
	esptcp unbind all > /dev/null || failed=1
done
exit $failed
