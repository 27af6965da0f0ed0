// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of nftables, which iptables-nft writes as well, as
 * libnftables-json(5) has them, followed as the kernel would for a packet of
 * which only some things are known. Where a rule asks for something else, both
 * ways are gone: what may become of the packet is a set.
 */
#include <netinet/in.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "lib/json.h"
#include "lib/memory.h"
#include "ruleset.h"

#define MAX_DEPTH	16	/* as the kernel's NFT_JUMP_STACK_SIZE */

/* Whether a packet is like something */
enum answer { NO, MAYBE, YES };

/* What may become of a packet in a statement, a rule or a chain: a set */
#define GOES_ON		0x01
#define RETURNS		0x02
#define ACCEPTED	0x04
#define DROPPED		0x08
#define UNKNOWN		0x10

/**
 * struct search - a walk through the rules
 * @ruleset: array of all objects
 * @packet: the packet
 * @depth: of jumps
 * @translated: it may have another port since
 */
struct search {
	struct json_object *ruleset;
	const struct packet *packet;
	unsigned int depth;
	bool translated;
};

/**
 * ruleset_take() - read the rules
 *
 * Return: array of all objects, or NULL
 */
struct json_object *ruleset_take(void)
{
	struct nft_ctx *nft = memory_check(nft_ctx_new(NFT_CTX_DEFAULT));
	struct json_object *all = NULL, *ruleset;

	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	if (!nft_run_cmd_from_buffer(nft, "list ruleset"))
		all = json_tokener_parse(nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	ruleset = json_object_get(json_get(all, "nftables"));
	json_object_put(all);

	return ruleset;
}

static bool has(struct json_object *object, const char *name)
{
	return json_object_is_type(object, json_type_object) &&
	       json_object_object_get_ex(object, name, NULL);
}

static struct json_object *get_item(struct json_object *array, size_t i)
{
	return json_object_array_get_idx(array, i);
}

static size_t length_of(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ?
	       json_object_array_length(array) : 0;
}

static bool is_in_table(struct json_object *object, struct json_object *other)
{
	return json_object_equal(json_get(object, "family"),
				 json_get(other, "family")) &&
	       json_object_equal(json_get(object, "table"),
				 json_get(other, "table"));
}

/* Find a chain, a set or a map in the table of a rule. */
static struct json_object *find(struct search *search, const char *kind,
				struct json_object *rule, const char *name)
{
	size_t i;

	for (i = 0; i < length_of(search->ruleset); i++) {
		struct json_object *object =
			json_get(get_item(search->ruleset, i), kind);

		if (object && is_in_table(object, rule) &&
		    json_is(json_get(object, "name"), name))
			return object;
	}

	return NULL;
}

/*
 * Conditions
 */

/**
 * struct value - what a packet has at a place
 * @port: a port, or 0
 * @word: a word, or NULL
 */
struct value {
	__u32 port;
	const char *word;
};

static enum answer in_list(struct search *search, struct json_object *rule,
			   struct json_object *list, const struct value *value);

static enum answer is_number(struct json_object *right,
			     const struct value *value)
{
	int number = json_object_get_int(right);

	if (value->port)
		return number == (int)value->port ? YES : NO;
	/* libnftables knows some protocols by their numbers only */
	if (!strcmp(value->word, "tcp"))
		return number == IPPROTO_TCP ? YES : NO;

	return MAYBE;
}

static enum answer in_range(struct json_object *range,
			    const struct value *value)
{
	int port = value->port;

	if (!port || length_of(range) != 2)
		return MAYBE;

	return port >= json_object_get_int(get_item(range, 0)) &&
	       port <= json_object_get_int(get_item(range, 1)) ? YES : NO;
}

/* Whether the right side of a comparison is or contains a value */
static enum answer contains(struct search *search, struct json_object *rule,
			    struct json_object *right,
			    const struct value *value)
{
	const char *text;

	if (has(right, "elem"))
		return contains(search, rule,
				json_get(json_get(right, "elem"), "val"),
				value);
	if (has(right, "set"))
		return in_list(search, rule, json_get(right, "set"), value);
	if (has(right, "range"))
		return in_range(json_get(right, "range"), value);
	if (json_object_is_type(right, json_type_array))
		return in_list(search, rule, right, value);
	if (json_object_is_type(right, json_type_int))
		return is_number(right, value);
	if (!json_object_is_type(right, json_type_string))
		return MAYBE;

	text = json_object_get_string(right);
	if (text[0] == '@') {
		struct json_object *set = find(search, "set", rule, text + 1);

		return set ? in_list(search, rule, json_get(set, "elem"),
				     value) : MAYBE;
	}
	if (!value->word)
		return MAYBE;

	return !strcmp(text, value->word) ? YES : NO;
}

static enum answer in_list(struct search *search, struct json_object *rule,
			   struct json_object *list, const struct value *value)
{
	enum answer best = NO;
	size_t i;

