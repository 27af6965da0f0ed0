# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2119,SC2120 # options are passed by the tests
#
# The network of the shell tests, sourced by them:
#
#   ca ---------- ga ---------- r ---------- gb ---------- cb
#   client A      gateway A     router       gateway B     client B
#   10.1.0.2  .1  198.51.100.1  .254         203.0.113.1   10.2.0.1  .2
#   fd01::2  ::1  2001:db8:1::1 ::254        2001:db8:2::1 fd02::1  ::2
#
# The router lets TCP port 4500 through and nothing else, and counts what it
# drops: what arrives at the other side has travelled in TCP. SAs and policies
# are set by hand; helper/carrier is the IKE daemon's part.
#
# Namespaces have this shell's process id in their names. Everything ends with
# the shell. Processes are dear in an emulated machine, so few are started.
set -uo pipefail
# shellcheck source=/dev/null
. helper/ktap_helpers.sh

work=$(mktemp -d)
port=4500
declare -A pids

# What runs in the network is called NAME below: ca, ga, r, gb or cb.

# ns NAME COMMAND...
ns() {
	local name=$1
	shift
	nsenter --net="/run/netns/esptcp-$$-$name" "$@"
}

# ipn NAME COMMAND..., or many commands on the standard input
ipn() {
	local name=$1
	shift
	if [ $# = 0 ]; then
		ip -n "esptcp-$$-$name" -batch -
	else
		ip -n "esptcp-$$-$name" "$@"
	fi
}

# A pause that costs no process
exec {quiet}<> <(:)
pause() {
	read -rt "$1" -u "$quiet" || :
}

# within SECONDS COMMAND...: repeat it until it succeeds
within() {
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		pause 0.05
	done
}

# background WHAT NAME COMMAND...: its output goes to $work/WHAT.out
background() {
	local what=$1 name=$2
	shift 2
	: > "$work/$what.out"
	nsenter --net="/run/netns/esptcp-$$-$name" "$@" > "$work/$what.out" 2>&1 &
	pids[$what]=$!
}

# says WHAT REGEX: what runs in the background has said that
says() {
	[[ $'\n'$(< "$work/$1.out") =~ $2 ]]
}

# has_ended WHAT: what ran in the background has
has_ended() {
	! kill -0 "${pids[$1]}" 2> /dev/null
}

# end WHAT SIGNAL: end it and wait until it has
end() {
	[ -v "pids[$1]" ] || return 0
	kill -s "$2" "${pids[$1]}" 2> /dev/null
	wait "${pids[$1]}" 2> /dev/null
	unset "pids[$1]"
}

# trace FUNCTION...: the kernel notes each call of these, and on which CPU
tracing=/sys/kernel/tracing
trace() {
	{ mountpoint -q $tracing || mount -t tracefs tracefs $tracing; } &&
		printf '%s\n' "$@" > $tracing/set_ftrace_filter &&
		echo function > $tracing/current_tracer
}

# The router's rules, and no others that a test has added; in one step. The
# counters of a table that is there go on.
router_rules() {
	ns r nft -f - <<- END
		table inet fw {
			counter bare_esp { }
			counter bare_udp { }
			counter other { }
			counter carriers { }
			chain forward {
				type filter hook forward priority 0; policy drop;
			}
		}
		flush chain inet fw forward
		table inet fw {
			chain forward {
				meta l4proto esp counter name bare_esp drop
				meta l4proto udp counter name bare_udp drop
				tcp dport $port counter name carriers accept
				tcp sport $port counter name carriers accept
				counter name other drop
			}
		}
	END
}

# routed COUNTER: packets that the router has counted
routed() {
	local text
	text=$(ns r nft list counter inet fw "$1") && [[ $text =~ packets\ ([0-9]+) ]] &&
		echo "${BASH_REMATCH[1]}"
}

# Steer each flow to one CPU, as network devices do. veth leaves packets to the
# CPU that sends, and a flow that changes CPUs loses its order.
steer_flows() {
	local name cpus

	printf -v cpus %x $(((1 << $(nproc)) - 1))
	for name in ca ga r gb cb; do
		ip netns exec "esptcp-$$-$name" sh -c \
			"for f in /sys/class/net/*/queues/rx-*/rps_cpus; do echo $cpus > \$f; done" ||
			return
	done
}

net_up() {
	local name

	# Without it no socket can be given the IPsec bypass.
	modprobe xfrm_user
	for name in ca ga r gb cb; do
		ip netns add "esptcp-$$-$name" || return
	done
	for name in ga r gb; do
		ns $name sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	done
	ipn ca <<- END
		link set lo up
		link add lan type veth peer name lan netns esptcp-$$-ga
		link set lan up
		addr add 10.1.0.2/24 dev lan
		addr add fd01::2/64 dev lan nodad
		route add default via 10.1.0.1
		route add default via fd01::1
	END
	ipn cb <<- END
		link set lo up
		link add lan type veth peer name lan netns esptcp-$$-gb
		link set lan up
		addr add 10.2.0.2/24 dev lan
		addr add fd02::2/64 dev lan nodad
		route add default via 10.2.0.1
		route add default via fd02::1
	END
	ipn r <<- END
		link set lo up
		link add to_a type veth peer name wan netns esptcp-$$-ga
		link add to_b type veth peer name wan netns esptcp-$$-gb
		link set to_a up
		link set to_b up
		addr add 198.51.100.254/24 dev to_a
		addr add 2001:db8:1::254/64 dev to_a nodad
		addr add 203.0.113.254/24 dev to_b
		addr add 2001:db8:2::254/64 dev to_b nodad
	END
	# What a gateway itself sends into the tunnel comes from its network.
	ipn ga <<- END
		link set lo up
		link set lan up
		link set wan up
		addr add 10.1.0.1/24 dev lan
		addr add fd01::1/64 dev lan nodad
		addr add 198.51.100.1/24 dev wan
		addr add 2001:db8:1::1/64 dev wan nodad
		route add default via 198.51.100.254
		route add default via 2001:db8:1::254
		route add 10.2.0.0/24 via 198.51.100.254 src 10.1.0.1
		route add fd02::/64 via 2001:db8:1::254 src fd01::1
	END
	ipn gb <<- END
		link set lo up
		link set lan up
		link set wan up
		addr add 10.2.0.1/24 dev lan
		addr add fd02::1/64 dev lan nodad
		addr add 203.0.113.1/24 dev wan
		addr add 2001:db8:2::1/64 dev wan nodad
		route add default via 203.0.113.254
		route add default via 2001:db8:2::254
		route add 10.1.0.0/24 via 203.0.113.254 src 10.2.0.1
		route add fd01::/64 via 2001:db8:2::254 src fd02::1
	END
	router_rules
	steer_flows || return
	family 4
	background echo_b cb helper/traffic serve
	background echo_gb gb helper/traffic serve
	within 10 says echo_b ready && within 10 says echo_gb ready
}

# family 4|6: which addresses the functions below use. natA is the one by which
# gateway B knows gateway A: a test with NAT changes it.
# shellcheck disable=SC2034 # by the tests, too
family() {
	case $1 in
	4)
		A=198.51.100.1 B=203.0.113.1 netA=10.1.0.0/24 netB=10.2.0.0/24
		clientA=10.1.0.2 clientB=10.2.0.2 lanA=10.1.0.1 lanB=10.2.0.1
		;;
	6)
		A=2001:db8:1::1 B=2001:db8:2::1 netA=fd01::/64 netB=fd02::/64
		clientA=fd01::2 clientB=fd02::2 lanA=fd01::1 lanB=fd02::1
		;;
	esac
	natA=$A
}

