#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor: every fault that it knows is made and has to be found; what is
# healthy gives no alarm. Here ports, SAs, the device, TCP, and who may see what;
# doctor_*.sh have the rest.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	healthy			"nothing is wrong"
	port			"another process has the port"
	sas			"SAs of connections that have ended"
	framing			"the fortinet framing without an answer, or answered in another way"
	stream			"ESP in the stream without an answer"
	device			"the device is down"
	path			"a path that swallows big packets"
	settings		"TCP settings that hurt"
	drops			"alarming drops"
	no_diag			"the kernel does not list its TCP sockets"
	no_answer		"the module does not answer"
	unprivileged		"what others than root are told"
)

test_healthy() {
	attach role originator
	esptcp bind conn "$id" "${sa_out[@]}"
	examine
	for what in module ESP firewall device SAs MTU TCP drops; do
		same ok "$(verdicts $what)"
	done
	run "$status" esptcp doctor
	has '^ok +module +esptcp is loaded$' '^ok +SAs +1 SAs, each has a connection that is up$'
	lacks '.{81}'
	esptcp unbind all
}

test_port() {
	examine
	finds ok port '^nothing listens on TCP port 4500, and charon\.plugins\.esptcp\.ports names no port$' 'on a responder, set'
	listen nginx 443
	examine port 4500 port 443
	finds problem port "^TCP port 443 is held by nginx \\(process $listener\\), not by charon\$" 'another port'
	finds warning port '^nothing listens on TCP port 4500' .
	kill $listener
	listen charon-systemd 4500
	examine
	finds ok port "^charon-systemd \\(process $listener\\) listens on TCP port 4500\$" ''
	kill $listener
	listen charon 4500 nobody
	examine
	finds problem port "^TCP port 4500 is held by charon \\(process $listener\\), which is not strongSwan's program\$" 'another port'
	kill $listener
	two_families
	run 2 esptcp doctor port 0
}

# One address family's port is another program's.
two_families() {
	listen nginx 4500 root 0.0.0.0
	nginx=$listener
	trap 'kill $nginx' EXIT
	listen charon 4500 root ::
	trap 'kill $nginx $listener' EXIT
	examine
	finds problem port "^TCP port 4500 \\(IPv4\\) is held by nginx \\(process $nginx\\)" 'another port'
	finds ok port "^charon \\(process $listener\\) listens on TCP port 4500 \\(IPv6\\)\$" ''
}

test_sas() {
	attach
	esptcp bind conn "$id" "${sa_in[@]}"
	esptcp bind conn "$id" "${sa_out[@]}"
	peer reset
	until_true is_down "$id"
	examine
	finds problem SAs '^2 of 2 SAs are bound to connections that have ended' 'if no daemon runs any more: ip xfrm state flush, then esptcp unbind all$'
	exec {fd}>&-
	attach
	esptcp bind conn "$id" "${sa_out[@]}"
	examine
	finds problem SAs '^1 of 2 SAs' .
	esptcp unbind all
	examine
	same ok "$(verdicts SAs)"
}

test_framing() {
	local i

	attach framing fortinet
	esptcp bind conn "$id" "${sa_in[@]}"
	esptcp bind conn "$id" "${sa_out[@]}"
	examine
	finds ok framing "^connection $id: no segments of ESP yet\$" ''
	helper/inject esp "${sa_out[4]}" "${sa_out[2]}" 100
	examine
	finds ok framing "^connection $id: 1 segment sent, none came back yet\$" ''
	for ((i = 1; i < 20; i++)); do
		helper/inject esp "${sa_out[4]}" "${sa_out[2]}" 100
	done
	examine
	finds problem framing "^connection $id: 20 segments were sent, none came back" 'profile advancing'
	ip netns exec "$peer_ns" python3 lib/fake.py segment 10.77.0.2 10.77.0.1 4500 "$(own_port)" "${sa_in[2]}" 1
	until_true answered
	peer send "$(printf '0022%08x%056x' "$((sa_in[2]))" 0)"
	until_true stream_esp
	finds problem framing "^connection $id: the peer sends ESP in the stream" 'set both ends alike'
	esptcp unbind all
	exec {fd}>&-
	sysctl -qw net.ipv4.tcp_timestamps=0
	attach framing fortinet
	sysctl -qw net.ipv4.tcp_timestamps=1
	examine
	finds warning framing "^connection $id has no TCP time stamps" 'tcp_timestamps=1'
}

# own_port: of the last connection
own_port() {
	local own

	read -r _ own _ < <(tail -n 1 /proc/net/esptcp)
	echo "${own##*:}"
}

answered() {
	examine
	[[ $out == *"1 connection sends ESP in segments, and is answered"* ]]
}

