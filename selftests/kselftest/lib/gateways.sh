# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# strongSwan on the two gateways of net.sh, which this sources. Each charon has
# a mount namespace of its own, with a private /run for what charon puts there
# under a fixed name, and reads its settings from $work/ga or $work/gb, where its
# log is, too.
#
#   gateways_test 1
#   restart
#   check "initiates" swan ga --initiate --child net
#
# shellcheck source=../net.sh
. ./net.sh

charon=/usr/lib/ipsec/charon

# What a tunnel with a pre-shared key needs. Debian's other plugins would take
# an emulated machine a minute to start.
plugins=(socket-default kernel-netlink vici openssl random nonce kdf)

# gateway_conf NAME TRANSPORT PORTS: settings of a gateway, for the addresses of
# the current family. TRANSPORT is its own as initiator. $pluginopts is added to
# the plugin's and $tunnelopts to those of the connection there, $connopts to the
# connection's and $childopts to the CHILD_SA's, $charonopts to charon's.
# $localauth and $remoteauth replace "psk". With TCP alone, charon does
# not start without the plugin.
gateway_conf() {
	local name=$1 transport=$2 ports=$3
	local dir=$work/$name me=$A peer=$B mynet=$netA peernet=$netB
	local includes=("${plugins[@]/#/include /etc/strongswan.d/charon/}") section=esptcp

	[ "$transport" != tcp ] || section=esptcp!
	[ "$name" = ga ] || { me=$B peer=$A mynet=$netB peernet=$netA; }
	mkdir -p "$dir"
	cat > "$dir/strongswan.conf" <<- END
		charon {
		    load_modular = yes
		    ${charonopts:-}
		    plugins {
		        $(printf '%s.conf\n' "${includes[@]}")
		        include $dir/esptcp.conf
		    }
		    filelog {
		        log {
		            path = /run/charon.log
		            time_format = %H:%M:%S
		            flush_line = yes
		        }
		    }
		}
		swanctl {
		    load = ${swanctl_plugins:-openssl random nonce}
		}
	END
	cat > "$dir/esptcp.conf" <<- END
		$section {
		    load = 100
		    ports = $ports
		    connections {
		        net {
		            transport = $transport
		            tcp_port = $port
		            ${tunnelopts:-}
		        }
		    }
		    ${pluginopts:-}
		}
	END
	cat > "$dir/swanctl.conf" <<- END
		connections {
		    net {
		        version = 2
		        local_addrs = ${localaddrs:-$me}
		        remote_addrs = $peer, %any
		        proposals = aes128-sha256-x25519
		        ${connopts:-}
		        local {
		            auth = ${localauth:-psk}
		            id = $name.example.org
		        }
		        remote {
		            auth = ${remoteauth:-psk}
		        }
		        children {
		            net {
		                local_ts = $mynet
		                remote_ts = $peernet
		                esp_proposals = aes128gcm16
		                ${childopts:-}
		            }
		        }
		    }
		}
		secrets {
		    ike {
		        secret = correct-horse-battery-staple
		    }
		}
	END
}

# gateway_launch NAME: start charon; gateway_load waits for it
gateway_launch() {
	local name=$1 dir=$work/$1

	: > "$dir/charon.log"
	background "$name" "$name" unshare --mount bash -c "mount -t tmpfs tmpfs /run
		touch /run/charon.log
		mount --bind $dir/charon.log /run/charon.log
		STRONGSWAN_CONF=$dir/strongswan.conf exec $charon"
}

# gateway_load NAME: when charon runs, let it have its connections
gateway_load() {
	local name=$1 dir=$work/$1

	within 30 log_has "$name" 'spawning .* worker threads' &&
		within 10 swan "$name" --stats > /dev/null &&
		swan "$name" --load-all --file "$dir/swanctl.conf" > "$dir/load" && return
	cat "$work/$name.out" "$dir"/load "$dir/charon.log"
	return 1
}

# gateway_start NAME
gateway_start() {
	gateway_launch "$1" && gateway_load "$1"
}

# pings_start: from client to client, ten a second
pings_start() {
	background pinger ca ping -n -D -i 0.1 "$clientB"
	within 15 says pinger icmp_seq=
}

# pings_go_on: more answers come
pings_go_on() {
	local before

	before=$(grep -c icmp_seq= "$work/pinger.out")
	within "$1" answers_exceed $((before + 5))
}

