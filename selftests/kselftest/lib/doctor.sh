# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2120 # the tests use these
#
# What the tests of "esptcp doctor" share, besides what they share with other
# tests of esptcp(8).
#
# shellcheck source=tool.sh
. lib/tool.sh

# examine [ARGUMENT...]: what doctor finds, in $out; its exit status in $status
examine() {
	status=0
	out=$(esptcp doctor --json "$@") || status=$?
	[[ $out == *'"verdict"'* ]] || fail "doctor prints no findings" "$out"
}

# verdicts WHAT: those that doctor reached about it
verdicts() {
	jq -r "[.[] | select(.examined == \"$1\") | .verdict] | join(\" \")" <<< "$out"
}

# finds VERDICT WHAT TEXT REMEDY: regular expressions
finds() {
	jq -e --arg verdict "$1" --arg what "$2" --arg text "$3" --arg remedy "$4" \
		'[.[] | select(.verdict == $verdict and .examined == $what and (.text | test($text)) and
			(.remedy // "" | test($remedy)))] | length > 0' > /dev/null <<< "$out" ||
		fail "not found: $*" "${out//$'\n'/$'\n'# }"
	[ "$1" != problem ] || same 3 "$status"
}

# listen NAME PORT [OWNER [ADDRESS]]: a process listens whose program has that name, and belongs to root or OWNER; at
# all addresses of both families, or at one of a single family
listen() {
	: > "$tmp/listener"
	cp --remove-destination "$(realpath "$(type -P python3)")" "$tmp/$1"
	chown "${3-root}" "$tmp/$1"
	"$tmp/$1" -c '
import socket, sys
port, address = int(sys.argv[1]), sys.argv[2]
family = socket.AF_INET if "." in address else socket.AF_INET6
listener = socket.create_server((address or "::", port), family=family, dualstack_ipv6=not address)
print("ready", flush=True)
while True:
    listener.accept()
' "$2" "${4-}" > "$tmp/listener" &
	listener=$!
	trap 'kill $listener' EXIT
	until_true listens
}

listens() {
	[ "$(< "$tmp/listener")" = ready ]
}

# reached [SECONDS]: the peer can connect to port 4500
reached() {
	ip netns exec "$peer_ns" timeout "${1-1}" bash -c '< /dev/tcp/10.77.0.1/4500' 2> /dev/null
}

# Rules that are there let the peer in, and doctor says so.
no_alarm() {
	examine
	same ok "$(verdicts firewall)"
	reached 10 || fail "but the peer cannot connect"
}