	/* an empty set has no elements */
	if (!list)
		return NO;
	if (!json_object_is_type(list, json_type_array))
		return contains(search, rule, list, value);
	for (i = 0; i < length_of(list); i++) {
		enum answer answer = contains(search, rule, get_item(list, i),
					      value);

		if (answer > best)
			best = answer;
	}

	return best;
}

/* What a packet from another host has at the place that the left side of a
 * comparison names. False if it is not known.
 */
static bool value_of(const struct packet *packet, struct json_object *left,
		     struct value *value)
{
	struct json_object *payload = json_get(left, "payload");
	struct json_object *protocol = json_get(payload, "protocol");
	struct json_object *field = json_get(payload, "field");
	struct json_object *key = json_get(json_get(left, "meta"), "key");
	bool is_tcp = json_is(protocol, "tcp") || json_is(protocol, "th");

	*value = (struct value) { };
	if (json_is(json_get(json_get(left, "ct"), "key"), "state"))
		value->word = packet->state;
	else if (json_is(key, "nfproto"))
		value->word = strcmp(packet->family, "ip") ? "ipv6" : "ipv4";
	else if (json_is(key, "protocol"))
		value->word = packet->family;
	else if (json_is(key, "l4proto") || json_is(field, "nexthdr") ||
		 (json_is(field, "protocol") && json_is(protocol, "ip")))
		value->word = "tcp";
	else if (is_tcp && json_is(field, "dport"))
		value->port = packet->dport;
	else if (is_tcp && json_is(field, "sport"))
		value->port = packet->sport;

	return value->port || value->word;
}

/* Another host's packets do not come by the loopback device. */
static enum answer is_loopback(struct json_object *left,
			       struct json_object *right)
{
	struct json_object *key = json_get(json_get(left, "meta"), "key");

	if ((json_is(key, "iif") || json_is(key, "iifname") ||
	     json_is(key, "oif") || json_is(key, "oifname")) &&
	    json_is(right, "lo"))
		return NO;

	return MAYBE;
}

/* TCP is no UDP and no ICMP, IPv4 no IPv6. */
static bool is_other_protocol(const struct packet *packet,
			      struct json_object *left)
{
	static const char * const others[] = {
		"udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "esp",
		"ah", "comp", "igmp",
	};
	struct json_object *protocol = json_get(json_get(left, "payload"),
						"protocol");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (json_is(protocol, others[i]))
			return true;
	}

	return json_is(protocol, strcmp(packet->family, "ip") ? "ip" : "ip6");
}

static enum answer compare(struct search *search, struct json_object *rule,
			   struct json_object *match)
{
	struct json_object *right = json_get(match, "right");
	struct json_object *left = json_get(match, "left");
	struct json_object *op = json_get(match, "op");
	bool differs = json_is(op, "!=");
	enum answer answer;
	struct value value;

	if (is_other_protocol(search->packet, left))
		return NO;
	if (!differs && !json_is(op, "==") && !json_is(op, "in"))
		return MAYBE;
	if (value_of(search->packet, left, &value))
		answer = contains(search, rule, right, &value);
	else
		answer = is_loopback(left, right);
	if (answer == MAYBE || !differs)
		return answer;

	return answer == YES ? NO : YES;
}

/*
 * Verdicts
 */

static unsigned int follow_chain(struct search *search,
				 struct json_object *chain);

static unsigned int jump(struct search *search, struct json_object *rule,
			 struct json_object *statement, bool returns)
{
	struct json_object *chain;
	unsigned int outcomes;
	const char *target;

