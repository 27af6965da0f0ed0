// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does this host's firewall let TCP through, to it and from it? The
 * rules come as libnftables-json(5) has them, and are followed as the kernel
 * would for a packet of which only some things are known. A rule that asks for
 * something else may match or not. It counts as one that accepts, but not as
 * one that drops: what is reported is certain.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <json-c/json.h>
#include <linux/capability.h>

#include "lib/array.h"
#include "doctor.h"
#include "ruleset.h"

/* A port that stands for those that kernels choose by themselves */
#define EPHEMERAL	50000

#define ACCEPT_IT	"add a rule that accepts it, before the one that drops it: "

#define MAX_DEPTH	16	/* as the kernel's NFT_JUMP_STACK_SIZE */

/**
 * enum answer - what is known about a condition
 */
enum answer { NO, MAYBE, YES };

/**
 * enum fate - what becomes of a packet
 */
enum fate { GOES_ON, RETURNS, ACCEPTED, DROPPED };

/**
 * struct packet - what is known about a packet
 * @hooks: hooks that it passes, NULL ends them
 * @sport: source port
 * @dport: destination port
 * @state: how connection tracking calls it
 * @what: for the message
 * @responder: it is needed by hosts on which somebody listens; others need it
 *	if they originate
 */
struct packet {
	const char *hooks[3];
	__u32 sport;
	__u32 dport;
	const char *state;
	const char *what;
	bool responder;
};

/**
 * struct rules - a firewall's rules
 * @objects: array of chains, rules and sets
 * @remedy: what to do if they drop the packet
 */
struct rules {
	struct json_object *objects;
	const char *remedy;
};

/**
 * struct search - a walk through the rules
 * @ruleset: array of all objects
 * @packet: the packet
 * @chain: the chain that dropped it
 * @depth: of jumps
 */
struct search {
	struct json_object *ruleset;
	const struct packet *packet;
	struct json_object *chain;
	unsigned int depth;
};

static enum fate follow_chain(struct search *search, struct json_object *chain);

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);

	return value;
}

static bool is(struct json_object *value, const char *text)
{
	return json_object_is_type(value, json_type_string) &&
		!strcmp(json_object_get_string(value), text);
}

static bool same_member(struct json_object *a, struct json_object *b,
			const char *name)
{
	return json_object_equal(member(a, name), member(b, name));
}

/* Find a chain or a set in the table of a rule. */
static struct json_object *find(struct search *search, const char *kind,
				struct json_object *rule, const char *name)
{
	size_t i;

	for (i = 0; i < json_object_array_length(search->ruleset); i++) {
		struct json_object *object =
			member(json_object_array_get_idx(search->ruleset, i),
			       kind);

		if (object && same_member(object, rule, "family") &&
		    same_member(object, rule, "table") &&
		    is(member(object, "name"), name))
			return object;
	}

	return NULL;
}

static enum answer in_list(struct search *search, struct json_object *rule,
			   struct json_object *list, __u32 port,
			   const char *word);

/* Whether the right side of a comparison is or contains a value, which is a
 * number or a word.
 */
static enum answer contains(struct search *search, struct json_object *rule,
			    struct json_object *right, __u32 port,
			    const char *word)
{
	struct json_object *range = member(right, "range");
	struct json_object *set = member(right, "set");
	struct json_object *elem = member(right, "elem");
	const char *text;

	if (elem)
		return contains(search, rule, member(elem, "val"), port, word);
	if (set)
		return in_list(search, rule, set, port, word);
	if (json_object_is_type(right, json_type_array))
		return in_list(search, rule, right, port, word);
	/* libnftables knows some protocols by their numbers only */
	if (json_object_is_type(right, json_type_int) && word)
		return !strcmp(word, "tcp") &&
			json_object_get_int(right) == IPPROTO_TCP ? YES : NO;
	if (json_object_is_type(range, json_type_array) && port)
		return port >= (__u32)json_object_get_int(json_object_array_get_idx(range, 0)) &&
			port <= (__u32)json_object_get_int(json_object_array_get_idx(range, 1)) ?
			YES : NO;
	if (json_object_is_type(right, json_type_int) && port)
		return json_object_get_int(right) == (int)port ? YES : NO;
	if (!json_object_is_type(right, json_type_string))
		return MAYBE;

	text = json_object_get_string(right);
	if (text[0] == '@') {
		set = find(search, "set", rule, text + 1);
		return set ? in_list(search, rule, member(set, "elem"), port,
				     word) : MAYBE;
	}

	return word ? (!strcmp(text, word) ? YES : NO) : MAYBE;
}