# Each pair of SAs has SPIs of its own.
spi=4096
next_spis() {
	spi=$((spi + 2))
	printf -v spiAB 0x%x "$spi"
	printf -v spiBA 0x%x $((spi + 1))
}

# carriers_up [OPTION...]: connect gateway A to gateway B, bind the SAs
carriers_up() {
	carrier_b "$@" && carrier_a "$@" && within 10 says b $'\nup'
}

# carrier_b and carrier_a [OPTION...]: the two sides, in this order
carrier_b() {
	background b gb helper/carrier -b "out:$spiBA:$natA" -b "in:$spiAB:$B" "$@" \
		listen "$B" $port
	within 10 says b $'\nlistening'
}

carrier_a() {
	background a ga helper/carrier -b "out:$spiAB:$B" -b "in:$spiBA:$A" "$@" \
		connect "$B" $port
	within 10 says a $'\nup'
}

carriers_end() {
	end a TERM
	end b TERM
}

# carriers_forget: let the SAs go, too, that the carriers had bound
carriers_forget() {
	ns ga helper/carrier unbind
	ns gb helper/carrier unbind
}

hmac="auth-trunc hmac(sha256) 0x$(printf '%064d' 1234567890) 128"
# shellcheck disable=SC2034 # by the tests
{
	gcm="aead rfc4106(gcm(aes)) 0x$(printf '%040d' 1234567890) 128"
	null="$hmac enc cipher_null \"\""
	cbc="$hmac enc cbc(aes) 0x$(printf '%064d' 987654321)"
}

# sas tunnel|transport ALGORITHMS [OPTION...]: SAs and policies on both sides
sas() {
	local mode=$1 algorithms=$2
	shift 2
	local sa="proto esp reqid 1 mode $mode $* $algorithms"
	local tmpl="proto esp reqid 1 mode $mode"
	local a=$netA b=$netB

	if [ "$mode" = transport ]; then
		a=$A b=$B
	fi
	ipn ga <<- END && ipn gb <<- END
		xfrm state add src $A dst $B spi $spiAB $sa
		xfrm state add src $B dst $A spi $spiBA $sa
		xfrm policy add src $a dst $b dir out tmpl src $A dst $B $tmpl
		xfrm policy add src $b dst $a dir in tmpl src $B dst $A $tmpl
		xfrm policy add src $b dst $a dir fwd tmpl src $B dst $A $tmpl
	END
		xfrm state add src $natA dst $B spi $spiAB $sa
		xfrm state add src $B dst $natA spi $spiBA $sa
		xfrm policy add src $b dst $a dir out tmpl src $B dst $natA $tmpl
		xfrm policy add src $a dst $b dir in tmpl src $natA dst $B $tmpl
		xfrm policy add src $a dst $b dir fwd tmpl src $natA dst $B $tmpl
	END
}

