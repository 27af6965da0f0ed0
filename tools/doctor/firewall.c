// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does this host's firewall let TCP through, to it and from it? A
 * problem is what is certain; what may be meant so, or matters less, is a
 * warning.
 */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include "doctor.h"
#include "lib/json.h"
#include "lib/memory.h"
#include "ruleset.h"

/* A port that stands for those that kernels choose by themselves */
#define EPHEMERAL	50000

/**
 * struct firewall - what is examined
 * @doctor: takes the findings
 * @ruleset: the rules
 * @family: of the addresses that peers use, as far as doctor knows
 * @other: the other family of which this host has addresses, or NULL
 */
struct firewall {
	struct doctor *doctor;
	struct json_object *ruleset;
	const char *family;
	const char *other;
};

/* A host with IPv4 addresses is taken for one whose peers use these. */
static void find_families(struct firewall *firewall)
{
	bool ipv4 = false, ipv6 = false;
	struct ifaddrs *all, *one;

	if (getifaddrs(&all))
		all = NULL;
	for (one = all; one; one = one->ifa_next) {
		const struct sockaddr_in6 *address = (void *)one->ifa_addr;

		if (!one->ifa_addr || one->ifa_flags & IFF_LOOPBACK)
			continue;
		if (one->ifa_addr->sa_family == AF_INET)
			ipv4 = true;
		else if (one->ifa_addr->sa_family == AF_INET6 &&
			 !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr))
			ipv6 = true;
	}
	if (all)
		freeifaddrs(all);
	firewall->family = ipv4 || !ipv6 ? "ip" : "ip6";
	firewall->other = ipv4 && ipv6 ? "ip6" : NULL;
}

/* Return: whether there is something to say */
static bool examine_family(const struct firewall *firewall,
			   const struct packet *packet, enum verdict verdict,
			   const char *what, __u32 port)
{
	struct json_object *chain = NULL;
	enum outcome outcome = ruleset_follow(firewall->ruleset, packet,
					      &chain);
	bool certain = outcome == OUTCOME_DROPPED;

	if (outcome == OUTCOME_OPEN)
		return false;
	doctor_add(firewall->doctor, certain ? verdict : VERDICT_WARNING,
		   "firewall", certain ?
		   "add a rule that accepts it, before the one that drops it: nft list ruleset" :
		   "doctor cannot know what a queue, NAT, a match of iptables or a flag of the table does there: nft list ruleset",
		   "%s%s is %sdropped by the chain \"%s\" of the table \"%s %s\": TCP port %u",
		   what, packet->family == firewall->other ? " over IPv6" : "",
		   certain ? "" : "perhaps ",
		   json_object_get_string(json_get(chain, "name")),
		   json_object_get_string(json_get(chain, "family")),
		   json_object_get_string(json_get(chain, "table")), port);

	return true;
}

/* That the other family is dropped may be meant so; who accepts IPv4 only, in a
 * table for both, certainly does.
 */
static void examine_packet(const struct firewall *firewall,
			   struct packet packet, enum verdict verdict,
			   const char *what, __u32 port)
{
	packet.family = firewall->family;
	packet.inet = true;
	if (examine_family(firewall, &packet, verdict, what, port) ||
	    !firewall->other)
		return;
	packet.family = firewall->other;
	packet.inet = false;
	examine_family(firewall, &packet, VERDICT_WARNING, what, port);
}

static void examine_port(const struct firewall *firewall, __u32 port,
			 bool listens)
{
	const struct {
		struct packet packet;
		const char *what;
		bool responder;
	} packets[] = {
		{ { .hooks = { "prerouting", "input" }, .sport = EPHEMERAL,
		    .dport = port, .state = "new" },
		  "what peers send to open a connection", true },
		{ { .hooks = { "output", "postrouting" }, .sport = port,
		    .dport = EPHEMERAL, .state = "established" },
		  "what peers get for an answer", true },
		{ { .hooks = { "output", "postrouting" }, .sport = EPHEMERAL,
		    .dport = port, .state = "new" },
		  "what this host sends to open a connection", false },
		{ { .hooks = { "prerouting", "input" }, .sport = port,
		    .dport = EPHEMERAL, .state = "established" },
		  "what this host gets for an answer", false },
	};
	size_t i;

	/* responders need the first two, others if they originate the rest */
	for (i = 0; i < ARRAY_SIZE(packets); i++)
		examine_packet(firewall, packets[i].packet,
			       packets[i].responder == listens ?
			       VERDICT_PROBLEM : VERDICT_WARNING,
			       packets[i].what, port);
}

static void examine_nftables(struct doctor *doctor)
{
	struct firewall firewall = { .doctor = doctor };
	size_t i;

	/* Asking for rules would load the module that has none. */
	if (access("/sys/module/nf_tables", F_OK))
		return;
	firewall.ruleset = ruleset_take();
	if (!firewall.ruleset) {
		doctor_add(doctor, VERDICT_WARNING, "firewall",
			   "look at them yourself: nft list ruleset",
			   "libnftables does not list the rules of nftables");
		return;
	}
	find_families(&firewall);
	for (i = 0; i < doctor->ports; i++)
		examine_port(&firewall, doctor->port[i], doctor->listens[i]);
	json_object_put(firewall.ruleset);
}

/* Rules of the older kind, which Debian has not had since its release 10 unless
 * somebody wanted them. The file says whether there are tables.
 */
static void examine_legacy(struct doctor *doctor, const char *tables,
			   const char *program)
{
	FILE *file = fopen(tables, "r");
	bool any = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	if (any)
		doctor_add(doctor, VERDICT_WARNING, "firewall",
			   "look whether they accept TCP at the port: iptables-legacy -S, ip6tables-legacy -S",
			   "there are tables of %s, whose rules doctor does not follow",
			   program);
}

/* Without it libnftables would complain on stderr. */
static bool may_administer(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !syscall(SYS_capget, &header, data) &&
	       data[0].effective & CAP_TO_MASK(CAP_NET_ADMIN);
}

void doctor_firewall(struct doctor *doctor)
{
	size_t before = doctor->findings;

	if (!may_administer()) {
		doctor_add(doctor, VERDICT_SKIPPED, "firewall",
			   "run doctor as root",
			   "only root may see the firewall's rules");
		return;
	}
	examine_nftables(doctor);
	examine_legacy(doctor, "/proc/net/ip_tables_names", "iptables-legacy");
	examine_legacy(doctor, "/proc/net/ip6_tables_names",
		       "ip6tables-legacy");
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "firewall", NULL,
			   "no rule of this host certainly drops it");
}
