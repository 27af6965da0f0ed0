#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make demo`: a tunnel through a network that only lets TCP through, shown
# from the outside. What is on the screen comes from the commands that are
# printed above it, in some cases without what matters less.
cd "$(dirname "$0")/kselftest" || exit
# shellcheck source=kselftest/lib/gateways.sh
. lib/gateways.sh

declare -A names=([ca]="client A" [ga]="gateway A" [r]="router" [gb]="gateway B" [cb]="client B")

title() {
	printf '\n== %s\n' "$*"
}

say() {
	printf '\n(%s)\n' "$*"
}

# on NAME COMMAND...: print a command and run it there
on() {
	local name=$1
	shift
	printf '\n[%s]# %s\n' "${names[$name]}" "$*"
	case $1 in
	swanctl) inside "$name" stdbuf -oL "$@" 2>&1 ;;
	*) ns "$name" "$@" 2>&1 ;;
	esac
}

counters() {
	printf '\n[router]# nft list counters\n'
	ns r nft -j list counters | jq -r '.nftables[].counter // empty |
		"\(.name | if startswith("bare_") then "dropped, \(ltrimstr("bare_"))"
			elif . == "carriers" then "passed, TCP" else "dropped, other" end): \(.packets) packets"'
}

capture() {
	background tcpdump r \
		tcpdump -Z root --immediate-mode -U -s 0 -nni to_a -w "$work/wire.pcap" ip or ip6
	within 10 says tcpdump 'listening on'
}

iperf() {
	background iperf3 cb iperf3 --server --one-off --forceflush
	within 10 says iperf3 listening || return
	on ca iperf3 --client "$clientB" --time 4 --format m
}

lost() {
	! carries
}

carries() {
	ns ca ping -qnc 1 -W 1 "$clientB" > /dev/null
}

gave_up() {
	echo "The demonstration failed: $*"
	tail -n 20 "$work"/g?/charon.log
	exit 1
}

trap gateways_down EXIT
modprobe esptcp || gave_up "no module"
net_up || gave_up "no network"

cat << END

   client A ------ gateway A ------- router ------- gateway B ------ client B
   $netA     $A                 $B       $netB
                   strongSwan     TCP $port only    strongSwan

   Linux $(uname -r), strongSwan $(dpkg-query -W -f '${Version}' strongswan-charon), unpatched. The five are network
   namespaces. The router drops ESP, UDP and everything else but TCP $port.
END

title "UDP does not get through"
say "charon starts on both gateways"
restart udp || gave_up "charon did not start"
on ga swanctl --initiate --child net --timeout 5 | grep -v '^\[CFG\]'
counters
gateways_stop
ns r nft reset counters > /dev/null

title "Now over TCP: settings of the plugin, and no other change"
say "charon starts again on both gateways; the router's counters begin anew"
restart tcp || gave_up "charon did not start"
for gateway in ga gb; do
	printf '\n[%s]# cat esptcp.conf\n' "${names[$gateway]}"
	grep -v '= *$' "$work/$gateway/esptcp.conf" | grep '[^ ]'
done
say "Gateway B listens, and answers a peer over the transport that the peer has chosen. What its settings say of" \
	"the connection 'net' is for the case that gateway B itself initiates it."
capture || gave_up "tcpdump did not start"
on ga swanctl --initiate --child net || gave_up "the tunnel did not come up"
say "Where the machine is slow, charon repeats requests: its timers are the same as over UDP."

title "Ordinary SAs: plain ESP, without a line 'encap'"
on ga swanctl --list-sas
on ga ip xfrm state

title "The clients reach each other"
on ca ping -n -c 3 -i 0.3 "$clientB" || gave_up "no answer"
end tcpdump TERM
iperf || gave_up "iperf3"

title "What the router saw of that, up to the pings"
printf '\n[router]# selftests/decode.py wire.pcap\n'
../decode.py "$work/wire.pcap" || gave_up "the capture does not follow RFC 9329"
counters

title "What the module says"
on ga cat /proc/net/esptcp
on ga esptcp
on gb ss -tieH "sport = $port"
printf '\n[gateway A]# grep -v " 0$" /proc/net/esptcp_stat\n'
ns ga grep -v ' 0$' /proc/net/esptcp_stat

title "It fails closed: without the connection, nothing leaves"
on gb nft "add table ip gone; add chain ip gone in { type filter hook input priority 0; };" \
	"add rule ip gone in tcp dport $port reject with tcp reset"
within 10 lost || gave_up "the connection is still there"
on ca ping -n -c 2 -i 0.2 -W 1 "$clientB"
printf '\n[gateway A]# grep no-conn /proc/net/esptcp_stat\n'
ns ga grep no-conn /proc/net/esptcp_stat
counters
on gb nft delete table ip gone
within 20 carries || gave_up "the connection was not opened again"
say "The gateway that had opened the connection has opened another one. The SAs are the same."
on ca ping -n -c 2 -i 0.2 "$clientB" || gave_up "no answer"
on ga esptcp

title "Gateway A deletes the tunnel, and closes the connection that it opened"
on ga swanctl --terminate --ike net
within 8 no_state || gave_up "something was left behind"
on ga esptcp
on gb esptcp

only_tcp || gave_up "the router saw something else than TCP"
printf '\nSince TCP was set, no ESP and no UDP packet has reached the router; %s packets of TCP went through it.\n' \
	"$(routed carriers)"
