#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Connections break and come back while SAs live on: no ESP leaves bare, and
# traffic goes on with the next connection. Then the network itself goes, and
# the module after it.
cd "$(dirname "$0")" || exit
. ./net.sh

# tunnel_up [OPTION...]: of the carriers
tunnel_up() {
	next_spis
	carriers_up "$@" && sas tunnel "$gcm" && ping_ok ca "$clientB" 56
}

tunnel_down() {
	sas_flush
	carriers_end
	carriers_forget
}

# connection_of a|b: its number
connection_of() {
	[[ $(< "$work/$1.out") =~ up\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# sequence NAME: the sequence number of the gateway's outbound SA
sequence() {
	[[ $(ipn ga -s xfrm state get src "$A" dst "$B" proto esp spi "$spiAB") =~ oseq\ 0x([0-9a-f]+) ]] &&
		echo $((16#${BASH_REMATCH[1]}))
}

killed_owner() {
	local sent ok=1

	tunnel_up && end a KILL && no_ping ca "$clientB" &&
		within 5 exceeds ga tx-drop-no-conn 4 && only_tcp && ok=0
	# The SAs stay as they are. A new connection is all they need.
	sent=$(sequence)
	end b TERM
	[ $ok = 0 ] && carriers_up && ping_ok ca "$clientB" 56 &&
		[ "$(sequence)" -gt "$sent" ]
	ok=$?
	tunnel_down
	return $ok
}

# replaced FROM TO: under load, a connection takes over while the one before
# still lives. The framings may differ.
replaced() {
	local from to sent ok=1

	read -ra from <<< "$1"
	read -ra to <<< "$2"
	tunnel_up "${from[@]}" || return
	sent=$(sequence)
	background flood ca ping -q -n -f -s 1200 "$clientB"
	background back cb ping -q -n -f -s 300 "$clientA"
	pids[old_a]=${pids[a]} pids[old_b]=${pids[b]}
	if carrier_b "${to[@]}" -r "$(connection_of b)" &&
		carrier_a "${to[@]}" -r "$(connection_of a)" && within 10 says b $'\nup'; then
		end old_a KILL
		end old_b KILL
		ping_ok ca "$clientB" 56 && [ "$(sequence)" -gt "$sent" ] && only_tcp
		ok=$?
	fi
	end flood KILL
	end back KILL
	tunnel_down
	return $ok
}

# breaks ROUNDS [OPTION...]: connections end in all ways at any moment, under a
# load that never ends
breaks() {
	local round rounds=$1 signals=(TERM KILL USR1) ok=0
	shift

	tunnel_up "$@" || return
	background flood ca ping -q -n -f -s 1200 "$clientB"
	background back cb ping -q -n -f -s 300 "$clientA"
	for ((round = 0; round < rounds && ok == 0; round++)); do
		pause "0.$((RANDOM % 4))$((RANDOM % 10))"
		if ((round % 2)); then
			end a "${signals[RANDOM % 3]}"
			end b "${signals[RANDOM % 3]}"
		else
			end b "${signals[RANDOM % 3]}"
			end a "${signals[RANDOM % 3]}"
		fi
		carriers_up "$@" || ok=1
	done
	end flood KILL
	end back KILL
	[ $ok = 0 ] && ping_ok ca "$clientB" 56 && only_tcp && [ "$(sequence)" -gt 100 ]
	ok=$?
	tunnel_down
	return $ok
}

# What nobody has bound is none of the module's business.
unbound_is_bare() {
	local ok=1

	tunnel_up && ns ga helper/carrier unbind && no_ping ca "$clientB" &&
		[ "$(routed bare_esp)" -gt 0 ] && ok=0
	tunnel_down
	return $ok
}

module_stays() {
	local ok=1

	if tunnel_up && ! rmmod esptcp 2> "$work/rmmod"; then
		end a KILL
		end b KILL
		! rmmod esptcp 2> "$work/rmmod" && no_ping ca "$clientB" && only_tcp && ok=0
	fi
	tunnel_down
	return $ok
}

# All namespaces go at once, with everything in them running: a tunnel of each
# framing.
networks_go() {
	local name

	tunnel_up || return
	pids[old_a]=${pids[a]} pids[old_b]=${pids[b]}
	family 6
	tunnel_up -f fortinet || return
	background flood6 ca ping -q -n -f -s 1200 "$clientB"
	background back6 cb ping -q -n -f -s 300 "$clientA"
	family 4
	background flood ca ping -q -n -f -s 1200 "$clientB"
	background back cb ping -q -n -f -s 300 "$clientA"
	pause 0.5
	# A closed socket keeps its namespace until TCP gives its peer up.
	ns ga sysctl -qw net.ipv4.tcp_orphan_retries=1
	ns gb sysctl -qw net.ipv4.tcp_orphan_retries=1
	for name in ca ga r gb cb; do
		ip netns del "esptcp-$$-$name"
	done
	for name in "${!pids[@]}"; do
		end "$name" KILL
	done
	within 90 unused
}

unused() {
	[ "$(< /sys/module/esptcp/refcnt)" = 0 ]
}

test_start 10
check "a killed owner: ESP is dropped and counted, and resumes" killed_owner
check "a connection is replaced without loss of its SAs" replaced "" ""
check "the framing is changed to fortinet" replaced "" "-f fortinet"
check "the framing is changed to rfc9329" replaced "-f fortinet" ""
check "connections break at any moment under load" breaks 12
check "connections break at any moment under load, fortinet" breaks 20 -f fortinet
check "the module stays while an SA is bound" module_stays
check "an SA that is not bound leaves as plain ESP" unbound_is_bare
check "all namespaces are removed under load" networks_go
check "the module can be removed then" rmmod esptcp
ktap_finished
