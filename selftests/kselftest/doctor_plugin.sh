#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# esptcp doctor and charon: whether the plugin is loaded, and if not, why; the
# ports that charon is to listen on.
#
# shellcheck disable=SC2317 # functions are called by the name of their test
cd "$(dirname "$0")" || exit
# shellcheck source=lib/doctor.sh
. lib/doctor.sh

tests=(
	no_charon		"charon does not run"
	no_library		"strongSwan is not installed"
	critical		"charon does not start without the plugin"
	ports			"ports are those of strongswan.conf"
	plugin			"the plugin is loaded, or is not, or is of another strongSwan"
)

test_no_charon() {
	run 1 esptcp gateways
	lacks '^connecting'
	examine
	finds problem plugin '^charon does not run, or its plugin vici is not loaded$' 'start strongSwan'
}

test_no_library() {
	trap 'mv "$tmp"/libvici.so.0 /usr/lib/ipsec/' EXIT
	mv /usr/lib/ipsec/libvici.so.0 "$tmp"
	examine
	finds warning plugin "^strongSwan's library libvici is not installed" 'strongswan-swanctl'
	finds ok port '^nothing listens on TCP port 4500' .
	run 1 esptcp gateways
	has 'there is no libvici' 'install strongswan-swanctl'
}

# What the section demands, charon does not start without.
test_critical() {
	local plugin=/usr/lib/ipsec/plugins/libstrongswan-esptcp.so

	export STRONGSWAN_CONF=$tmp/strongswan.conf
	echo 'charon { plugins { esptcp! { load = 100
		ports = 443 } } }' > "$STRONGSWAN_CONF"
	examine
	finds problem plugin "^charon does not run; with the section 'esptcp!' only strongSwan [0-9.]+ starts" 'build the plugin again'
	finds problem port '^nothing listens on TCP port 443, where' .
	# shellcheck disable=SC2064 # the values are wanted now
	trap "mv $tmp/plugin $plugin" EXIT
	mv "$plugin" "$tmp/plugin"
	examine
	finds problem plugin "^charon does not run: its section 'esptcp!' demands the plugin, which is not installed \($plugin\)\$" 'make install'
	: > "$plugin"
	examine
	finds problem plugin "^charon does not run: .* cannot be read \($plugin\)\$" 'make install'
}

# charon listens on these; its plugin's settings are in a file of their own.
write_ports() {
	echo "esptcp { ports = $1
	}" > "$tmp/esptcp.conf"
}

settings_of_charon() {
	echo "$1 { plugins { include $tmp/esp*.conf
	} }" > "$tmp/strongswan.conf"
}

test_ports() {
	export STRONGSWAN_CONF=$tmp/strongswan.conf

	write_ports "443, 11443 443 4501"
	settings_of_charon charon
	listen charon 443
	examine
	finds ok port "^charon \\(process $listener\\) listens on TCP port 443\$" ''
	finds problem port '^nothing listens on TCP port 11443, where charon\.plugins\.esptcp\.ports wants charon to$' 'reload-settings'
	finds problem port '^nothing listens on TCP port 4501, where' .
	same 3 "$(jq '[.[] | select(.examined == "port")] | length' <<< "$out")"
	! grep -q '4500' <<< "$out" || fail "port 4500 is not charon's"
	examine port 4500
	finds warning port '^nothing listens on TCP port 4500' .
	settings_of_charon charon-systemd
	examine
	finds problem port '^nothing listens on TCP port 11443' .
	kill "$listener"
	listen nginx 443
	examine
	finds problem port '^TCP port 443 is held by nginx' .
	write_ports "443, 65536 https"
	examine
	finds problem port "^'65536' in charon\\.plugins\\.esptcp\\.ports is no port\$" 'esptcp\.conf'
	finds problem port "^'https' in" .

	# nothing that could be read
	echo 'charon {' > "$tmp/strongswan.conf"
	examine
	finds problem port "^strongswan\\.conf cannot be read: .*syntax error" 'correct it'
	finds warning port '^nothing listens on TCP port 4500' .
	run 3 esptcp doctor
	lacks '^(syntax|invalid|abort|/)'
}

# start_charon [LOAD]: with the plugin, unless its 'load' says otherwise
start_charon() {
	cat > "$tmp/strongswan.conf" <<- END
		charon {
		    load_modular = yes
		    plugins {
		        esptcp { load = ${1-100}
		            ports = 4500 }
		        $(printf '%s { load = yes }\n' socket-default kernel-netlink vici openssl random nonce kdf)
		    }
		    filelog { log { path = $tmp/charon.log
		        flush_line = yes } }
		}
	END
	STRONGSWAN_CONF=$tmp/strongswan.conf /usr/lib/ipsec/charon > /dev/null 2>&1 &
	charon=$!
	trap stop_charon EXIT
	until_true charon_answers
}

stop_charon() {
	kill "$charon"
	wait "$charon" || true
}

charon_answers() {
	swanctl --stats > /dev/null 2>&1
}

test_plugin() {
	local plugin=/usr/lib/ipsec/plugins/libstrongswan-esptcp.so version

	start_charon
	examine
	finds ok plugin "^charon \\(strongSwan [0-9.]+\\) has loaded it\$" ''
	finds ok port '^charon \(process [0-9]+\) listens on TCP port 4500$' ''
	stop_charon

	start_charon no
	examine
	finds problem plugin '^charon has not loaded the plugin' 'charon\.plugins\.esptcp\.load'
	finds ok port '^nothing listens on TCP port 4500' .
	stop_charon

	# a plugin that was compiled for a version with another first digit
	cp "$plugin" "$tmp/plugin"
	# shellcheck disable=SC2064 # the values are wanted now
	trap "stop_charon; cp $tmp/plugin $plugin" EXIT
	version=$(grep -aoE 'compiled for strongSwan [0-9.]+' "$plugin" | grep -o '[0-9.]*$')
	sed "s/${version//./\\.}/9${version:1}/g" "$tmp/plugin" > "$plugin"
	start_charon
	# shellcheck disable=SC2064
	trap "stop_charon; cp $tmp/plugin $plugin" EXIT
	examine
	finds problem plugin "^the plugin was built for strongSwan 9${version:1}, but $version is running\$" 'build it again'
	# in the plugin's words, or in those of strongSwan since 6.1
	grep -Eq "was compiled for|plugin version .* doesn't match" "$tmp/charon.log"
	rm "$plugin"
	examine
	finds problem plugin '^the plugin is not installed' 'make install'
}

run_tests
