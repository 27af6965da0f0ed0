// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp drops: prints which packets were dropped, why, and what to do. The
 * advice is also doctor's.
 */
#include <stdio.h>
#include <string.h>

#include "colour.h"
#include "commands.h"
#include "drops.h"
#include "json.h"
#include "names.h"
#include "print.h"
#include "stat.h"

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

const char *drop_advice(__u32 counter)
{
	return counter <= ESPTCP_A_STATS_MAX ? advice[counter] : NULL;
}

bool is_drop(__u32 counter)
{
	return strstr(name_of(&counter_names, counter), "-drop-");
}

/**
 * drops_of() - add counters up
 * @counters: the counters
 * @prefix: what the names of those to be added begin with
 *
 * Return: the sum
 */
__u64 drops_of(const struct counters *counters, const char *prefix)
{
	__u64 sum = 0;
	__u32 i;

	for (i = 0; i <= ESPTCP_A_STATS_MAX; i++) {
		if (!strncmp(name_of(&counter_names, i), prefix,
			     strlen(prefix)))
			sum += counters->value[i];
	}

	return sum;
}

static void print_drop(__u32 counter, __u64 packets)
{
	const struct word *word = word_of(&counter_names, counter);
	const char *remedy = drop_advice(counter);

	colour_on(COLOUR_YELLOW);
	printf("%12llu", packets);
	colour_off();
	printf("  %s\n%14s", word->name, "");
	print_wrapped(14, word->doc);
	if (remedy) {
		fputs("              -> ", stdout);
		print_wrapped(17, remedy);
	}
}

static void print_drops(const struct counters *counters)
{
	bool any = false;
	__u32 i;

	for (i = 0; i <= ESPTCP_A_STATS_MAX; i++) {
		if (!counters->value[i] || !is_drop(i))
			continue;
		print_drop(i, counters->value[i]);
		any = true;
	}
	if (!any)
		puts("nothing was dropped");
}

static void json_drops(const struct counters *counters)
{
	struct json_object *array = json_object_new_array();
	struct json_object *object;
	__u32 i;

	for (i = 0; i <= ESPTCP_A_STATS_MAX; i++) {
		if (!counters->value[i] || !is_drop(i))
			continue;
		object = json_object_new_object();
		add_text(object, "name", name_of(&counter_names, i));
		add_number(object, "packets", counters->value[i]);
		add_text(object, "meaning", word_of(&counter_names, i)->doc);
		if (drop_advice(i))
			add_text(object, "remedy", drop_advice(i));
		json_object_array_add(array, object);
	}
	print_json(array);
}

int drops_main(char **args)
{
	return counters_command(args, print_drops, json_drops);
}