test_stream() {
	local i

	attach
	esptcp bind conn "$id" "${sa_in[@]}"
	esptcp bind conn "$id" "${sa_out[@]}"
	for ((i = 1; i < 20; i++)); do
		helper/inject esp "${sa_out[4]}" "${sa_out[2]}" 100
	done
	examine
	no_framing || fail "19 frames are too few"
	helper/inject esp "${sa_out[4]}" "${sa_out[2]}" 100
	examine
	finds warning framing "^connection $id: ESP goes out \\(20 frames\\), none comes in\$" 'set alike at the peer'
	peer send "$(printf '0022%08x%056x' "$((sa_in[2]))" 0)"
	until_true no_framing
	esptcp unbind all
}

no_framing() {
	examine
	[[ ! $(verdicts framing) ]]
}

stream_esp() {
	examine
	[[ $out == *"the peer sends ESP in the stream"* ]]
}

test_device() {
	attach
	esptcp bind conn "$id" "${sa_out[@]}"
	ip link set esptcp0 down
	examine
	finds problem device '^esptcp0 is down' 'ip link set esptcp0 up'
	ip link set esptcp0 up
	examine
	same ok "$(verdicts device)"
	esptcp unbind all
}

test_path() {
	attach
	# a router that drops what is big and says nothing
	ip netns exec "$peer_ns" nft 'table inet hole { chain input { type filter hook input priority 0; meta length > 1000 drop; }; }'
	python3 -c 'import os, sys; os.write(int(sys.argv[1]), bytes(4) + b"x" * 3000)' "$fd"
	until_true stuck
	finds problem MTU "^connection $id is stuck: [0-9]+ segments of up to 1448 octets" 'tcp_mtu_probing=1'
	ip netns exec "$peer_ns" nft delete table inet hole
	exec {fd}>&-

	# a path with tiny segments
	ip netns exec "$peer_ns" ip link set tool0 mtu 1000
	attach
	examine
	ip netns exec "$peer_ns" ip link set tool0 mtu 1500
	finds warning MTU "^connection $id has segments of 9[0-9]+ octets only" 'clamp'
}

stuck() {
	examine
	[[ $(verdicts MTU) == problem ]]
}

test_settings() {
	local name

	sysctl -qw net.ipv4.tcp_{sack,window_scaling,moderate_rcvbuf}=0 net.ipv4.tcp_{r,w}mem="4096 16384 65536"
	examine
	for name in sack window_scaling moderate_rcvbuf; do
		finds warning TCP "^net\\.ipv4\\.tcp_$name is off" "sysctl -w net\\.ipv4\\.tcp_$name=1"
	done
	for name in rmem wmem; do
		finds warning TCP "^net\\.ipv4\\.tcp_$name lets a connection have 65536 octets at most" "tcp_$name="
	done
	sysctl -qw net.ipv4.tcp_timestamps=0
	examine
	finds warning TCP '^net\.ipv4\.tcp_timestamps is off: .*PAWS.*fortinet framing' 'sysctl -w net\.ipv4\.tcp_timestamps=1'
	sysctl -qw net.ipv4.tcp_{sack,window_scaling,moderate_rcvbuf,timestamps}=1 net.ipv4.tcp_{r,w}mem="4096 65536 4194304"
	examine
	same ok "$(verdicts TCP)"

	# the peer, or something on the way, may be to blame
	ip netns exec "$peer_ns" sysctl -qw net.ipv4.tcp_sack=0
	attach
	examine
	ip netns exec "$peer_ns" sysctl -qw net.ipv4.tcp_sack=1
	finds warning TCP "^connection $id works without SACK, " 'proxy'
}

has_dropped() {
	examine
	[[ $(verdicts drops) == warning ]]
}

test_drops() {
	attach
	peer send 0004abcd
	until_true has_dropped
	finds warning drops '^1 x rx-drop-runt: Frames too short to be IKE or ESP$' 'tcpdump'
}

test_no_diag() {
	local loader

	attach
	loader=$(cat /proc/sys/kernel/modprobe)
	# shellcheck disable=SC2064 # the value is wanted now
	trap "echo $loader > /proc/sys/kernel/modprobe" EXIT
	echo /bin/false > /proc/sys/kernel/modprobe
	modprobe -r tcp_diag
	examine
	finds ok module '^esptcp is loaded$' ''
	finds skipped MTU "^TCP's view of the connections is missing" 'modprobe tcp_diag'
	finds skipped port 'does not list its sockets' 'modprobe tcp_diag'
}

# A fault of netlink ends no tunnel. Advice to remove the module would.
test_no_answer() {
	attach
	status=0
	out=$(strace -o /dev/null -e trace=sendmsg -e inject=sendmsg:error=ENOBUFS "$tool" doctor --json) || status=$?
	finds problem module '^esptcp is loaded but does not answer: .' '^leave the module loaded'
}

test_unprivileged() {
	local nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all timeout 20 "$tool")

	modprobe nf_tables
	listen nginx 4500
	attach
	status=0
	out=$("${nobody[@]}" doctor --json) || status=$?
	finds ok module '^esptcp is loaded$' ''
	finds skipped port '^a process of user 0 listens on TCP port 4500' 'as root'
	finds skipped firewall 'only root' 'as root'
	finds skipped SAs 'only root' 'as root'
	finds ok TCP . ''
}

run_tests
