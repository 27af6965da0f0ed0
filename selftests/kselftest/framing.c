// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "framing.h"

#define MAX_ATTRS	12

static const struct {
	const char *name;
	int type;
} attributes[] = {
	{ "name", ESPTCP_A_PROFILE_NAME },
	{ "flags", ESPTCP_A_PROFILE_FLAGS },
	{ "seq", ESPTCP_A_PROFILE_SEQ },
	{ "seq-value", ESPTCP_A_PROFILE_SEQ_VALUE },
	{ "ack", ESPTCP_A_PROFILE_ACK },
	{ "ack-value", ESPTCP_A_PROFILE_ACK_VALUE },
	{ "window", ESPTCP_A_PROFILE_WINDOW },
	{ "length-prefix", ESPTCP_A_PROFILE_LENGTH_PREFIX },
	{ "timestamps", ESPTCP_A_PROFILE_TIMESTAMPS },
	{ "in-window", ESPTCP_A_PROFILE_IN_WINDOW },
};

static const struct {
	const char *word;
	uint32_t number;
} words[] = {
	{ "fortios", ESPTCP_PROFILE_NAME_FORTIOS },
	{ "advancing-profile", ESPTCP_PROFILE_NAME_ADVANCING },
	{ "fixed", ESPTCP_POLICY_FIXED },
	{ "sa", ESPTCP_POLICY_SA },
	{ "snapshot", ESPTCP_POLICY_SNAPSHOT },
	{ "advancing", ESPTCP_POLICY_ADVANCING },
};

static uint32_t numbers[MAX_ATTRS];
static struct attr profile[MAX_ATTRS];

static uint32_t parse_number(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, text))
			return words[i].number;
	return strtoul(text, NULL, 0);
}

static int parse_attribute(char *text, int n)
{
	char *value = strchr(text, '=');
	size_t i;

	if (!value)
		return -1;
	*value++ = '\0';
	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (strcmp(attributes[i].name, text))
			continue;
		numbers[n] = parse_number(value);
		profile[n] = (struct attr){
			attributes[i].type,
			attributes[i].type == ESPTCP_A_PROFILE_WINDOW ? 2 : 4,
			&numbers[n],
		};
		return 0;
	}
	return -1;
}

const struct attr *framing_parse(char *text)
{
	static uint32_t framing = ESPTCP_FRAMING_FORTINET;
	static struct attr attrs[] = {
		{ ESPTCP_A_CONN_FRAMING, sizeof(framing), &framing },
		{ ESPTCP_A_CONN_PROFILE, ATTR_NESTED, profile },
		{ 0 },
	};
	char *rest = NULL, *word = strtok_r(text, ",", &rest);
	int n = 0;

	memset(profile, 0, sizeof(profile));
	if (!word || strcmp(word, "fortinet"))
		return NULL;
	while ((word = strtok_r(NULL, ",", &rest)))
		if (n == MAX_ATTRS - 1 || parse_attribute(word, n++))
			return NULL;
	return attrs;
}
