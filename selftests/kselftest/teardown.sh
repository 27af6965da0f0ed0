#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Nothing leaves bare, whatever goes: SAs, bindings, the module or the network
# namespace, while packets are with a cipher that answers late, and under a flood.
cd "$(dirname "$0")" || exit
. ./net.sh

# delay MILLISECONDS: of the cipher
delay() {
	echo "$1" > /sys/module/late/parameters/delay_ms
}

# slow_tunnel MILLISECONDS 4|6 [OPTION...]: packets of gateway A are with the
# cipher for so long
slow_tunnel() {
	late=$1
	family "$2"
	shift 2
	next_spis
	before=$(routed bare_esp)
	delay 0
	carriers_up "$@" && sas tunnel "$gcm" || return
	delay "$late"
	# one of a TCP flow, of which there are large packets
	background flow ca timeout 60 helper/traffic -t "$clientB"
	background pings ca ping -q -n -i 0.02 -s 500 "$clientB"
	pause 2
}

# nothing_bare: neither then, nor when the cipher has answered
nothing_bare() {
	pause "$((late / 1000 + 1)).5"
	end flow KILL
	end pings KILL
	[ "$(routed bare_esp)" = "$before" ]
}

sas_go() {
	local dropped ok=1

	dropped=$(counted ga tx-drop-unbound)
	slow_tunnel 3000 "$@" && sas_flush && carriers_forget && nothing_bare &&
		exceeds ga tx-drop-unbound "$dropped" && ok=0
	carriers_end
	return $ok
}

module_goes() {
	slow_tunnel 1500 "$@" && sas_flush && carriers_end && carriers_forget &&
		within 10 rmmod esptcp 2> /dev/null && nothing_bare
	local ok=$?
	modprobe esptcp && return $ok
}

# The flood below crosses three namespaces: source, gateway, sink.
small() {
	echo "esptcp-$$-$1"
}

sink_up() {
	ip netns add "$(small source)" && ip netns add "$(small sink)" || return
	ip -n "$(small sink)" link set lo up
	ip netns exec "$(small sink)" nft -f - <<- END
		table inet seen {
			chain input {
				type filter hook prerouting priority -300;
				meta l4proto esp counter
				meta l4proto udp counter
			}
		}
	END
	background flood source python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(bytes(500), ("10.12.0.1", 9))
    except OSError:
        time.sleep(0.01)
'
}

gateway_up() {
	ip netns add "$(small gateway)" || return
	ip -n "$(small source)" -batch - <<- END
		link add lan type veth peer name lan netns $(small gateway)
		link set lan up
		addr add 10.11.0.2/24 dev lan
		route add default via 10.11.0.1
	END
	ip -n "$(small sink)" -batch - <<- END
		link add wan type veth peer name wan netns $(small gateway)
		link set wan up
		addr add 192.0.2.2/24 dev wan
	END
	ip -n "$(small gateway)" -batch - <<- END
		link set lan up
		link set wan up
		addr add 10.11.0.1/24 dev lan
		addr add 192.0.2.1/24 dev wan
		route add 10.12.0.0/24 via 192.0.2.2
		xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x9999 reqid 1 mode tunnel $gcm
		xfrm policy add src 10.11.0.0/24 dst 10.12.0.0/24 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
	END
	ip netns exec "$(small gateway)" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.tcp_orphan_retries=1
	background far sink helper/carrier listen 192.0.2.2 $port
	within 10 says far $'\nlistening'
	background near gateway helper/carrier -b out:0x9999:192.0.2.2 connect 192.0.2.2 $port
	within 10 says near $'\nup' && within 10 exceeds gateway tx-esp-frames 20
}

# dead|killed|alive: gateway_down, with the owner of its connection
dead() {
	end near KILL
	within 10 exceeds gateway tx-drop-no-conn 20 && ip netns del "$(small gateway)"
}

killed() {
	ip netns del "$(small gateway)"
	end near KILL
}

# It keeps the namespace until it ends by itself.
alive() {
	ip netns del "$(small gateway)"
	pause 0.3
	end near TERM
}

# Packets that the sink has seen, which should not be there
bare() {
	ip netns exec "$(small sink)" nft list table inet seen | awk '/packets/ { n += $5 } END { print n + 0 }'
}

# rounds N dead|killed|alive
rounds() {
	local i ok=0

	for ((i = 0; i < $1 && ok == 0; i++)); do
		gateway_up || ok=1
		"$2" || ok=1
		within 20 gone || ok=1
		end far KILL
	done
	ktap_print_msg "$i times, $(bare) bare packets"
	[ $ok = 0 ] && [ "$(bare)" = 0 ]
}

# The other end of a link goes with it.
gone() {
	! ip -n "$(small sink)" link show dev wan > /dev/null 2>&1
}

sink_down() {
	end flood KILL
	ip netns del "$(small source)"
	ip netns del "$(small sink)"
}

namespace_goes_late() {
	slow_tunnel 3000 "$@" || return
	ns ga sysctl -qw net.ipv4.tcp_orphan_retries=1
	end a KILL
	ip netns del "esptcp-$$-ga"
	nothing_bare
}

test_start 9
# In an emulated machine packets may wait for long. That is tested elsewhere.
echo 10000 > /sys/module/esptcp/parameters/tx_target_ms

sink_up || ktap_exit_fail_msg "the flood's network cannot be made"
check "namespaces under a flood, owners dead" rounds 8 dead
check "namespaces under a flood, owners killed just then" rounds 8 killed
check "namespaces under a flood, owners alive" rounds 4 alive
sink_down
insmod helper/late.ko || ktap_exit_fail_msg "late.ko cannot be loaded"
check "a late cipher, SAs go, IPv4" sas_go 4
check "a late cipher, SAs go, IPv6" sas_go 6
check "a late cipher, the module goes, IPv4" module_goes 4
check "a late cipher, the module goes, IPv6" module_goes 6
check "a late cipher, the fortinet framing, SAs go" sas_go 4 -f fortinet
check "a late cipher, the namespace goes" namespace_goes_late 4
ktap_finished