static enum answer in_list(struct search *search, struct json_object *rule,
			   struct json_object *list, __u32 port,
			   const char *word)
{
	enum answer best = NO;
	size_t i;

	/* an empty set has no elements */
	if (!list)
		return NO;
	if (!json_object_is_type(list, json_type_array))
		return contains(search, rule, list, port, word);
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		enum answer answer = contains(search, rule, item, port, word);

		if (answer > best)
			best = answer;
	}

	return best;
}

/* What a packet from another host has at the place that the left side of a
 * comparison names: a port or a word. False if it is not known.
 */
static bool value_of(const struct packet *packet, struct json_object *left,
		     __u32 *port, const char **word)
{
	struct json_object *payload = member(left, "payload");
	struct json_object *protocol = member(payload, "protocol");
	struct json_object *field = member(payload, "field");
	struct json_object *key = member(member(left, "meta"), "key");

	*port = 0;
	*word = NULL;
	if (is(member(member(left, "ct"), "key"), "state"))
		*word = packet->state;
	else if (is(key, "l4proto") || is(field, "nexthdr") ||
		 (is(field, "protocol") && is(protocol, "ip")))
		*word = "tcp";
	else if ((is(protocol, "tcp") || is(protocol, "th")) &&
		 is(field, "dport"))
		*port = packet->dport;
	else if ((is(protocol, "tcp") || is(protocol, "th")) &&
		 is(field, "sport"))
		*port = packet->sport;

	return *port || *word;
}

static enum answer invert(enum answer answer)
{
	return answer == MAYBE ? MAYBE : answer == YES ? NO : YES;
}

/* Another host's packets do not come by the loopback device. */
static enum answer is_loopback(struct json_object *left,
			       struct json_object *right)
{
	struct json_object *key = member(member(left, "meta"), "key");

	if ((is(key, "iif") || is(key, "iifname") || is(key, "oif") ||
	     is(key, "oifname")) && is(right, "lo"))
		return NO;

	return MAYBE;
}

/* TCP is no UDP and no ICMP. */
static bool is_other_protocol(struct json_object *left)
{
	static const char * const others[] = {
		"udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "esp",
		"ah", "comp", "igmp",
	};
	struct json_object *protocol = member(member(left, "payload"),
					      "protocol");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (is(protocol, others[i]))
			return true;
	}

	return false;
}

static enum answer compare(struct search *search, struct json_object *rule,
			   struct json_object *match)
{
	struct json_object *left = member(match, "left");
	struct json_object *right = member(match, "right");
	struct json_object *op = member(match, "op");
	enum answer answer = MAYBE;
	const char *word;
	__u32 port;

	if (is_other_protocol(left))
		return NO;
	if (value_of(search->packet, left, &port, &word))
		answer = contains(search, rule, right, port, word);
	else if (is(op, "==") || is(op, "!="))
		answer = is_loopback(left, right);
	if (is(op, "!="))
		return invert(answer);

	return is(op, "==") || is(op, "in") ? answer : MAYBE;
}

/* What a statement decides; *statement is NULL if it is none that decides. */
static enum fate decide(struct search *search, struct json_object *rule,
			struct json_object *statement)
{
	struct json_object *jump = NULL;
	struct json_object *chain;
	enum fate fate;

