#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Many road warriors on one gateway, each with an address, an identity, a TCP
# connection and a virtual IP of its own: they come at once, rekey at once, are
# cut off at once and go. One charon plays all of them.
#
#   WARRIORS=200 ./warriors.sh    with more: in two minutes if nothing else runs
cd "$(dirname "$0")" || exit
. lib/gateways.sh

WARRIORS=${WARRIORS:-100}
swantimeout=200
examples=../../daemon/examples/road-warriors

# each FORMAT: print it for each of them, with the number instead of %d
each() {
	local i

	for ((i = 1; i <= WARRIORS; i++)); do
		printf '%s\n' "${1//%d/$i}"
	done
}

warriors() {
	gateway_conf ga udp ""
	{
		echo 'esptcp! { load = 100'
		echo 'connections {'
		each 'rw%d { transport = tcp }'
		echo '} }'
	} > "$work/ga/esptcp.conf"
	{
		echo 'connections {'
		each "rw%d {
			version = 2
			local_addrs = 192.0.2.%d
			remote_addrs = $B
			vips = 0.0.0.0
			proposals = aes128-sha256-x25519
			local {
				auth = psk
				id = rw%d.example.org
			}
			remote { auth = psk }
			children {
				net {
					remote_ts = $netB
					esp_proposals = aes128gcm16
					start_action = start
				}
			}
		}"
		echo '}'
		secret
	} > "$work/ga/swanctl.conf"
	each 'addr add 192.0.2.%d/32 dev wan' | ipn ga
	ipn r route add 192.0.2.0/24 via "$A"
}

gateway() {
	gateway_conf gb udp ""
	cp "$examples/gateway/esptcp.conf" "$work/gb/"
	{
		cat <<- END
			connections {
			    rw {
			        version = 2
			        pools = clients
			        proposals = aes128-sha256-x25519
			        local {
			            auth = psk
			            id = gb.example.org
			        }
			        remote { auth = psk }
			        children {
			            net {
			                local_ts = $netB
			                esp_proposals = aes128gcm16
			            }
			        }
			    }
			}
			pools { clients { addrs = 10.3.0.0/24 } }
		END
		secret
	} > "$work/gb/swanctl.conf"
}

secret() {
	echo 'secrets { ike { secret = correct-horse-battery-staple } }'
}

# bound NUMBER: so many SAs are bound to connections of the gateway. Who asks
# again and again takes time from the charons.
bound() {
	pause 0.3
	[ "$(esptcp_table gb bindings | awk '{ n += $1 } END { print n + 0 }')" = "$1" ]
}

# status NAME FIELD: of a gateway's charon
status() {
	awk -v field="$2:" '$1 == field { print $2 }' "/proc/${pids[$1]}/status"
}

descriptors() {
	local all=("/proc/${pids[gb]}/fd"/*)

	echo ${#all[@]}
}

# timed DESCRIPTION COMMAND...
timed() {
	local what=$1 start=$EPOCHREALTIME
	shift

	"$@" || return
	echo "# $WARRIORS road warriors, $what: $(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $start }") s"
}

come() {
	gateway_start ga && within 200 bound $((2 * WARRIORS))
}

no_more_threads() {
	echo "# with all of them: $(status gb Threads) threads, $(descriptors) descriptors, $(status gb VmRSS) KiB"
	[ "$(status gb Threads)" = "$threads" ] && [ "$(status ga Threads)" = "$threads" ]
}

traffic_start() {
	# shellcheck disable=SC2046 # addresses
	background traffic ga python3 lib/warriors.py "$clientB" 5001 $(each 10.3.0.%d)
	within 20 says traffic begun
}

# traffic_end: nothing was lost of it
traffic_end() {
	local pid=${pids[traffic]} status=0

	kill "$pid"
	wait "$pid" || status=$?
	unset "pids[traffic]"
	echo "# $(tail -1 "$work/traffic.out")"
	return $status
}

all_talk() {
	traffic_start && pause 2 && traffic_end
}

outbound() {
	ipn gb xfrm state list src "$B" | grep -o 'spi 0x[0-9a-f]*' | sort
}

# renewed OLD: all have other SAs, and nobody has old ones
renewed() {
	[ -z "$(comm -12 <(outbound) <(echo "$1"))" ] && bound $((2 * WARRIORS))
}

rekey_children() {
	local old
	old=$(outbound)

	swan gb --rekey --child net > "$work/rekey" && within 100 renewed "$old"
}

ike_spis() {
	swan gb --list-sas --raw | grep -o 'initiator-spi=[0-9a-f]*' | sort
}

rekey_ikes() {
	local old
	old=$(ike_spis)

	swan gb --rekey --ike rw > "$work/rekey" && within 100 other_ikes "$old"
}

# other_ikes OLD: as many as before, all of them new
other_ikes() {
	local new
	new=$(ike_spis)

	[ "$(wc -l <<< "$new")" = "$WARRIORS" ] && [ -z "$(comm -12 <(echo "$new") <(echo "$1"))" ]
}

# without_loss COMMAND...
without_loss() {
	traffic_start && "$@" && traffic_end
}

cut_off() {
	local old
	old=$(esptcp_table gb id | sort)

	ns gb ss -K "sport = $port" > /dev/null
	within 60 come_back "$old"
}

come_back() {
	[ -z "$(comm -12 <(esptcp_table gb id | sort) <(echo "$1"))" ] && bound $((2 * WARRIORS))
}

go() {
	swan gb --terminate --ike rw > "$work/terminate" && within 60 no_state
}

nothing_held() {
	echo "# without them: $(status gb Threads) threads, $(descriptors) descriptors, $(status gb VmRSS) KiB"
	[ "$(status gb Threads)" = "$threads" ] && [ "$(descriptors)" = "$before" ]
}

gateways_test 9
warriors
gateway
gateway_start gb || ktap_exit_fail_msg "the gateway does not start"
threads=$(status gb Threads) before=$(descriptors)
echo "# before: $threads threads, $before descriptors, $(status gb VmRSS) KiB"
check "$WARRIORS road warriors come at once" timed "until all are connected" come
check "no thread is held for them" no_more_threads
check "all have their traffic" all_talk
check "all CHILD_SAs are rekeyed at once, nothing is lost" without_loss timed "until all CHILD_SAs are new" rekey_children
check "all IKE_SAs are rekeyed at once, nothing is lost" without_loss timed "until all IKE_SAs are new" rekey_ikes
check "all are cut off at once, and come back" timed "until all are back" cut_off
check "all have their traffic again" all_talk
check "all go" timed "until all are gone" go
check "nothing of them is left, nothing but TCP was sent" eval 'nothing_held && only_tcp'
ktap_finished
