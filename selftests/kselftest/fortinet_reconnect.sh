#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# strongSwan with our plugin and the fortinet framing: all that reconnect.sh
# tests.
cd "$(dirname "$0")" || exit

export framing=fortinet pluginopts='connections { net { framing = fortinet } }'
exec ./reconnect.sh
