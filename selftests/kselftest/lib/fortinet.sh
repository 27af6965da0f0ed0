# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # net.sh sets them
#
# Tunnels with the fortinet framing, sourced behind net.sh: each ESP packet is
# behind a TCP header of its own, beside the stream. The router counts what is a
# segment of that kind (it has no timestamps, which all of the stream's segments
# have), what is a fragment, and what is too big.

# watch MTU: count in the router, from 0
watch() {
	ns r nft -f - <<- END
		table inet seen
		delete table inet seen
		table inet seen {
			counter segments { }
			counter fragments { }
			counter big { }
			counter full { }
			counter marked { }
			chain prerouting {
				type filter hook prerouting priority -500;
				ip frag-off & 0x3fff != 0 counter name fragments
				exthdr frag exists counter name fragments
				tcp flags & (syn | rst) == 0 tcp option timestamp missing jump segment
			}
			chain segment {
				counter name segments
				meta length > $1 counter name big
				meta length > $(($1 - 4)) counter name full
				ip dscp ef ip ecn ect1 counter name marked
				ip6 dscp ef ip6 ecn ect1 counter name marked
			}
		}
	END
}

# seen COUNTER
seen() {
	local text
	text=$(ns r nft list counter inet seen "$1") && [[ $text =~ packets\ ([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}

# What both gateways have counted until now
declare -A before
remember() {
	local key

	stats ga
	stats gb
	for key in "${!stat[@]}"; do
		before[$key]=${stat[$key]}
	done
}

# since GATEWAY.COUNTER: how much more it is
since() {
	echo $((stat[$1] - before[$1]))
}

all_arrived() {
	stats ga
	stats gb
	[ "$(since ga.tx-esp-frames)" = "$(since gb.rx-esp-frames)" ] &&
		[ "$(since gb.tx-esp-frames)" = "$(since ga.rx-esp-frames)" ]
}

# Each frame was a segment, none in pieces, none too big, none in the stream.
only_segments() {
	within 5 all_arrived &&
		[ $(($(since ga.tx-esp-frames) + $(since gb.tx-esp-frames))) = "$(seen segments)" ] &&
		[ "$(seen segments)" -gt 20 ] && [ "$(seen fragments)" = 0 ] && [ "$(seen big)" = 0 ] &&
		[ "$(since ga.rx-stream-esp)" = 0 ] && [ "$(since gb.rx-stream-esp)" = 0 ]
}

# up FRAMING MODE [ALGORITHMS [OPTION...]]: a tunnel
up() {
	local framing=$1 mode=$2
	shift 2

	next_spis
	carrier_b -f "$framing" && carrier_a -f "$framing" && within 10 says b $'\nup' &&
		sas "$mode" "${@:-$gcm}" ${replay:-}
}

down() {
	sas_flush
	carriers_end
	carriers_forget
}

# tunnelled 4|6 FRAMING MODE COMMAND...: run it while such a tunnel is up
tunnelled() {
	local v=$1 framing=$2 mode=$3 ok=1
	shift 3

	family "$v"
	watch 1500
	remember
	up "$framing" "$mode" && "$@" && ok=0
	[ $ok = 0 ] || diagnosis
	down
	return $ok
}

# Large packets first: their sender has to learn the tunnel's MTU, and TCP
# must not lose time by it.
traffic() {
	ns "$1" ping -q -n -i 0.2 -w 5 -s 1420 -c 5 "$2" > "$work/ping" || :
	within 10 ping_ok "$1" "$2" 1420 && ping_ok "$1" "$2" 56 && ping_ok "$1" "$2" 8000 &&
		ns "$1" timeout 60 helper/traffic "$2"
}

forwarded() {
	traffic ca "$clientB" && only_segments
}

local_tunnel() {
	traffic ga "$lanB" && only_segments
}
