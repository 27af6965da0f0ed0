# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # net.sh sets them
#
# Tests that provoke a drop and look for it in its counter, sourced behind
# net.sh. They are about the framing in the array framing.
framing=()

# drop 4|6 GATEWAY COUNTER COMMAND...: while a tunnel is up and works, the
# command makes the counter rise.
drop() {
	local v=$1 name=$2 counter=$3 before ok=1
	shift 3

	family "$v"
	next_spis
	if carriers_up "${framing[@]}" && sas tunnel "$gcm" && ping_ok ca "$clientB" 56; then
		before=$(counted "$name" "$counter")
		"$@" && within 5 exceeds "$name" "$counter" "$before" && ok=0
	fi
	[ $ok = 0 ] || diagnosis
	sas_flush
	carriers_end
	carriers_forget
	return $ok
}

after_kill() {
	end a KILL
	ping_some ca "$clientB"
}

# tap GATEWAY DEVICE COMMAND...: somebody listens there meanwhile, who shares
# the data of each packet, so that the module cannot write to it.
tap() {
	local name=$1 device=$2
	shift 2

	background tap "$name" python3 -c "
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(('$device', 0))
print('listening', flush=True)
time.sleep(60)"
	within 10 says tap listening || return
	"$@"
	local ok=$?
	end tap KILL
	return $ok
}

# fault PARAMETER...: load the fault injection, then ping
fault() {
	insmod helper/fault.ko "$@" || return
	ping_some ca "$clientB"
	rmmod fault
}

# The module needs memory for a header of its own.
no_memory_to_send() {
	tap ga esptcp0 fault symbol=pskb_expand_head caller=esptcp result=-12 times=3
}

# transport 4|6 COMMAND...: while SAs of transport mode are up and work
transport() {
	local v=$1 ok=1
	shift

	family "$v"
	next_spis
	carriers_up "${framing[@]}" && sas transport "$gcm" && ping_ok ga "$B" 56 && "$@" && ok=0
	[ $ok = 0 ] || diagnosis
	sas_flush
	carriers_end
	carriers_forget
	return $ok
}

# Nobody could decrypt the fragments of a raw socket. They are dropped and do
# not leave as plain ESP.
fragments() {
	local before

	before=$(counted ga tx-drop-not-esp)
	ns ga helper/inject fragments "$B" &&
		within 5 exceeds ga tx-drop-not-esp $((before + 1)) && pause 0.2 && only_tcp
}