	target = json_object_get_string(json_get(statement, "target"));
	chain = target ? find(search, "chain", rule, target) : NULL;
	if (!chain || search->depth == MAX_DEPTH)
		return UNKNOWN | GOES_ON;
	search->depth++;
	outcomes = follow_chain(search, chain);
	search->depth--;
	if (!returns && outcomes & GOES_ON)
		outcomes = (outcomes & ~GOES_ON) | RETURNS;

	return outcomes;
}

/* What a statement decides; 0 if it does not decide */
static unsigned int decide(struct search *search, struct json_object *rule,
			   struct json_object *statement)
{
	if (has(statement, "accept") || has(statement, "snat") ||
	    has(statement, "masquerade"))
		return ACCEPTED;
	if (has(statement, "drop") || has(statement, "reject"))
		return DROPPED;
	if (has(statement, "return"))
		return RETURNS;
	if (has(statement, "continue"))
		return GOES_ON;
	if (has(statement, "jump"))
		return jump(search, rule, json_get(statement, "jump"), true);
	if (has(statement, "goto"))
		return jump(search, rule, json_get(statement, "goto"), false);
	/* a program decides, if one listens */
	if (has(statement, "queue"))
		return UNKNOWN;
	if (has(statement, "dnat") || has(statement, "redirect") ||
	    has(statement, "tproxy")) {
		search->translated = true;
		return ACCEPTED;
	}

	return 0;
}

/* A verdict map: the verdicts of its elements that match */
static unsigned int look_up(struct search *search, struct json_object *rule,
			    struct json_object *vmap)
{
	struct json_object *data = json_get(vmap, "data");
	struct json_object *list = json_get(data, "set");
	unsigned int outcomes = 0;
	struct value value;
	size_t i;

	if (json_object_is_type(data, json_type_string))
		list = json_get(find(search, "map", rule,
				     json_object_get_string(data) + 1), "elem");
	if (!length_of(list) ||
	    !value_of(search->packet, json_get(vmap, "key"), &value))
		return GOES_ON | UNKNOWN;

	for (i = 0; i < length_of(list); i++) {
		struct json_object *pair = get_item(list, i);
		enum answer answer = contains(search, rule, get_item(pair, 0),
					      &value);

		if (answer != NO)
			outcomes |= decide(search, rule, get_item(pair, 1));
		if (answer == YES)
			return outcomes;
	}

	return outcomes | GOES_ON;
}

/* Statements that neither ask for something nor decide */
static bool is_harmless(struct json_object *statement)
{
	static const char * const harmless[] = {
		"counter", "log", "comment", "notrack", "mangle", "meta", "set",
		"map", "flow", "dup", "secmark", "ct helper", "ct timeout",
		"ct expectation",
	};
	/* targets of iptables, of which newer libnftables tell the names */
	static const char * const targets[] = {
		"LOG", "NFLOG", "MARK", "CONNMARK", "TCPMSS", "TRACE", "CT",
		"SET", "CLASSIFY", "DSCP", "TEE",
	};
	struct json_object *name = json_get(json_get(statement, "xt"), "name");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (has(statement, harmless[i]))
			return true;
	}
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		if (json_is(name, targets[i]))
			return true;
	}

	return false;
}

static unsigned int follow_rule(struct search *search, struct json_object *rule)
{
	struct json_object *expr = json_get(rule, "expr");
	unsigned int verdicts, outcomes = 0;
	bool unknown = false;
	size_t i;

	for (i = 0; i < length_of(expr); i++) {
		struct json_object *statement = get_item(expr, i);

		if (has(statement, "match")) {
			enum answer answer =
				compare(search, rule,
					json_get(statement, "match"));

			if (answer == NO)
				return outcomes | GOES_ON;
			if (answer == MAYBE)
				outcomes |= GOES_ON;
			continue;
		}
		verdicts = has(statement, "vmap") ?
			   look_up(search, rule, json_get(statement, "vmap")) :
			   decide(search, rule, statement);
		if (verdicts) {
			outcomes |= verdicts & ~GOES_ON;
			if (!(verdicts & GOES_ON))
				return outcomes;
		} else if (!is_harmless(statement)) {
			/* something that is asked for; the last one acts */
			outcomes |= GOES_ON;
			unknown = i == length_of(expr) - 1 &&
				  !has(statement, "limit") &&
				  !has(statement, "quota");
		}
	}

	return outcomes | GOES_ON | (unknown ? UNKNOWN : 0);
}

