// SPDX-License-Identifier: GPL-2.0
/*
 * Framings: from arguments to netlink, from netlink to text and JSON. One table
 * says what each attribute is called and what may stand behind its name.
 */
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "args.h"
#include "framing.h"
#include "json.h"
#include "memory.h"
#include "names.h"
#include "text.h"

static const struct word yes_or_no_words[] = { { .name = "no" }, { .name = "yes" } };

static const struct names yes_or_no_names = {
	.words = yes_or_no_words,
	.size = ARRAY_SIZE(yes_or_no_words),
};

static const struct word flags_words[] = {
	[TH_PUSH] = { .name = "psh" },
	[TH_ACK] = { .name = "ack" },
	[TH_PUSH | TH_ACK] = { .name = "psh,ack" },
};

static const struct names flags_names = {
	.words = flags_words,
	.size = ARRAY_SIZE(flags_words),
};

/**
 * struct option - an attribute in words
 * @name: of the attribute
 * @type: ESPTCP_A_PROFILE_*
 * @expected: what may stand behind the name
 * @names: the words for its values, or NULL if it is a number
 * @max: the largest number
 */
struct option {
	const char *name;
	int type;
	const char *expected;
	const struct names *names;
	__u32 max;
};

#define POLICIES	"'fixed', 'sa', 'snapshot' or 'advancing'"

static const struct option options[] = {
	{ "profile", ESPTCP_A_PROFILE_NAME, "'fortios' or 'advancing'",
	  &profile_name_names, 0 },
	{ "flags", ESPTCP_A_PROFILE_FLAGS, "'ack', 'psh' or 'psh,ack'",
	  &flags_names, 0 },
	{ "seq", ESPTCP_A_PROFILE_SEQ, POLICIES, &policy_names, 0 },
	{ "seq-value", ESPTCP_A_PROFILE_SEQ_VALUE, "a number of 32 bits",
	  NULL, UINT_MAX },
	{ "ack", ESPTCP_A_PROFILE_ACK, POLICIES, &policy_names, 0 },
	{ "ack-value", ESPTCP_A_PROFILE_ACK_VALUE, "a number of 32 bits",
	  NULL, UINT_MAX },
	{ "window", ESPTCP_A_PROFILE_WINDOW, "'snapshot' or a number up to 65535",
	  NULL, USHRT_MAX },
	{ "length-prefix", ESPTCP_A_PROFILE_LENGTH_PREFIX, "'yes' or 'no'",
	  &yes_or_no_names, 0 },
	{ "timestamps", ESPTCP_A_PROFILE_TIMESTAMPS, "'yes' or 'no'",
	  &yes_or_no_names, 0 },
	{ "in-window", ESPTCP_A_PROFILE_IN_WINDOW, "'yes' or 'no'",
	  &yes_or_no_names, 0 },
};

static bool is_set(const struct framing *framing, const struct option *option)
{
	return framing->set & 1U << option->type;
}

static const struct option *find_option(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!strcmp(options[i].name, name))
			return &options[i];
	}

	return NULL;
}

/**
 * framing_begins() - see whether a word begins an option of a framing
 * @keyword: the word
 *
 * Return: true if framing_take() takes it
 */
bool framing_begins(const char *keyword)
{
	return !strcmp(keyword, "framing") || find_option(keyword);
}

static int take_value(char ***args, const struct option *option, __u32 *value)
{
	/* either order will do */
	if (option->names == &flags_names && args_next_is(*args, "ack,psh")) {
		*value = TH_PUSH | TH_ACK;
		(*args)++;
		return 0;
	}

	return option->names ?
		args_name(args, option->expected, option->names, value) :
		args_number(args, option->expected, 0, option->max, value);
}

/**
 * framing_take() - take what stands behind such a word
 * @args: the arguments behind it
 * @keyword: the word
 * @framing: is changed
 *
 * Return: 0, or the exit status after it has told the user
 */
