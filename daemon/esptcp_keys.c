/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_keys.h"

#include <library.h>

#include <stdio.h>

/** Longest name that is compared and logged */
#define NAME_LEN 256

/** Sections and settings in esptcp.opt */
static char *known[] = {
#include "esptcp_keys.inc"
};

/**
 * Check if there is such a section or setting.
 */
static bool is_known(char *section, char *name)
{
	char full[NAME_LEN];
	int i;

	snprintf(full, sizeof(full), "%s%s", section, name);
	for (i = 0; i < countof(known); i++)
	{
		if (streq(known[i], full))
		{
			return TRUE;
		}
	}
	return FALSE;
}

/**
 * Log the names that do not exist in a section, which is called otherwise in
 * esptcp.opt.
 */
static void check(enumerator_t *names, char *section, char *opt)
{
	char *name, *value;

	while (names->enumerate(names, &name, &value))
	{
		if (!is_known(opt, name))
		{
			DBG1(DBG_CFG, "esptcp: setting '%s%s' is unknown and has no effect, "
				 "see 'man esptcp.conf'", section, name);
		}
	}
	names->destroy(names);
}

/**
 * Check the settings of a connection.
 */
static void check_connection(char *name)
{
	settings_t *s = lib->settings;
	char section[NAME_LEN];

	snprintf(section, sizeof(section), "connections.%s.", name);
	check(s->create_key_value_enumerator(s,
					"%s.plugins.esptcp.connections.%s", lib->ns, name),
		  section, "connections.<name>.");
	check(s->create_section_enumerator(s,
					"%s.plugins.esptcp.connections.%s", lib->ns, name),
		  section, "connections.<name>.");
	snprintf(section, sizeof(section), "connections.%s.fortinet.", name);
	check(s->create_key_value_enumerator(s,
					"%s.plugins.esptcp.connections.%s.fortinet", lib->ns, name),
		  section, "connections.<name>.fortinet.");
}

/*
 * Described in header
 */
void esptcp_keys_check()
{
	settings_t *s = lib->settings;
	enumerator_t *connections;
	char *name;

	check(s->create_key_value_enumerator(s, "%s.plugins.esptcp", lib->ns),
		  "", "");
	check(s->create_section_enumerator(s, "%s.plugins.esptcp", lib->ns),
		  "", "");
	connections = s->create_section_enumerator(s,
									"%s.plugins.esptcp.connections", lib->ns);
	while (connections->enumerate(connections, &name))
	{
		check_connection(name);
	}
	connections->destroy(connections);
}