/* A chain with a hook ends with its policy, any other goes back. */
static unsigned int follow_chain(struct search *search,
				 struct json_object *chain)
{
	unsigned int outcome, outcomes = 0;
	size_t i;

	for (i = 0; i < length_of(search->ruleset); i++) {
		struct json_object *rule =
			json_get(get_item(search->ruleset, i), "rule");

		if (!rule || !is_in_table(rule, chain) ||
		    !json_object_equal(json_get(rule, "chain"),
				       json_get(chain, "name")))
			continue;
		outcome = follow_rule(search, rule);
		outcomes |= outcome & ~GOES_ON;
		if (!(outcome & GOES_ON))
			break;
	}
	if (i < length_of(search->ruleset) && !(outcomes & RETURNS))
		return outcomes;
	outcomes &= ~RETURNS;
	if (!has(chain, "hook"))
		return outcomes | GOES_ON;

	return outcomes | (json_is(json_get(chain, "policy"), "drop") ?
			   DROPPED : ACCEPTED);
}

static struct json_object *table_of(struct search *search,
				    struct json_object *chain)
{
	size_t i;

	for (i = 0; i < length_of(search->ruleset); i++) {
		struct json_object *table =
			json_get(get_item(search->ruleset, i), "table");

		if (json_object_equal(json_get(table, "family"),
				      json_get(chain, "family")) &&
		    json_object_equal(json_get(table, "name"),
				      json_get(chain, "table")))
			return table;
	}

	return NULL;
}

/* The chains of a dormant table do nothing. libnftables 1.0.6 says that there
 * are flags, but not which.
 */
static enum answer is_dormant(struct search *search, struct json_object *chain)
{
	struct json_object *flags = json_get(table_of(search, chain), "flags");
	enum answer answer = NO;
	size_t i;

	if (json_is(flags, "dormant"))
		return YES;
	if (flags && !json_object_is_type(flags, json_type_array))
		return json_is(flags, "owner") ? NO : MAYBE;
	for (i = 0; i < length_of(flags); i++) {
		struct json_object *flag = get_item(flags, i);

		if (json_is(flag, "dormant"))
			return YES;
		if (!json_is(flag, "owner") && !json_is(flag, "persist"))
			answer = MAYBE;
	}

	return answer;
}

/* Whether a packet passes a chain; others are for ARP, bridges and devices. */
static bool is_on_way(struct search *search, struct json_object *chain)
{
	struct json_object *family = json_get(chain, "family");
	struct json_object *hook = json_get(chain, "hook");
	const struct packet *packet = search->packet;

	return (json_is(hook, packet->hooks[0]) ||
		json_is(hook, packet->hooks[1])) &&
	       ((packet->inet && json_is(family, "inet")) ||
		json_is(family, packet->family));
}

static enum outcome end_of(struct search *search, struct json_object *chain)
{
	enum answer dormant = is_dormant(search, chain);
	unsigned int outcomes;

	if (dormant == YES)
		return OUTCOME_OPEN;
	outcomes = follow_chain(search, chain);
	if (outcomes & ACCEPTED)
		return OUTCOME_OPEN;

	return outcomes == DROPPED && dormant == NO ? OUTCOME_DROPPED :
	       OUTCOME_UNCERTAIN;
}

/**
 * ruleset_follow() - find out what becomes of a packet
 * @ruleset: what ruleset_take() returned
 * @packet: the packet
 * @chain: filled with the chain that drops it, which @ruleset keeps
 *
 * A chain with a hook drops for good; what one accepts goes to the next.
 *
 * Return: what is known
 */
enum outcome ruleset_follow(struct json_object *ruleset,
			    const struct packet *packet,
			    struct json_object **chain)
{
	struct search search = { .ruleset = ruleset, .packet = packet };
	enum outcome worst = OUTCOME_OPEN, outcome;
	size_t i;

	for (i = 0; i < length_of(ruleset); i++) {
		struct json_object *this =
			json_get(get_item(ruleset, i), "chain");

		if (!this || !is_on_way(&search, this))
			continue;
		outcome = end_of(&search, this);
		if (outcome > worst) {
			worst = outcome;
			*chain = this;
		}
	}
	if (worst == OUTCOME_DROPPED && search.translated)
		return OUTCOME_UNCERTAIN;

	return worst;
}