answers_exceed() {
	[ "$(grep -c icmp_seq= "$work/pinger.out")" -gt "$1" ]
}

# pings_gap: end them, and tell the longest time between two answers
pings_gap() {
	end pinger INT
	awk -F '[][]' '/icmp_seq=/ { if (last && $2 - last > gap) gap = $2 - last; last = $2 }
		END { printf "%.1f\n", gap }' "$work/pinger.out"
}

# gateway_stop NAME: as an operator would, waiting for its end
gateway_stop() {
	end "$1" TERM
}

# Both at the same time, as each takes seconds
gateways_start() {
	gateway_launch gb && gateway_launch ga && gateway_load gb && gateway_load ga
}

gateways_stop() {
	local name

	for name in ga gb; do
		[ ! -v "pids[$name]" ] || kill "${pids[$name]}" 2> /dev/null
	done
	gateway_stop ga
	gateway_stop gb
}

# What charon said is kept for a post-mortem.
gateways_down() {
	local name

	gateways_stop
	for name in ga gb; do
		[ ! -d "${ESPTCP_LOGS:-}" ] || cat "$work/$name/charon.log" > "$ESPTCP_LOGS/$name.log"
	done
	net_down
}

# gateways_test TESTS: the head of every test with gateways
gateways_test() {
	test_start "$1"
	trap gateways_down EXIT
	mkdir -p "$work"/{ga,gb}
	touch "$work"/{ga,gb}/charon.log
	# The kernel's first use of an algorithm takes long on a busy machine, and
	# charon's peer would not wait for it.
	next_spis
	sas tunnel "$gcm"
	sas_flush
}

# inside NAME COMMAND...: run in all namespaces of a gateway's charon
inside() {
	local name=$1
	shift
	[ ! -d "$work/$name/x509ca" ] || local -x SWANCTL_DIR=$work/$name
	STRONGSWAN_CONF=$work/$name/strongswan.conf nsenter -t "${pids[$name]}" --mount --net "$@"
}

# swan NAME ARGUMENT...: swanctl, which prints what charon logs meanwhile
swan() {
	local name=$1
	shift
	inside "$name" timeout "${swantimeout:-60}" swanctl "$@" 2>&1
}

# log_has NAME PATTERN
log_has() {
	grep -q -- "$2" "$work/$1/charon.log" 2> /dev/null
}

# establish: bring the tunnel up from gateway A
establish() {
	swan ga --initiate --child net > "$work/initiate" && return
	sed 's/^/# /' "$work/initiate"
	return 1
}

# esptcp_table NAME COLUMN...: of the connections in /proc/net/esptcp, see the
# names of the columns there
esptcp_table() {
	local name=$1
	shift
	ns "$name" awk -v names="$*" '
		BEGIN { n = split(names, wanted, " ") }
		NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
		{ for (i = 1; i <= n; i++) printf "%s%s", $column[wanted[i]], i < n ? " " : "\n" }
	' /proc/net/esptcp
}

# source_port: of the connection, as gateway A has it
source_port() {
	esptcp_table ga local | sed 's/.*://'
}

# other_connection ID: gateway A has one, which is not the one that it had
other_connection() {
	[ "$(esptcp_table ga id)" ] && [ "$(esptcp_table ga id)" != "$1" ]
}

# reset_by NAME sport|dport: a gateway resets the connection
reset_by() {
	ns "$1" ss -K "$2 = $port" > /dev/null
}

# silence: the connection vanishes without a word, another one passes
silence() {
	ns r nft insert rule inet fw forward tcp sport "$(source_port)" drop
}

# listens NAME PORT: somebody does
listens() {
	ns "$1" ss -Hltn "sport = $2" | grep -q .
}

# configure [TRANSPORT-OF-A [PORTS-OF-B]]
configure() {
	gateway_conf ga "${1-tcp}" "" && gateway_conf gb udp "${2-$port}"
}

restart() {
	gateways_stop
	configure "$@" && gateways_start
}

# TCP and UDP, there and back
clients_talk() {
	ping_ok ca "$clientB" 56 && ns ca helper/traffic "$clientB"
}

# no_state: neither connections, nor SAs, nor bindings
no_state() {
	local name

	for name in ga gb; do
		[ -z "$(esptcp_table $name id)" ] || return
		[ -z "$(ipn $name xfrm state)" ] || return
		[ "$(ns $name esptcp show --json | jq '[.. | .bindings? | arrays | .[]] | length')" = 0 ] || return
	done
}
