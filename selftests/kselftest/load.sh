#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under load: how long ping and IKE take beside a flow that takes all there is.
# The figures are printed. What is checked is far from them, as an emulated
# machine may be slow: nothing starves, nothing is lost track of.
cd "$(dirname "$0")" || exit
. ./net.sh

seconds=5

# loaded NAME IPERF3-OPTION...
loaded() {
	local ok=1
	shift

	next_spis
	if carrier_b && carrier_a -i && within 10 says b $'\nup' && sas tunnel "$gcm" &&
		ping_ok ca "$clientB" 56; then
		background server cb iperf3 --server --one-off --forceflush
		within 10 says server 'Server listening' &&
			measure --client "$clientB" --time $seconds "$@" && ok=0
	fi
	[ $ok = 0 ] || diagnosis
	sas_flush
	end server TERM
	carriers_end
	carriers_forget
	return $ok
}

# measure IPERF3-OPTION...
measure() {
	background ping ca ping -q -n -i 0.1 -w $((seconds - 1)) "$clientB"
	ns ca timeout 60 iperf3 --json "$@" > "$work/iperf" || return
	wait "${pids[ping]}"
	within 10 sums_agree esp || return
	end a TERM
	ktap_print_msg "throughput: $(jq '.end | (.sum_received // .sum).bits_per_second / 1e6 | round' "$work/iperf") Mbit/s"
	ktap_print_msg "ping: $(grep -E 'loss|rtt' "$work/ping.out" | tr '\n' ' ')"
	ktap_print_msg "IKE (sent, received, average ms, maximum ms): $(grep pings "$work/a.out")"
	ping_is_alive && ike_is_alive
}

# Some are lost, as CoDel drops from the queue that all share.
ping_is_alive() {
	[[ $(< "$work/ping.out") =~ \ ([0-9.]+)%\ packet\ loss ]] &&
		[ "${BASH_REMATCH[1]%.*}" -le 80 ] &&
		[[ $(< "$work/ping.out") =~ =\ [0-9.]+/([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -lt 3000 ]
}

ike_is_alive() {
	[[ $(< "$work/a.out") =~ pings\ ([0-9]+)\ ([0-9]+)\ [0-9.]+\ ([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" -gt 20 ] &&
		[ "$((BASH_REMATCH[2] * 10))" -ge "$((BASH_REMATCH[1] * 9))" ] &&
		[ "${BASH_REMATCH[3]}" -lt 5000 ]
}

test_start 5
check "TCP, one flow" loaded forth
check "TCP, one flow, the other way" loaded back --reverse
check "TCP, four flows both ways" loaded both --parallel 4 --bidir
check "UDP, more than there is room for" loaded udp --udp --bitrate 500M --length 1200
check "nothing but TCP was on the way" only_tcp
ktap_finished
