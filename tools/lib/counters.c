// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: their names, what they mean, and what to do about them. All that
 * prints counters goes through them by counters_next().
 */
#include <string.h>

#include "counters.h"
#include "json.h"
#include "names.h"

static const char * const advice[ESPTCP_A_STATS_MAX + 1] = {
	[ESPTCP_A_STATS_RX_DROP_UNBOUND] =
		"a few are normal after rekeying; many: peer and daemon disagree about their SAs, see \"esptcp tunnels\"; with the fortinet framing perhaps about the place of the SPI, see \"esptcp capture\"",
	[ESPTCP_A_STATS_RX_DROP_RUNT] =
		"the peer sends what is neither IKE nor ESP: look at it with tcpdump",
	[ESPTCP_A_STATS_RX_DROP_PARTIAL] =
		"normal when a connection breaks off",
	[ESPTCP_A_STATS_RX_DROP_IKE_FULL] =
		"the IKE daemon does not read its messages: is it alive?",
	[ESPTCP_A_STATS_RX_DROP_IKE_UNAUTH] =
		"somebody unknown sends large messages; if it is a peer with large keys or certificates: the parameter ike_unauth_bytes",
	[ESPTCP_A_STATS_RX_DROP_IKE_CLOSED] =
		"normal when the daemon closes a connection",
	[ESPTCP_A_STATS_RX_DROP_NO_DEVICE] =
		"the device that the packets came in by was removed",
	[ESPTCP_A_STATS_RX_DROP_NO_MEMORY] =
		"the host is short of memory",
	[ESPTCP_A_STATS_TX_DROP_NO_CONN] =
		"the connection is being reconnected, or is not: \"esptcp show\" tells, the daemon's log says why",
	[ESPTCP_A_STATS_TX_DROP_QUEUE_FULL] =
		"bursts exceed the parameter tx_queue_bytes, or the peer does not read",
	[ESPTCP_A_STATS_TX_DROP_QUEUE_DELAY] =
		"normal under load: the path is slower than the traffic",
	[ESPTCP_A_STATS_TX_DROP_CONN_CLOSED] =
		"normal when a connection ends",
	[ESPTCP_A_STATS_TX_DROP_TOO_BIG] =
		"lower the MTU of what sends through the tunnel",
	[ESPTCP_A_STATS_TX_DROP_NOT_ENCRYPTED] =
		"remove \"offload packet\" from the SAs, and report this",
	[ESPTCP_A_STATS_TX_DROP_NOT_ESP] =
		"something sends to esptcp0: remove the addresses and routes of that device; with the fortinet framing, ESP cannot have IPv6 extension headers in front",
	[ESPTCP_A_STATS_TX_DROP_UNBOUND] =
		"a few are normal when SAs are deleted; many: a route leads to esptcp0, remove it",
	[ESPTCP_A_STATS_TX_DROP_LOOP] =
		"an IPsec policy catches the TCP connection: the daemon must set IP_XFRM_POLICY on its socket, or an excluding policy is needed",
	[ESPTCP_A_STATS_TX_DROP_DEVICE_DOWN] =
		"ip link set esptcp0 up",
	[ESPTCP_A_STATS_TX_DROP_NO_MEMORY] =
		"the host is short of memory",
	[ESPTCP_A_STATS_TX_DROP_INNER_MTU] =
		"normal while senders learn the tunnel's MTU; many: a firewall keeps ICMP errors from them",
	[ESPTCP_A_STATS_TX_DROP_NO_ROUTE] =
		"there is no route to the peer: see \"ip route get\"",
	[ESPTCP_A_STATS_TX_DROP_OUTPUT] =
		"a firewall rule drops what this host sends on the connection, or a queue is full: see \"nft list ruleset\" and \"tc -s qdisc\"",
	[ESPTCP_A_STATS_TX_DROP_GSO] =
		"a virtual machine or a tunnel on this host makes malformed packets: see which with tcpdump on its device",
};

/**
 * counters_next() - go through the counters
 * @part: what the names of those contain that are wanted
 * @i: number of the one before, 0 at first; becomes that of the next one
 *
 * Return: false if there are no more
 */
bool counters_next(const char *part, __u32 *i)
{
	while (++*i < counter_names.size) {
		if (counter_names.words[*i].name &&
		    strstr(counter_names.words[*i].name, part))
			return true;
	}

	return false;
}

/**
 * counters_sum() - add counters up
 * @counters: the counters
 * @part: what the names of those to be added contain
 *
 * Return: the sum
 */
__u64 counters_sum(const struct counters *counters, const char *part)
{
	__u64 sum = 0;
	__u32 i = 0;

	while (counters_next(part, &i))
		sum += counters->value[i];

	return sum;
}

const char *counters_name(__u32 i)
{
	return names_text(&counter_names, i);
}

const char *counters_meaning(__u32 i)
{
	return names_word(&counter_names, i)->doc;
}

/* What to do about a reason why packets were dropped, or NULL */
const char *counters_advice(__u32 i)
{
	return i <= ESPTCP_A_STATS_MAX ? advice[i] : NULL;
}

/* All counters, an object */
struct json_object *counters_json(const struct counters *counters)
{
	struct json_object *object = json_object_new_object();
	__u32 i = 0;

	while (counters_next(COUNTERS_ALL, &i))
		json_add_number(object, counters_name(i), counters->value[i]);

	return object;
}
