#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The fortinet framing and what may be on its way: NAT, firewalls that check
# sequence numbers, loss, another order. The router does what they do. IKE goes
# on in each case: the carrier on gateway A counts what came back.
#
# kmod/README.md has the table of what is found here.
cd "$(dirname "$0")" || exit
. ./net.sh

# What a chain in the router's way does
# shellcheck disable=SC2016 # no expansion is meant
{
	# a stateful firewall as it should be
	strict='ct state invalid counter name refused drop'

	# one that takes a sequence number, seen a second ago, for a replay
	replay='tcp flags & (syn | fin | rst) != 0 accept
		meta length < 100 accept
		ip saddr . tcp dport . tcp sequence @seen counter name refused drop
		add @seen { ip saddr . tcp dport . tcp sequence }'

	# what is a segment
	segment='tcp flags & (syn | rst) == 0 tcp option timestamp missing'
}

# box RULES [nat]: put it into the router's way
box() {
	local nat=

	[ $# = 1 ] || nat='oifname "to_b" masquerade'
	ns r nft -f - <<- END
		table inet path
		delete table inet path
		table inet path {
			counter refused { }
			set seen {
				typeof ip saddr . tcp dport . tcp sequence
				size 65535
				timeout 1s
				flags dynamic,timeout
			}
			chain forward {
				type filter hook forward priority -10;
				$1
			}
			chain postrouting {
				type nat hook postrouting priority 100;
				$nat
			}
		}
	END
}

# liberal 0|1: whether connection tracking puts up with any sequence number
liberal() {
	ns r sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal="$1"
}

# refused: how many packets the box has dropped
refused() {
	[[ $(ns r nft list counter inet path refused) =~ packets\ ([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}

# through PROFILE COMMAND...: while a tunnel is up and IKE goes to and fro
ike=(-i)
waiting=1
through() {
	local profile=$1 ok=1
	shift

	next_spis
	if carrier_b -f "$profile" && carrier_a "${ike[@]}" -f "$profile" &&
		within 10 says b $'\nup' && sas tunnel "$gcm"; then
		"$@" && ok=0
	fi
	[ $ok = 0 ] || diagnosis
	sas_flush
	end a TERM
	end b TERM
	carriers_forget
	[ $ok = 0 ] && pings_came_back "$waiting"
}

# flood COUNT: as fast as they come back; the percentage that does
flood() {
	ns ca ping -q -n -f -W 5 -c "$1" -s 1000 "$clientB" > "$work/ping"
	[[ $(< "$work/ping") =~ \ ([0-9]+)\ received ]] && percent=$((BASH_REMATCH[1] * 100 / $1)) &&
		echo "# $percent % of $1 came back"
}

tcp() {
	ns ca timeout 60 helper/traffic -t "$clientB"
}

all_pass() {
	flood 300 && [ "$percent" -ge 99 ] && tcp && [ "$(refused)" = 0 ]
}

# As many in a second as half a window holds
slow_pass() {
	ns ca ping -q -n -i 0.05 -c 20 -s 400 -W 2 "$clientB" > "$work/ping"
	[[ $(< "$work/ping") =~ \ 20\ received ]] && [ "$(refused)" = 0 ]
}

# twenty_in_a_second: how many of them come back
twenty_in_a_second() {
	ns ca ping -q -n -i 0.05 -c 20 -s 400 -W 1 "$clientB" > "$work/ping"
	[[ $(< "$work/ping") =~ \ ([0-9]+)\ received ]] && received=${BASH_REMATCH[1]} &&
		echo "# $received of 20 came back, beside 20 IKE messages"
}

# The first of each second
few_pass() {
	twenty_in_a_second && [ "$received" -ge 1 ] && [ "$received" -lt 10 ] && [ "$(refused)" -ge 10 ]
}

# One for each IKE message
half_pass() {
	twenty_in_a_second && [ "$received" -ge 5 ] && [ "$(refused)" -ge 1 ]
}

# Many times half a window within a second, of 64 KiB: few numbers come again.
fast_pass() {
	slow_pass && ns ca ping -q -n -i 0.002 -c 300 -s 1200 -W 1 "$clientB" > "$work/ping"
	[[ $(< "$work/ping") =~ \ ([0-9]+)\ received ]] && echo "# ${BASH_REMATCH[1]} of 300 came back" &&
		[ "${BASH_REMATCH[1]}" -ge 250 ]
}

# More than a window of it, which is 64 KiB here
much_ike() {
	local before

	before=$(counted ga tx-ike-bytes)
	within 60 exceeds ga tx-ike-bytes $((before + 200000))
}

# windows LARGEST: of the gateways' TCP, half of this memory
windows() {
	ns ga sysctl -qw net.ipv4.tcp_rmem="4096 131072 $1" &&
		ns gb sysctl -qw net.ipv4.tcp_rmem="4096 131072 $1"
}

# Numbers that are taken once are old then, which is not wrong.
pass_when_old() {
	much_ike && ping_ok ca "$clientB" 56 && [ "$(refused)" = 0 ]
}

# age PROFILE COMMAND...
age() {
	local ike=(-e 1)

	small_windows "$strict" "$@"
}

# small_windows RULES PROFILE COMMAND...
small_windows() {
	windows 131072 && firewall "$@"
	local ok=$?
	windows 6291456
	return $ok
}

# spoil: the router gives segments numbers that lie above any window, by a
# quarter of all numbers or more
spoil() {
	ns r nft -f - <<- END
		table inet path {
			chain spoil {
				type filter hook prerouting priority -250;
				tcp sequence 0-0x3fffffff $segment tcp sequence set 0x60000000 accept
				tcp sequence 0x40000000-0x7fffffff $segment tcp sequence set 0xa0000000 accept
				tcp sequence 0x80000000-0xbfffffff $segment tcp sequence set 0xe0000000 accept
				tcp sequence 0xc0000000-0xffffffff $segment tcp sequence set 0x20000000 accept
			}
		}
	END
}

spoilt_are_dropped() {
	spoil && no_ping ca "$clientB" && [ "$(refused)" -ge 5 ] && pause 0.5
}

spoilt_pass() {
	spoil && ping_ok ca "$clientB" 56 && [ "$(refused)" = 0 ] && pause 0.5
}

# link OPTION...: what the link does to packets, both ways
link() {
	ns r tc qdisc replace dev to_a root netem "$@" && ns r tc qdisc replace dev to_b root netem "$@"
}

# bad_link LEAST MOST OPTION...: how many percent of pings come back
bad_link() {
	local least=$1 most=$2 waiting=40 ok=1
	shift 2

	link "$@"
	through fortinet lossy "$least" "$most" && ok=0
	ns r tc qdisc del dev to_a root
	ns r tc qdisc del dev to_b root
	return $ok
}

lossy() {
	flood 300 && [ "$percent" -ge "$1" ] && [ "$percent" -le "$2" ] && tcp
}

# nat PROFILE: with a firewall
nat() {
	natA=203.0.113.254
	box "$strict" nat && through "$1" translated
	local ok=$?
	natA=$A
	return $ok
}

translated() {
	[[ $(ns gb cat /proc/net/esptcp) =~ \ $natA: ]] && all_pass
}

# The gateways' own firewalls: early rules see segments, connection tracking and
# what comes later do not.
own_firewall() {
	local name early late

	for name in ga gb; do
		ns $name nft -f - <<- END || return
			table inet own {
				counter early { }
				counter late { }
				chain early {
					type filter hook prerouting priority raw;
					$segment counter name early
				}
				chain late {
					type filter hook prerouting priority -150;
					ct state invalid drop
					$segment counter name late
				}
				chain out {
					type filter hook output priority 0;
					ct state invalid drop
				}
				chain postrouting {
					type nat hook postrouting priority 100;
					meta l4proto tcp masquerade
				}
			}
		END
	done
	flood 100 && [ "$percent" -ge 99 ] || return
	for name in ga gb; do
		early=$(ns $name nft list counter inet own early)
		late=$(ns $name nft list counter inet own late)
		ns $name nft delete table inet own
		[[ $early =~ packets\ [1-9][0-9] && $late =~ packets\ 0 ]] || return
	done
}

# Where the device makes no checksums, the gateway does. The router's connection
# tracking looks at them.
checksums() {
	local name ok=1

	for name in ga gb; do
		ns $name ethtool -K wan tx off > "$work/ethtool"
	done
	family "$1" && box "$strict" && through fortinet all_pass && ok=0
	for name in ga gb; do
		ns $name ethtool -K wan tx on > "$work/ethtool"
	done
	family 4
	return $ok
}

# firewall RULES PROFILE COMMAND...
firewall() {
	local rules=$1
	shift

	box "$rules" && through "$@"
}

test_start 24
modprobe -a nf_conntrack sch_netem
advancing=fortinet,name=advancing-profile
snapshot=fortinet,seq=snapshot,ack=snapshot
fixed=fortinet,seq=fixed,ack=fixed

liberal 0
check "NAT and a strict firewall: fortios" nat fortinet
check "NAT and a strict firewall: fixed" nat $fixed
check "NAT and a strict firewall: snapshot" nat $snapshot
check "NAT and a strict firewall: advancing" nat $advancing
check "a strict firewall: wrong numbers are dropped" firewall "$strict" fortinet spoilt_are_dropped
check "a strict firewall, much IKE: fortios" age fortinet pass_when_old
check "a strict firewall, much IKE: fixed" age $fixed pass_when_old
check "a strict firewall, much IKE: snapshot" age $snapshot pass_when_old
check "a strict firewall, much IKE: advancing" age $advancing pass_when_old
check "a strict firewall: checksums of IPv4" checksums 4
check "a strict firewall: checksums of IPv6" checksums 6
liberal 1
check "NAT and a liberal firewall: fortios" nat fortinet
check "NAT and a liberal firewall: fixed" nat $fixed
check "NAT and a liberal firewall: snapshot" nat $snapshot
check "NAT and a liberal firewall: advancing" nat $advancing
check "a liberal firewall: wrong numbers pass" firewall "$strict" fortinet spoilt_pass
check "replay is dropped: fortios" firewall "$replay" fortinet few_pass
check "replay is dropped: fixed" firewall "$replay" $fixed few_pass
check "replay is dropped: snapshot" firewall "$replay" $snapshot half_pass
check "replay is dropped: advancing" small_windows "$replay" $advancing fast_pass
ns r nft delete table inet path
check "the gateways' own firewalls" through fortinet own_firewall
check "2 % are lost, each way" bad_link 90 99 loss 2%
check "packets in another order" bad_link 99 100 delay 10ms reorder 25% 50%
check "nothing but TCP was on the way" only_tcp
ktap_finished