sas_flush() {
	local name

	for name in ga gb; do
		ipn $name <<- END
			xfrm policy flush
			xfrm state flush
		END
	done
}

# stats NAME: read the counters of a gateway into the array stat
declare -A stat
stats() {
	local counter value

	while read -r counter value; do
		stat[$1.$counter]=$value
	done < <(ns "$1" cat /proc/net/esptcp_stat)
}

# counted NAME COUNTER: its value
counted() {
	stats "$1"
	echo "${stat[$1.$2]}"
}

# pings_came_back [WAITING]: what -i and -e of carrier A told when it ended. All
# that it sent came back, but what it still waited for.
pings_came_back() {
	[[ $(< "$work/a.out") =~ pings\ ([0-9]+)\ ([0-9]+) ]] &&
		[ "${BASH_REMATCH[1]}" -ge 10 ] &&
		[ "${BASH_REMATCH[2]}" -ge $((BASH_REMATCH[1] - ${1-1})) ]
}

# exceeds NAME COUNTER VALUE
exceeds() {
	stats "$1"
	[ "${stat[$1.$2]}" -gt "$3" ]
}

# sums_agree esp|ike...: what one side says it sent, the other says it received
sums_agree() {
	local kind what

	stats ga
	stats gb
	for kind; do
		for what in "$kind-frames" "$kind-bytes"; do
			[ "${stat[ga.tx-$what]}" = "${stat[gb.rx-$what]}" ] &&
				[ "${stat[gb.tx-$what]}" = "${stat[ga.rx-$what]}" ] || return
		done
	done
}

# no_drops: neither gateway had dropped anything when stats was called last,
# without an ICMP error to the sender
no_drops() {
	local counter

	[ "${#stat[@]}" -gt 0 ] || return
	for counter in "${!stat[@]}"; do
		[[ $counter != *-drop-* || $counter = *-inner-mtu || ${stat[$counter]} = 0 ]] || return
	done
}

# More than TCP 4500 was never seen between the gateways.
only_tcp() {
	[ "$(routed bare_esp)" = 0 ] && [ "$(routed bare_udp)" = 0 ] &&
		[ "$(routed other)" = 0 ]
}

# ping_ok NAME ADDRESS SIZE
ping_ok() {
	ns "$1" ping -q -n -i 0.1 -w 5 -s "$3" -c 3 "$2" > "$work/ping"
}

# no_ping NAME ADDRESS: some are sent, no answer comes
no_ping() {
	! ns "$1" ping -q -n -i 0.1 -W 1 -c 5 "$2" > "$work/ping"
}

# ping_some NAME ADDRESS: some are sent, whatever comes of them
ping_some() {
	ns "$1" ping -q -n -i 0.05 -W 0.2 -c 5 "$2" > "$work/ping" || :
}

# ping_flood NAME ADDRESS SECONDS: as much as there is room for
ping_flood() {
	ns "$1" ping -q -n -f -w "$3" -s 1300 "$2" > "$work/ping" || :
}

# check DESCRIPTION COMMAND...
check() {
	local description=$1
	shift

	if "$@"; then
		ktap_test_pass "$description"
		return
	fi
	diagnosis
	ktap_test_fail "$description"
}

diagnosis() {
	local name file line

	for name in ga gb; do
		[ -e "/run/netns/esptcp-$$-$name" ] || continue
		for file in esptcp_stat xfrm_stat; do
			# shellcheck disable=SC2016 # awk expands these
			ns $name awk -v name=$name '$2 > 0 { printf "# %s: %s %s\n", name, $1, $2 }' /proc/net/$file
		done
	done
	for name in a b; do
		[ -e "$work/$name.out" ] || continue
		while read -r line; do
			echo "# carrier $name: $line"
		done < "$work/$name.out"
	done
	[ -e "/run/netns/esptcp-$$-r" ] &&
		echo "# router: esp $(routed bare_esp) udp $(routed bare_udp) other $(routed other)"
}

# A test may have removed some of the network itself.
net_down() {
	local name

	for name in "${!pids[@]}"; do
		kill "${pids[$name]}" 2> /dev/null
	done
	wait
	for name in ca ga r gb cb; do
		[ ! -e "/run/netns/esptcp-$$-$name" ] || ip netns del "esptcp-$$-$name"
	done
	rm -rf "$work"
}

# test_start TESTS: the head of every test
test_start() {
	ktap_print_header
	if ! modprobe esptcp; then
		ktap_skip_all "the module esptcp is not installed"
		exit "$KSFT_SKIP"
	fi
	ktap_set_plan "$1"
	trap net_down EXIT
	net_up || ktap_exit_fail_msg "the network cannot be made"
}