int framing_take(char ***args, const char *keyword, struct framing *framing)
{
	const struct option *option = find_option(keyword);
	int status;

	if (!option)
		return args_name(args, "'rfc9329' or 'fortinet'",
				 &framing_names, &framing->kind);
	if (option->type == ESPTCP_A_PROFILE_WINDOW &&
	    args_next_is(*args, "snapshot")) {
		(*args)++;
		return 0;
	}
	status = take_value(args, option, &framing->value[option->type]);
	if (!status)
		framing->set |= 1U << option->type;

	return status;
}

static int put_option(struct nl_msg *msg, const struct option *option,
		      __u32 value)
{
	return option->type == ESPTCP_A_PROFILE_WINDOW ?
		nla_put_u16(msg, option->type, value) :
		nla_put_u32(msg, option->type, value);
}

/**
 * framing_put() - add a framing to a request
 * @msg: the request
 * @framing: the framing
 *
 * Return: 0, or a negative number if there is no room
 */
int framing_put(struct nl_msg *msg, const struct framing *framing)
{
	struct nlattr *nest;
	int err = 0;
	size_t i;

	if (nla_put_u32(msg, ESPTCP_A_CONN_FRAMING, framing->kind))
		return -1;
	if (!framing->set)
		return 0;
	nest = nla_nest_start(msg, ESPTCP_A_CONN_PROFILE);
	if (!nest)
		return -1;
	for (i = 0; i < ARRAY_SIZE(options) && !err; i++) {
		if (is_set(framing, &options[i]))
			err = put_option(msg, &options[i],
					 framing->value[options[i].type]);
	}

	return err ?: nla_nest_end(msg, nest);
}

/**
 * framing_get() - read a framing from an answer
 * @framing: is filled
 * @kind: enum esptcp_framing
 * @nest: the attributes of its TCP headers, or NULL
 */
void framing_get(struct framing *framing, __u32 kind, struct nlattr *nest)
{
	struct nlattr *attr;
	int rest;

	memset(framing, 0, sizeof(*framing));
	framing->kind = kind;
	if (!nest)
		return;
	nla_for_each_nested(attr, nest, rest) {
		int type = nla_type(attr);

		if (type > ESPTCP_A_PROFILE_MAX)
			continue;
		framing->set |= 1U << type;
		framing->value[type] = nla_len(attr) == sizeof(__u16) ?
					       nla_get_u16(attr) :
					       nla_get_u32(attr);
	}
}

/**
 * framing_text() - the options that make a framing
 * @framing: the framing
 * @text: memory for them
 *
 * Return: the text, which framing_take() takes again behind "framing"
 */
const char *framing_text(const struct framing *framing,
			 char text[FRAMING_STRLEN])
{
	const struct option *option;

	text[0] = '\0';
	text_append(text, FRAMING_STRLEN, "%s",
		    names_text(&framing_names, framing->kind));
	for (option = options; option < options + ARRAY_SIZE(options); option++) {
		__u32 value = framing->value[option->type];

		if (!is_set(framing, option))
			continue;
		text_append(text, FRAMING_STRLEN, " %s ", option->name);
		if (option->names)
			text_append(text, FRAMING_STRLEN, "%s",
				    names_text(option->names, value));
		else
			text_append(text, FRAMING_STRLEN, "%u", value);
	}

	return text;
}

/**
 * framing_json() - add a framing to a connection's object
 * @object: the object
 * @framing: the framing
 *
 * What is yes or no in words is 1 or 0, as in netlink.
 */
void framing_json(struct json_object *object, const struct framing *framing)
{
	const struct option *option;
	struct json_object *profile;

	json_add_text(object, "framing",
		      names_text(&framing_names, framing->kind));
	if (!framing->set)
		return;
	profile = json_object_new_object();
	for (option = options; option < options + ARRAY_SIZE(options); option++) {
		__u32 value = framing->value[option->type];

		if (!is_set(framing, option))
			continue;
		if (option->names && option->names != &yes_or_no_names)
			json_add_text(profile, option->name,
				      names_text(option->names, value));
		else
			json_add_number(profile, option->name, value);
	}
	json_object_object_add(object, "profile", profile);
}
