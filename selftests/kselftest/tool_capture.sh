#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp capture: what it says of a capture that the router made is how the
# gateways were told to put ESP behind TCP headers.
cd "$(dirname "$0")" || exit
. ./net.sh

# The number of a gateway's only connection
connection() {
	ns "$1" esptcp dump | awk -F '\t' '$1 == "conn" { print $2 }'
}

# bind_sas GATEWAY OUT-SPI PEER IN-SPI ADDRESS
bind_sas() {
	local id
	id=$(connection "$1") && ns "$1" esptcp bind conn "$id" out spi "$2" daddr "$3" &&
		ns "$1" esptcp bind conn "$id" in spi "$4" daddr "$5"
}

exchange() {
	ns ca ping -q -n -i 0.02 -c 40 -s 300 -W 2 "$clientB" > "$work/ping"
}

rekey() {
	sas_flush
	next_spis
	bind_sas ga "$spiAB" "$B" "$spiBA" "$A" && bind_sas gb "$spiBA" "$A" "$spiAB" "$B" && sas tunnel "$gcm"
}

# capture FRAMING [OPTION]: a connection as the manual page asks for. With -i,
# IKE messages go back and forth all the time.
capture() {
	background tcpdump r tcpdump -Z root --immediate-mode -U -s 0 -nni to_a -w "$work/wire.pcap" tcp
	within 10 says tcpdump 'listening on' || return
	next_spis
	carrier_b -f "$1" && carrier_a -f "$@" && within 10 says b $'\nup' && sas tunnel "$gcm" &&
		exchange && rekey && exchange
	local ok=$?
	end tcpdump TERM
	sas_flush
	carriers_end
	carriers_forget
	return $ok
}

# shows FAMILY FRAMING WANTED [OPTION]: a filter of jq that holds for both directions
shows() {
	local out side

	family "$1"
	capture "$2" "${@:4}" && out=$(esptcp capture "$work/wire.pcap" --json) || return
	for side in originator responder; do
		jq -e ".connections[0].$side | .sas == 2 and .\"esp-beside\" >= 70 and .strays == 0 and ($3)" \
			<<< "$out" > /dev/null && continue
		jq -c ".connections[0].$side" <<< "$out" | sed 's/^/# /'
		esptcp capture "$work/wire.pcap" | sed 's/^/# /'
		return 1
	done
}

# chosen SEQ ACK: these policies, and no others fit as well
chosen() {
	echo ".seq.policy == \"$1\" and .ack.policy == \"$2\" and (.seq.\"fits-as-well\" | length) == 0"
}

test_start 6
check "advancing numbers" shows 4 fortinet,name=advancing-profile,ack=advancing \
	'.seq.policy == "advancing" and .ack.policy == "advancing" and ."in-window" == "no"'
check "the default: numbers of each SA" shows 6 fortinet "$(chosen sa sa)"' and ."length-prefix" == "no" and
	.timestamps == "no" and ."in-window" == "no" and ."ike-timestamps" == "yes"' -i
check "a snapshot, a length, flags, a window" shows 4 \
	fortinet,seq=snapshot,ack=snapshot,length-prefix=1,flags=0x18,window=1234 \
	"$(chosen snapshot snapshot)"' and ."length-counts-itself" and .flags == "psh,ack" and .window.value == 1234' -i
check "the profile advancing" shows 4 fortinet,name=advancing-profile \
	".seq.policy == \"advancing\" and .ack.policy == \"snapshot\" and .\"in-window\" == \"no\"" -i
check "numbers that are given" shows 6 fortinet,seq=fixed,seq-value=1,ack=fixed,ack-value=3000000000 \
	"$(chosen fixed fixed)"' and .seq.value == 1 and .ack.value == 3000000000' -i
check "fixed numbers, time stamps" shows 4 fortinet,seq=fixed,ack=fixed,timestamps=1 \
	"$(chosen fixed fixed)"' and .timestamps == "yes"' -i
ktap_finished
