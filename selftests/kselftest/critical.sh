#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# transport = tcp where the plugin is missing or of no use: charon does not start,
# and nothing leaves over UDP. Hosts that do not want TCP alone are not stopped.
cd "$(dirname "$0")" || exit
. lib/gateways.sh

plugin=/usr/lib/ipsec/plugins/libstrongswan-esptcp.so

# without_mark: as strongSwan has it for plugins that it can do without
without_mark() {
	sed -i 's/^esptcp! /esptcp /' "$work/ga/esptcp.conf"
}

# refuses_to_start [PATTERN]: and says why
refuses_to_start() {
	configure && gateway_launch ga && within 30 has_ended ga || return
	log_has ga "loading critical plugin 'esptcp' failed" && log_has ga "${1:-}" && only_tcp
}

# goes_on: with no plugin, and over UDP, which the router sees
goes_on() {
	gateway_start ga || return
	swantimeout=5 swan ga --initiate --child net > "$work/initiate"
	[ "$(routed bare_udp)" -gt 0 ] && ! log_has ga 'over TCP'
}

missing() {
	rm "$plugin"
	refuses_to_start "plugin 'esptcp'.* failed to load"
}

empty() {
	: > "$plugin"
	refuses_to_start "plugin 'esptcp' failed to load"
}

# In the plugin's words, or in those of strongSwan since 6.0.3
other_version() {
	local version

	version=$(grep -aoE 'compiled for strongSwan [0-9.]+' "$work/plugin" | grep -o '[0-9.]*$')
	sed "s/${version//./\\.}/9${version:1}/g" "$work/plugin" > "$plugin"
	refuses_to_start "was compiled for strongSwan 9\|version 9.* doesn't match"
}

# What it refuses without the mark would be this, once the plugin is gone.
udp_unmarked() {
	configure && without_mark && goes_on
}

# As the settings are shipped
udp_shipped() {
	gateway_stop ga
	cp /etc/strongswan.d/charon/esptcp.conf "$work/ga/" && goes_on
}

# With the plugin there, a connection that UDP must not carry needs the mark.
unmarked() {
	gateways_stop
	cp "$work/plugin" "$plugin"
	configure && without_mark && udp_before=$(routed bare_udp) && gateways_start || return
	log_has ga "connection 'net': transport = tcp is refused" || return
	swantimeout=10 swan ga --initiate --child net > "$work/initiate" && return 1
	grep -q "rename the section 'esptcp' to 'esptcp!'" "$work/initiate" && [ "$(routed bare_udp)" = "$udp_before" ]
}

# A reload of the settings is enough, then.
marked_later() {
	configure && swan ga --reload-settings > /dev/null && establish && clients_talk &&
		[ "$(routed bare_udp)" = "$udp_before" ]
}

# All settings are read in a section with the mark, before and after a reload.
settings() {
	configure tcp "$port" && sed -i 's/^esptcp /esptcp! /' "$work/gb/esptcp.conf" && gateway_stop gb &&
		gateway_start gb && listens gb "$port" && ! log_has gb 'is unknown' || return
	sed -i "s/ports = .*/ports = 443/" "$work/gb/esptcp.conf"
	swan gb --reload-settings > /dev/null && within 5 listens gb 443 && ! listens gb "$port"
}

# Where plugins are not loaded one by one, charon.load has the mark.
listed() {
	gateway_stop ga
	configure && without_mark && sed -i "s/load_modular = yes/load = esptcp! ${plugins[*]}/" "$work/ga/strongswan.conf" &&
		gateway_start ga && ! log_has ga 'is refused' && rm "$plugin" || return
	gateway_stop ga
	gateway_launch ga && within 30 has_ended ga && log_has ga "loading critical plugin 'esptcp' failed"
}

gateways_test 9
cp "$plugin" "$work/plugin"
check "charon does not start without the plugin" missing
check "charon does not start with an empty one" empty
check "charon does not start with one for another strongSwan" other_version
check "without the mark it does, and uses UDP" udp_unmarked
check "it does with the settings as they are shipped" udp_shipped
check "transport = tcp is refused without the mark" unmarked
check "and works when it is there" marked_later
check "settings in a section with the mark" settings
check "charon.load has the mark" listed
ktap_finished
