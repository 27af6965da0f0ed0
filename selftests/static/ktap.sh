# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # failed is the exit status of those
#
# KTAP for the static checks, which source this file: the results are those of
# commands that say nothing and succeed if all is well.

cd "$(dirname "$0")/../.." || exit
number=0 failed=0

plan() {
	echo "1..$1"
}

# result NAME COMMAND...
result() {
	local name=$1 verdict=ok out
	shift

	out=$("$@" 2>&1) || verdict='not ok'
	if [ "$out" ]; then
		verdict='not ok'
		# shellcheck disable=SC2001 # every line
		sed 's/^/# /' <<< "$out"
	fi
	[ "$verdict" = ok ] || failed=1
	echo "$verdict $((++number)) $name"
}
