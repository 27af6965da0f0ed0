# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of esptcp(8) in bash. bash-completion(7) finds it by its name.

# What follows a word, if that alone decides it
_esptcp_values() {
	case $1 in
	state) echo up down ;;
	role) echo originator responder ;;
	framing) echo rfc9329 fortinet ;;
	profile) echo fortios advancing ;;
	flags) echo ack psh psh,ack ;;
	seq | ack) echo fixed sa snapshot advancing ;;
	window) echo snapshot ;;
	length-prefix | timestamps | in-window) echo yes no ;;
	in | out) echo spi ;;
	id | conn | replaces | set) esptcp dump 2> /dev/null | awk -F '\t' '$1 == "conn" { print $2 }' ;;
	peer) esptcp dump 2> /dev/null | awk -F '\t' '$1 == "conn" { print $10 }' | sort -u ;;
	port) esptcp dump 2> /dev/null | awk -F '\t' '$1 == "conn" { print $9; print $11 }' | sort -un ;;
	spi) esptcp dump 2> /dev/null | awk -F '\t' '$1 == "sa" { print $4 }' | sort -u ;;
	daddr) esptcp dump 2> /dev/null | awk -F '\t' '$1 == "sa" { print $5 }' | sort -u ;;
	fd | attach | seq-value | ack-value) ;;
	*) return 1 ;;
	esac
}

# What a command takes, behind the word $2 and the one before that, $3
_esptcp_arguments() {
	local framing='profile flags seq seq-value ack ack-value window length-prefix timestamps in-window'

	case $1 in
	show | id | peer | port | state) echo id peer port state --brief --json ;;
	dump) echo id peer port state ;;
	stat | drops | monitor | gateways | tunnels | sockets | capture) echo --json ;;
	doctor) echo port --json ;;
	attach) echo role replaces framing "$framing" --json ;;
	set) echo framing "$framing" ;;
	bind)
		case $3 in
		conn | fd) echo in out ;;
		spi) echo daddr ;;
		*) echo conn fd ;;
		esac
		;;
	unbind)
		case $2 in
		unbind) echo all in out ;;
		all) ;;
		*) echo daddr ;;
		esac
		;;
	help) _esptcp_commands ;;
	esac
}

_esptcp_commands() {
	esptcp help 2> /dev/null | awk '/^  [a-z]/ && $1 != "esptcp" { print $1 }'
}

# Options may stand before the command.
_esptcp() {
	local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]} words at=1

	while [ "$at" -lt "$COMP_CWORD" ] && [[ ${COMP_WORDS[at]} == -* ]]; do
		at=$((at + 1))
	done
	if [ "$at" = "$COMP_CWORD" ]; then
		[[ $word == -* ]] && words='--brief --json --help --version' || words=$(_esptcp_commands)
	elif [[ ${COMP_WORDS[at]} == capture && $word != -* ]]; then
		compopt -o filenames 2> /dev/null || true
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	else
		words=$(_esptcp_values "$last") ||
			words=$(_esptcp_arguments "${COMP_WORDS[at]}" "$last" "${COMP_WORDS[COMP_CWORD - 2]}")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _esptcp esptcp
