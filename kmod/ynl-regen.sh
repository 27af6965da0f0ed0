#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Make the uapi header and the netlink policy from esptcp.yaml, with the
# kernel's own generator (tools/net/ynl of Debian 13's linux-source package).
#
#   kmod/ynl-regen.sh LINUX-SOURCE-DIR [OUTPUT-DIR]
#
# OUTPUT-DIR is kmod/ itself unless given; a test generates into another
# place and compares.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
src=${1:?usage: $0 LINUX-SOURCE-DIR [OUTPUT-DIR]}
out=${2:-$here}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The generator looks for the schema one level above the specification. The
# schema of Linux 6.12 allows uns-admin-perm only to families that it calls
# legacy, later ones to all.
spec=$tmp/Documentation/netlink/specs/esptcp.yaml
mkdir -p "$(dirname "$spec")" "$out/include/uapi/linux"
sed 's/enum: \[ admin-perm \]/enum: [ admin-perm, uns-admin-perm ]/' \
	"$src/Documentation/netlink/genetlink.yaml" > "$tmp/Documentation/netlink/genetlink.yaml"
cp "$here/esptcp.yaml" "$spec"
touch "$tmp/MAINTAINERS"	# by which the generator knows the top of a tree

generate() {
	local file=$1 part=$tmp/${1##*/}

	shift
	python3 "$src/tools/net/ynl/ynl-gen-c.py" --spec "$spec" "$@" -o "$part"
	sed 's:Documentation/netlink/specs/esptcp.yaml:kmod/esptcp.yaml, by kmod/ynl-regen.sh:' \
		"$part" > "$out/$file"
}

generate include/uapi/linux/esptcp.h --mode uapi --header
generate netlink_gen.h --mode kernel --header
generate netlink_gen.c --mode kernel --source

# It takes no notice of a group's flags.
sed -i '/esptcp_nl_mcgrps\[\] = {$/,/};/s/{ "events", }/{ "events", .flags = GENL_MCAST_CAP_NET_ADMIN, }/' \
	"$out/netlink_gen.c"
