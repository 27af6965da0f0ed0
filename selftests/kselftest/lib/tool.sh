# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2120,SC2154 # the tests use and set these
#
# What the tests of esptcp(8) share, which source this file:
#
#   the test, 10.77.0.1, fd77::1 --- veth --- peer, 10.77.0.2, fd77::2
#
# The test opens TCP connections to a peer in another network namespace, a
# small Python program that does what the test tells it. Each test is a
# function test_NAME, and runs in a shell of its own, with which its
# connections end. The array tests has their names and descriptions.
#
#   . lib/tool.sh
#   run_tests
#
set -euo pipefail
shopt -s inherit_errexit

# In a network namespace of its own
if [ "${1-}" != --in-namespace ]; then
	exec unshare --net -- "./${0##*/}" --in-namespace
fi

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
# All of them
#

run_tests() {
	local failed=0 result status i

	trap clean_up EXIT
	modprobe esptcp
	start_peer

	echo "KTAP version 1"
	echo "1..$((${#tests[@]} / 2))"
	for ((i = 0; i < ${#tests[@]}; i += 2)); do
		# errexit would not work in the shell of a test that is part of a condition
		set +e
		(set -e; "test_${tests[i]}")
		status=$?
		set -e
		[ $status = 0 ] && result=ok || result="not ok"
		[ $status = 0 ] || failed=1
		echo "$result $((i / 2 + 1)) ${tests[i + 1]}"
		[ ! -e /sys/module/esptcp ] || esptcp unbind all > /dev/null || failed=1
	done
	exit $failed
}

tool=$(type -P esptcp || readlink -f ../../tools/esptcp)
