// SPDX-License-Identifier: GPL-2.0
/*
 * Framings: from arguments to netlink, from netlink to text and JSON. One table
 * says what each attribute is called and what may stand behind its name.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "array.h"
#include "framing.h"
#include "json.h"
#include "names.h"
#include "capture/options.h"
#include "error.h"

static bool read_profile(const char *text, __u32 *value)
{
	return names_number(&profile_name_names, text, value);
}

static void write_profile(char text[FRAMING_SIZE], __u32 value)
{
	append(text, FRAMING_SIZE, "%s", names_text(&profile_name_names, value));
}

static bool read_policy(const char *text, __u32 *value)
{
	return names_number(&policy_names, text, value);
}

static void write_policy(char text[FRAMING_SIZE], __u32 value)
{
	append(text, FRAMING_SIZE, "%s", names_text(&policy_names, value));
}

static bool read_flags(const char *text, __u32 *value)
{
	static const struct {
		const char *text;
		__u32 value;
	} known[] = {
		{ "ack", TH_ACK },
		{ "psh", TH_PUSH },
		{ "psh,ack", TH_PUSH | TH_ACK },
		{ "ack,psh", TH_PUSH | TH_ACK },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(text, known[i].text)) {
			*value = known[i].value;
			return true;
		}
	}

	return false;
}

static void write_flags(char text[FRAMING_SIZE], __u32 value)
{
	char flags[FLAGS_SIZE];

	append(text, FRAMING_SIZE, "%s", flags_text(flags, value));
}

static bool read_number(const char *text, __u32 *value)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 0);
	*value = number;

	return !errno && end != text && !*end && *text != '-' &&
	       number <= UINT_MAX;
}

static bool read_window(const char *text, __u32 *value)
{
	return read_number(text, value) && *value <= USHRT_MAX;
}

static void write_number(char text[FRAMING_SIZE], __u32 value)
{
	append(text, FRAMING_SIZE, "%u", value);
}

static bool read_bool(const char *text, __u32 *value)
{
	*value = !strcmp(text, "yes");

	return *value || !strcmp(text, "no");
}

static void write_bool(char text[FRAMING_SIZE], __u32 value)
{
	append(text, FRAMING_SIZE, "%s", value ? "yes" : "no");
}

/**
 * struct option - an attribute in words
 * @name: of the attribute
 * @type: ESPTCP_A_PROFILE_*
 * @expected: what may stand behind the name
 * @read: sees whether it does
 * @write: adds the value to a text
 */
struct option {
	const char *name;
	int type;
	const char *expected;
	bool (*read)(const char *text, __u32 *value);
	void (*write)(char text[FRAMING_SIZE], __u32 value);
};

static const struct option options[] = {
	{ "profile", ESPTCP_A_PROFILE_NAME, "'fortios' or 'advancing'",
	  read_profile, write_profile },
	{ "flags", ESPTCP_A_PROFILE_FLAGS, "'ack', 'psh' or 'psh,ack'",
	  read_flags, write_flags },
	{ "seq", ESPTCP_A_PROFILE_SEQ,
	  "'fixed', 'sa', 'snapshot' or 'advancing'",
	  read_policy, write_policy },
	{ "seq-value", ESPTCP_A_PROFILE_SEQ_VALUE, "a number of 32 bits",
	  read_number, write_number },
	{ "ack", ESPTCP_A_PROFILE_ACK,
	  "'fixed', 'sa', 'snapshot' or 'advancing'",
	  read_policy, write_policy },
	{ "ack-value", ESPTCP_A_PROFILE_ACK_VALUE, "a number of 32 bits",
	  read_number, write_number },
	{ "window", ESPTCP_A_PROFILE_WINDOW, "'snapshot' or a number up to 65535",
	  read_window, write_number },
	{ "length-prefix", ESPTCP_A_PROFILE_LENGTH_PREFIX, "'yes' or 'no'",
	  read_bool, write_bool },
	{ "timestamps", ESPTCP_A_PROFILE_TIMESTAMPS, "'yes' or 'no'",
	  read_bool, write_bool },
	{ "in-window", ESPTCP_A_PROFILE_IN_WINDOW, "'yes' or 'no'",
	  read_bool, write_bool },
};

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
	const char *text = (*args)[0];

	if (text)
		(*args)++;
	if (!option) {
		if (!text || !names_number(&framing_names, text, &framing->kind))
			return args_error("'rfc9329' or 'fortinet'", text);
		return 0;
	}
	if (option->type == ESPTCP_A_PROFILE_WINDOW && text &&
	    !strcmp(text, "snapshot"))
		return 0;
	if (!text || !option->read(text, &framing->value[option->type]))
		return args_error(option->expected, text);
	framing->set |= 1U << option->type;

	return 0;
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
	size_t i;

	if (nla_put_u32(msg, ESPTCP_A_CONN_FRAMING, framing->kind))
		return -EMSGSIZE;
	if (!framing->set)
		return 0;
	nest = nla_nest_start(msg, ESPTCP_A_CONN_PROFILE);
	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (framing->set & 1U << options[i].type &&
		    put_option(msg, &options[i],
			       framing->value[options[i].type]))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);

	return 0;
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
			 char text[FRAMING_SIZE])
{
	size_t i;

	text[0] = '\0';
	append(text, FRAMING_SIZE, "%s", names_text(&framing_names, framing->kind));
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!(framing->set & 1U << options[i].type))
			continue;
		append(text, FRAMING_SIZE, " %s ", options[i].name);
		options[i].write(text, framing->value[options[i].type]);
	}

	return text;
}

/**
 * framing_json() - add a framing to a connection's object
 * @object: the object
 * @framing: the framing
 */
void framing_json(struct json_object *object, const struct framing *framing)
{
	struct json_object *profile = json_object_new_object();
	char text[FRAMING_SIZE];
	size_t i;

	json_add_text(object, "framing", names_text(&framing_names, framing->kind));
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (!(framing->set & 1U << options[i].type))
			continue;
		text[0] = '\0';
		options[i].write(text, framing->value[options[i].type]);
		json_add_text(profile, options[i].name, text);
	}
	if (framing->set)
		json_object_object_add(object, "profile", profile);
	else
		json_object_put(profile);
}
