/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_framing.h"

#include <daemon.h>

#include <ctype.h>
#include <errno.h>

#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

ENUM(framing_names, ESPTCP_FRAMING_RFC9329, ESPTCP_FRAMING_FORTINET,
	"rfc9329",
	"fortinet",
);

ENUM(profile_names, ESPTCP_PROFILE_NAME_FORTIOS, ESPTCP_PROFILE_NAME_ADVANCING,
	"fortios",
	"advancing",
);

ENUM(policy_names, ESPTCP_POLICY_FIXED, ESPTCP_POLICY_ADVANCING,
	"fixed",
	"sa",
	"snapshot",
	"advancing",
);

/**
 * Parse the name of a profile.
 */
static bool parse_profile(char *str, uint32_t *value)
{
	return enum_from_name(profile_names, str, value);
}

/**
 * Parse where numbers come from.
 */
static bool parse_policy(char *str, uint32_t *value)
{
	return enum_from_name(policy_names, str, value);
}

/**
 * Parse TCP flags.
 */
static bool parse_flags(char *str, uint32_t *value)
{
	enumerator_t *enumerator;
	char *flag;
	bool known = TRUE;

	*value = 0;
	enumerator = enumerator_create_token(str, ",", " ");
	while (enumerator->enumerate(enumerator, &flag))
	{
		if (strcaseeq(flag, "ack"))
		{
			*value |= TH_ACK;
		}
		else if (strcaseeq(flag, "psh"))
		{
			*value |= TH_PUSH;
		}
		else
		{
			known = FALSE;
		}
	}
	enumerator->destroy(enumerator);
	return known && *value;
}

/**
 * Parse a number of 32 bits, hexadecimal after 0x.
 */
static bool parse_number(char *str, uint32_t *value)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(str, &end, strcasepfx(str, "0x") ? 16 : 10);
	*value = number;
	return !errno && end != str && !*end && isdigit(*str) &&
		   number <= UINT32_MAX;
}

/**
 * Parse a window.
 */
static bool parse_window(char *str, uint32_t *value)
{
	return parse_number(str, value) && *value <= UINT16_MAX;
}

/**
 * Parse yes or no.
 */
static bool parse_bool(char *str, uint32_t *value)
{
	*value = settings_value_as_bool(str, FALSE);
	return *value == settings_value_as_bool(str, TRUE);
}

/**
 * The settings, and what they may be
 */
static const struct {
	char *key;
	int attribute;
	bool (*parse)(char *str, uint32_t *value);
	char *advice;
} settings[] = {
	{ "profile", ESPTCP_A_PROFILE_NAME, parse_profile,
		"fortios or advancing" },
	{ "flags", ESPTCP_A_PROFILE_FLAGS, parse_flags, "ack, psh or psh,ack" },
	{ "seq", ESPTCP_A_PROFILE_SEQ, parse_policy,
		"fixed, sa, snapshot or advancing" },
	{ "seq_value", ESPTCP_A_PROFILE_SEQ_VALUE, parse_number,
		"a number of 32 bits" },
	{ "ack", ESPTCP_A_PROFILE_ACK, parse_policy,
		"fixed, sa, snapshot or advancing" },
	{ "ack_value", ESPTCP_A_PROFILE_ACK_VALUE, parse_number,
		"a number of 32 bits" },
	{ "window", ESPTCP_A_PROFILE_WINDOW, parse_window,
		"snapshot or a number up to 65535" },
	{ "length_prefix", ESPTCP_A_PROFILE_LENGTH_PREFIX, parse_bool,
		"yes or no" },
	{ "timestamps", ESPTCP_A_PROFILE_TIMESTAMPS, parse_bool, "yes or no" },
	{ "in_window", ESPTCP_A_PROFILE_IN_WINDOW, parse_bool, "yes or no" },
};

/**
 * Check if an attribute is set, and to this value.
 */
static bool is_set_to(esptcp_framing_t *framing, int attribute, uint32_t value)
{
	return framing->set & 1 << attribute && framing->values[attribute] == value;
}

/**
 * Check that a number is there with the policy fixed only.
 */
static bool check_number(char *name, esptcp_framing_t *framing, char *policy,
						 int policy_attribute, int number_attribute)
{
	if (framing->set & 1 << number_attribute &&
		!is_set_to(framing, policy_attribute, ESPTCP_POLICY_FIXED))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': fortinet.%s_value needs "
			 "fortinet.%s = fixed", name, policy, policy);
		return FALSE;
	}
	return TRUE;
}

/**
 * Check that the settings make sense together.
 */
