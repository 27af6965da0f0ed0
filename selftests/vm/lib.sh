# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the harness's scripts share: the release, the caches, the messages and
# the lock. Sourced by them, never run.
set -euo pipefail

vm=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$vm/../.." && pwd)
cache=$(realpath -m "${ESPTCP_CACHE:-/var/cache/esptcp}")
DIST=${DIST:-bookworm}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

progress() {
	echo "$*..." >&2
}

case $DIST in
bookworm | trixie | sid) ;;
*) die "unknown release '$DIST': DIST is bookworm, trixie or sid" ;;
esac
case $cache in
"$tree" | "$tree"/*) die "the cache ($cache) must not be inside the source tree: set ESPTCP_CACHE" ;;
esac
[ "$(id -u)" = 0 ] || die "needs root, for mmdebstrap and chroot"

# need COMMAND=PACKAGE...: install what this machine lacks
need() {
	[ -z "$(lacking "$@")" ] || locked "$cache/install.lock" install_lacking "$@"
}

lacking() {
	local item

	for item; do
		command -v "${item%=*}" > /dev/null || echo "${item#*=}"
	done
}

install_lacking() {
	local packages

	mapfile -t packages < <(lacking "$@")
	[ ${#packages[@]} = 0 ] && return	# another run did while we waited
	progress "installing ${packages[*]}"
	logged "$cache/install.log" apt_install "${packages[@]}"
	hash -r
}

apt_install() {
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y \
		--no-install-recommends "$@"
}

# locked FILE COMMAND...: one run at a time makes what FILE guards
locked() {
	local lock=$1 fd
	shift

	exec {fd}> "$lock"
	if ! flock -n "$fd"; then
		progress "waiting for another run that holds $lock"
		flock "$fd"
	fi
	"$@" {fd}>&-
	exec {fd}>&-
}

# logged LOG COMMAND...: on a failure say where the log is. The command runs in
# the background because `||` would switch off errexit inside it.
logged() {
	local log=$1
	shift

	"$@" > "$log" 2>&1 < /dev/null &
	wait $! || die "$1 failed, $log ends with:
$(tail -n "${loglines:-5}" "$log" | tr -d '\0')"
}

mkdir -p "$cache/$DIST"