	if (json_object_object_get_ex(statement, "accept", NULL))
		return ACCEPTED;
	if (json_object_object_get_ex(statement, "drop", NULL) ||
	    json_object_object_get_ex(statement, "reject", NULL))
		return DROPPED;
	if (json_object_object_get_ex(statement, "return", NULL))
		return RETURNS;
	if (!json_object_object_get_ex(statement, "jump", &jump) &&
	    !json_object_object_get_ex(statement, "goto", &jump))
		return GOES_ON;

	chain = find(search, "chain", rule,
		     json_object_get_string(member(jump, "target")));
	if (!chain || search->depth == MAX_DEPTH)
		return GOES_ON;
	search->depth++;
	fate = follow_chain(search, chain);
	search->depth--;
	if (fate == GOES_ON && member(statement, "goto"))
		return RETURNS;

	return fate;
}

/* A verdict map: the verdicts of its elements that match. */
static enum fate look_up(struct search *search, struct json_object *rule,
			 struct json_object *vmap, enum answer *certain)
{
	struct json_object *list = member(member(vmap, "data"), "set");
	enum answer answer;
	const char *word;
	__u32 port;
	size_t i;

	*certain = MAYBE;
	if (!json_object_is_type(list, json_type_array) ||
	    !value_of(search->packet, member(vmap, "key"), &port, &word))
		return GOES_ON;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *pair = json_object_array_get_idx(list, i);

		answer = contains(search, rule,
				  json_object_array_get_idx(pair, 0), port,
				  word);
		if (answer == NO)
			continue;
		*certain = answer;
		return decide(search, rule, json_object_array_get_idx(pair, 1));
	}
	*certain = YES;

	return GOES_ON;
}

/* Statements that neither match nor decide: the rest is unknown. */
static bool is_harmless(struct json_object *statement)
{
	static const char * const harmless[] = {
		"counter", "log", "comment", "notrack", "mangle", "meta",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (json_object_object_get_ex(statement, harmless[i], NULL))
			return true;
	}

	return false;
}

static enum fate follow_rule(struct search *search, struct json_object *rule)
{
	struct json_object *expr = member(rule, "expr");
	enum answer certain = YES, answer;
	enum fate fate;
	size_t i;

	for (i = 0; expr && i < json_object_array_length(expr); i++) {
		struct json_object *statement =
			json_object_array_get_idx(expr, i);
		struct json_object *match = member(statement, "match");
		struct json_object *vmap = member(statement, "vmap");

		answer = YES;
		fate = GOES_ON;
		if (match)
			answer = compare(search, rule, match);
		else if (vmap)
			fate = look_up(search, rule, vmap, &answer);
		else
			fate = decide(search, rule, statement);

		if (answer == NO)
			return GOES_ON;
		if (answer == MAYBE)
			certain = MAYBE;
		/* what may return may do something else as well */
		if (fate != GOES_ON)
			return certain == YES || fate == ACCEPTED ? fate :
				GOES_ON;
		if (!match && !vmap && !is_harmless(statement) &&
		    !member(statement, "jump") && !member(statement, "goto"))
			certain = MAYBE;
	}

	return GOES_ON;
}

static enum fate follow_chain(struct search *search, struct json_object *chain)
{
	enum fate fate;
	size_t i;

	for (i = 0; i < json_object_array_length(search->ruleset); i++) {
		struct json_object *rule =
			member(json_object_array_get_idx(search->ruleset, i),
			       "rule");

		if (!rule || !same_member(rule, chain, "family") ||
		    !same_member(rule, chain, "table") ||
		    !json_object_equal(member(rule, "chain"),
				       member(chain, "name")))
			continue;
		fate = follow_rule(search, rule);
		if (fate == RETURNS)
			break;
		if (fate != GOES_ON)
			return fate;
	}

	return is(member(chain, "policy"), "drop") ? DROPPED : GOES_ON;
}