static bool check_profile(char *name, esptcp_framing_t *framing)
{
	if (is_set_to(framing, ESPTCP_A_PROFILE_LENGTH_PREFIX, TRUE) &&
		is_set_to(framing, ESPTCP_A_PROFILE_TIMESTAMPS, TRUE))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': fortinet.length_prefix = yes "
			 "needs fortinet.timestamps = no, as nothing else tells ESP from IKE",
			 name);
		return FALSE;
	}
	return check_number(name, framing, "seq", ESPTCP_A_PROFILE_SEQ,
						ESPTCP_A_PROFILE_SEQ_VALUE) &&
		   check_number(name, framing, "ack", ESPTCP_A_PROFILE_ACK,
						ESPTCP_A_PROFILE_ACK_VALUE);
}

/**
 * Read the settings of the profile.
 */
static bool get_profile(char *name, esptcp_framing_t *framing)
{
	char *str;
	int i;

	for (i = 0; i < countof(settings); i++)
	{
		str = lib->settings->get_str(lib->settings,
						"%s.plugins.esptcp.connections.%s.fortinet.%s", NULL,
						lib->ns, name, settings[i].key);
		if (!str || (settings[i].attribute == ESPTCP_A_PROFILE_WINDOW &&
					 strcaseeq(str, "snapshot")))
		{	/* which is how it is unless set */
			continue;
		}
		if (!settings[i].parse(str, &framing->values[settings[i].attribute]))
		{
			DBG1(DBG_CFG, "esptcp: connection '%s': fortinet.%s = %s is wrong, "
				 "use %s", name, settings[i].key, str, settings[i].advice);
			return FALSE;
		}
		framing->set |= 1 << settings[i].attribute;
	}
	return check_profile(name, framing);
}

/**
 * Check if there is a profile for a connection.
 */
static bool has_profile(char *name)
{
	enumerator_t *enumerator;
	char *key, *value;
	bool found;

	enumerator = lib->settings->create_key_value_enumerator(lib->settings,
							"%s.plugins.esptcp.connections.%s.fortinet",
							lib->ns, name);
	found = enumerator->enumerate(enumerator, &key, &value);
	enumerator->destroy(enumerator);
	return found;
}

/*
 * Described in header
 */
bool esptcp_framing_get(char *name, esptcp_framing_t *framing)
{
	int number = ESPTCP_FRAMING_RFC9329;
	char *str;

	*framing = (esptcp_framing_t){};
	str = lib->settings->get_str(lib->settings,
						"%s.plugins.esptcp.connections.%s.framing", NULL,
						lib->ns, name);
	if (str && !enum_from_name(framing_names, str, &number))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': framing = %s is unknown, use "
			 "rfc9329 or fortinet", name, str);
		return FALSE;
	}
	framing->fortinet = number == ESPTCP_FRAMING_FORTINET;
	return !framing->fortinet || get_profile(name, framing);
}

/*
 * Described in header
 */
bool esptcp_framing_check(char *name)
{
	esptcp_framing_t framing;

	if (!esptcp_framing_get(name, &framing))
	{
		return FALSE;
	}
	if (!framing.fortinet && has_profile(name))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': the section fortinet has no "
			 "effect without framing = fortinet", name);
	}
	return TRUE;
}

/**
 * Add the values that are set.
 */
static bool put_profile(esptcp_framing_t *framing, struct nl_msg *msg)
{
	bool complete = TRUE;
	int i;

	for (i = 1; i <= ESPTCP_A_PROFILE_MAX && complete; i++)
	{
		if (!(framing->set & 1 << i))
		{
			continue;
		}
		if (i == ESPTCP_A_PROFILE_WINDOW)
		{
			complete = nla_put_u16(msg, i, framing->values[i]) == 0;
		}
		else
		{
			complete = nla_put_u32(msg, i, framing->values[i]) == 0;
		}
	}
	return complete;
}

/*
 * Described in header
 */
bool esptcp_framing_put(esptcp_framing_t *framing, struct nl_msg *msg)
{
	struct nlattr *nest;

	if (!framing->fortinet)
	{
		return nla_put_u32(msg, ESPTCP_A_CONN_FRAMING,
						   ESPTCP_FRAMING_RFC9329) == 0;
	}
	if (nla_put_u32(msg, ESPTCP_A_CONN_FRAMING, ESPTCP_FRAMING_FORTINET))
	{
		return FALSE;
	}
	nest = nla_nest_start(msg, ESPTCP_A_CONN_PROFILE);
	return nest && put_profile(framing, msg) && nla_nest_end(msg, nest) == 0;
}
