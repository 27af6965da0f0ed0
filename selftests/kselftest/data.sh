#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ESP through a network that only lets TCP through: families, modes and
# algorithms, forwarded and local traffic, packets of any size. What one side
# counts as sent, the other has to count as received, without a drop.
cd "$(dirname "$0")" || exit
. ./net.sh

# traffic NAME ADDRESS: IPv6 has to learn the tunnel's MTU with the first large
# packets, so they may be lost.
traffic() {
	ping_ok "$1" "$2" 56 && within 20 ping_ok "$1" "$2" 8000 &&
		within 20 ping_ok "$1" "$2" 20000 && ns "$1" timeout 60 helper/traffic "$2"
}

forwarded() {
	traffic ca "$clientB"
}

# Between the gateways themselves, on the addresses of their networks
local_tunnel() {
	traffic ga "$lanB"
}

local_transport() {
	traffic ga "$B"
}

accounts_are_good() {
	within 5 sums_agree esp ike && no_drops && [ "${stat[ga.tx-esp-frames]}" -gt "$before" ]
}

# run 4|6 tunnel|transport TRAFFIC ALGORITHMS [OPTION...]
run() {
	local v=$1 mode=$2 traffic=$3 ok=1
	shift 3

	family "$v"
	next_spis
	before=${stat[ga.tx-esp-frames]-0}
	if carriers_up && sas "$mode" "$@" && $traffic && accounts_are_good; then
		ok=0
	else
		diagnosis
	fi
	sas_flush
	carriers_end
	return $ok
}

# A packet of an SA is seen where operators look for it.
see_esp() {
	background tcpdump ga tcpdump -Z root -lni esptcp0 -c 1 esp
	within 10 says tcpdump 'listening on' && ping_ok ca "$clientB" 56 &&
		within 10 says tcpdump "ESP\(spi=0x0*${spiAB#0x}" && end tcpdump TERM
}

# pcrypt hands each packet to another CPU and comes back later, as hardware
# does. Asking for it once, over the algorithm that SAs had until now, makes the
# kernel build what it offers to new SAs upon it.
pcrypt_offered() {
	local key value name='' driver=''

	while read -r key _ value; do
		case $key in
		name) name=$value ;;
		driver) [ "$name" != "rfc4106(gcm(aes))" ] || driver=$value ;;
		esac
	done < /proc/crypto
	# 7.2 makes it and says EEXIST.
	modprobe -qa pcrypt algif_aead && python3 -c '
import contextlib, socket, sys
with contextlib.suppress(FileExistsError):
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).bind(("aead", sys.argv[1]))
' "pcrypt($driver)" && crypto_references "pcrypt($driver)" 1
}

# crypto_references DRIVER COUNT: that many are held, one by the kernel itself
crypto_references() {
	local key value driver=''

	while read -r key _ value; do
		case $key in
		driver) driver=$value ;;
		refcnt) [[ $driver != "$1"* || $value -lt $2 ]] || return 0 ;;
		esac
	done < /proc/crypto
	return 1
}

# The four SAs have it.
pcrypt_used() {
	crypto_references "seqiv(pcrypt(" 5
}

# Each CPU encrypts and decrypts for the one connection, and nothing comes so
# much out of order that the replay window is too small. Which CPU takes a
# packet is the scheduler's choice: there is traffic until both have had many.
pcrypt_forwarded() {
	local before
	before=$(out_of_order)

	[ "$before" ] && pcrypt_used || return
	for _ in {1..5}; do
		forwarded || return
		spread && break
	done && grep -q esptcp_pages_alloc $tracing/trace && [ "$(out_of_order)" = "$before" ]
}

spread() {
	local cpu function n

	for cpu in 0 1; do
		for function in pcrypt_aead_enc pcrypt_aead_dec; do
			n=$(grep -c " $function " $tracing/per_cpu/cpu$cpu/trace)
			ktap_print_msg "CPU $cpu: $n $function"
			[ "$n" -gt 100 ] || return
		done
	done
}

# out_of_order: what both gateways have refused for that, so far
out_of_order() {
	local name

	for name in ga gb; do
		ns $name grep -E '^XfrmInState(SeqError|ProtoError)\s' /proc/net/xfrm_stat
	done
}

pcrypt_local() {
	pcrypt_used && local_transport
}

test_start 16
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms

check "IPv4, tunnel, AES-GCM, forwarded" run 4 tunnel forwarded "$gcm"
check "IPv6, tunnel, AES-GCM, forwarded" run 6 tunnel forwarded "$gcm"
check "IPv4, tunnel, AES-GCM, local" run 4 tunnel local_tunnel "$gcm"
check "IPv6, tunnel, AES-GCM, local" run 6 tunnel local_tunnel "$gcm"
check "IPv4, transport, AES-GCM" run 4 transport local_transport "$gcm"
check "IPv6, transport, AES-GCM" run 6 transport local_transport "$gcm"
check "IPv4, tunnel, NULL" run 4 tunnel forwarded "$null"
check "IPv6, transport, NULL" run 6 transport local_transport "$null"
check "IPv4, tunnel, AES-CBC and HMAC" run 4 tunnel forwarded "$cbc"
check "IPv6, transport, AES-CBC and HMAC" run 6 transport local_transport "$cbc"
check "IPv4, tunnel, ESN" run 4 tunnel forwarded "$gcm" flag esn replay-window 128
check "IPv6, transport, ESN" run 6 transport local_transport "$gcm" flag esn replay-window 128
check "tcpdump on the device sees ESP" run 4 tunnel see_esp "$gcm"
if pcrypt_offered; then
	trace 'pcrypt_aead_*' esptcp_pages_alloc || ktap_exit_fail_msg "the kernel does not trace functions"
	check "IPv4, tunnel, AES-GCM on all CPUs" run 4 tunnel pcrypt_forwarded "$gcm" \
		flag esn replay-window 128
	echo nop > $tracing/current_tracer
	check "IPv6, transport, asynchronous AES-GCM" run 6 transport pcrypt_local "$gcm"
else
	ktap_test_skip "IPv4, tunnel, AES-GCM on all CPUs: no pcrypt"
	ktap_test_skip "IPv6, transport, asynchronous AES-GCM: no pcrypt"
fi
check "nothing but TCP was on the way" only_tcp
ktap_finished