/* A chain with a hook drops for good; what one accepts goes to the next. */
static bool drops(struct search *search)
{
	const char * const *hook;
	size_t i;

	for (i = 0; i < json_object_array_length(search->ruleset); i++) {
		struct json_object *chain =
			member(json_object_array_get_idx(search->ruleset, i),
			       "chain");

		for (hook = search->packet->hooks; *hook; hook++) {
			if (!is(member(chain, "hook"), *hook) ||
			    follow_chain(search, chain) != DROPPED)
				continue;
			search->chain = chain;
			return true;
		}
	}

	return false;
}

static void examine_packet(struct doctor *doctor,
			   const struct rules *rules,
			   const struct packet *packet, __u32 port,
			   bool listens)
{
	struct search search = { .ruleset = rules->objects, .packet = packet };
	struct json_object *chain;

	if (!drops(&search))
		return;
	chain = search.chain;
	doctor_add(doctor, packet->responder == listens ? VERDICT_PROBLEM :
		   VERDICT_WARNING, "firewall", rules->remedy,
		   "%s is dropped by the chain \"%s\" of the table \"%s %s\": TCP port %u",
		   packet->what, json_object_get_string(member(chain, "name")),
		   json_object_get_string(member(chain, "family")),
		   json_object_get_string(member(chain, "table")),
		   port);
}

static void examine_rules(struct doctor *doctor, const struct rules *rules)
{
	size_t i, j;

	for (i = 0; i < doctor->ports; i++) {
		const struct packet packets[] = {
			{ { "prerouting", "input" }, EPHEMERAL,
			  doctor->port[i], "new",
			  "what peers send to open a connection", true },
			{ { "output", "postrouting" }, doctor->port[i],
			  EPHEMERAL, "established",
			  "what peers get for an answer", true },
			{ { "output", "postrouting" }, EPHEMERAL,
			  doctor->port[i], "new",
			  "what this host sends to open a connection", false },
			{ { "prerouting", "input" }, doctor->port[i],
			  EPHEMERAL, "established",
			  "what this host gets for an answer", false },
		};

		for (j = 0; j < ARRAY_SIZE(packets); j++)
			examine_packet(doctor, rules, &packets[j],
				       doctor->port[i],
				       doctor->listens[i]);
	}
}

/* Rules of the older kind; the file says whether there are any. */
static void examine_legacy(struct doctor *doctor, const char *tables,
			   const char *program, const char *family)
{
	struct rules rules = {
		.remedy = ACCEPT_IT "iptables-legacy -S, ip6tables-legacy -S",
	};
	FILE *file = fopen(tables, "r");
	bool any = file && fgetc(file) != EOF;

	if (file)
		fclose(file);
	if (!any)
		return;

	rules.objects = ruleset_of_legacy(program, family);
	if (!rules.objects) {
		doctor_add(doctor, VERDICT_WARNING, "firewall",
			   "install Debian's package iptables, or look at the rules yourself",
			   "there are rules of iptables-legacy, but %s does not list them",
			   program);
		return;
	}
	examine_rules(doctor, &rules);
	json_object_put(rules.objects);
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

static void examine_nftables(struct doctor *doctor)
{
	struct rules rules = {
		.remedy = ACCEPT_IT "nft list ruleset",
	};

	/* Asking for rules would load the module that has none. */
	if (access("/sys/module/nf_tables", F_OK))
		return;
	rules.objects = ruleset_of_nftables();
	if (!rules.objects) {
		doctor_add(doctor, VERDICT_WARNING, "firewall",
			   "look at them yourself: nft list ruleset",
			   "libnftables does not list the rules of nftables");
		return;
	}
	examine_rules(doctor, &rules);
	json_object_put(rules.objects);
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
	examine_legacy(doctor, "/proc/net/ip_tables_names",
		       "iptables-legacy-save", "ip");
	examine_legacy(doctor, "/proc/net/ip6_tables_names",
		       "ip6tables-legacy-save", "ip6");
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "firewall", NULL,
			   "no rule of this host certainly drops it");
}
