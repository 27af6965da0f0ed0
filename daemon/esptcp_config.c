/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_config.h"
#include "esptcp_framing.h"

#include <daemon.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>

/** Highest port number */
#define MAX_PORT 65535

/** Default for auto_transport_threshold, and its maximum */
#define AUTO_THRESHOLD 15
#define AUTO_THRESHOLD_MAX 300

ENUM(esptcp_transport_names, ESPTCP_TRANSPORT_UDP, ESPTCP_TRANSPORT_AUTO,
	"udp",
	"tcp",
	"auto",
);

/*
 * Described in header
 */
void esptcp_config_init()
{
	lib->settings->add_fallback(lib->settings, "%s.plugins.esptcp",
								"%s.plugins.esptcp!", lib->ns);
}

/**
 * Check if charon.load names the plugin as critical.
 */
static bool is_listed_critical()
{
	enumerator_t *enumerator;
	bool found = FALSE;
	char *plugin;

	enumerator = enumerator_create_token(
					lib->settings->get_str(lib->settings, "%s.load", "", lib->ns),
					" ", " ");
	while (!found && enumerator->enumerate(enumerator, &plugin))
	{
		found = streq(plugin, "esptcp!");
	}
	enumerator->destroy(enumerator);
	return found;
}

/*
 * Described in header
 */
bool esptcp_config_is_critical()
{
	bool listed = TRUE, load = FALSE;

	if (!lib->settings->get_bool(lib->settings, "%s.load_modular", FALSE,
								 lib->ns))
	{
		listed = load = is_listed_critical();
	}
	/* a number or a boolean, as the plugin loader reads it */
	return listed &&
		   (lib->settings->get_int(lib->settings, "%s.plugins.esptcp!.load", 0,
								   lib->ns) ||
			lib->settings->get_bool(lib->settings, "%s.plugins.esptcp!.load",
									load, lib->ns));
}

/**
 * Parse a number, from 1 to a limit.
 */
static bool parse_number(char *str, u_int limit, u_int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(str, &end, 10);
	if (errno || *end || !isdigit(*str) || value < 1 || value > limit)
	{
		return FALSE;
	}
	*number = value;
	return TRUE;
}

/**
 * Get a setting of a connection.
 */
static char *get_setting(char *name, char *key)
{
	return lib->settings->get_str(lib->settings,
								  "%s.plugins.esptcp.connections.%s.%s", NULL,
								  lib->ns, name, key);
}

/**
 * Get a number that is set for a connection, if it is.
 */
static bool get_connection_number(char *name, char *key, u_int limit,
								  u_int *number)
{
	char *str = get_setting(name, key);

	if (str && !parse_number(str, limit, number))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': %s = %s is wrong, use a number "
			 "from 1 to %u", name, key, str, limit);
		return FALSE;
	}
	return TRUE;
}

/*
 * Described in header
 */
bool esptcp_config_get_path(char *name, esptcp_path_t *path)
{
	char *str = get_setting(name, "transport");

	*path = (esptcp_path_t){
		.transport = ESPTCP_TRANSPORT_UDP,
		.port = ESPTCP_PORT,
		.threshold = AUTO_THRESHOLD,
	};
	if (str && !enum_from_name(esptcp_transport_names, str, &path->transport))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': transport = %s is unknown, use "
			 "udp, tcp or auto", name, str);
		return FALSE;
	}
	if (path->transport == ESPTCP_TRANSPORT_TCP && !esptcp_config_is_critical())
	{	/* the next charon might have no plugin, and use UDP */
		DBG1(DBG_CFG, "esptcp: connection '%s': transport = tcp is refused, as "
			 "charon would use UDP if the plugin could not be loaded: rename "
			 "the section 'esptcp' to 'esptcp!'", name);
		return FALSE;
	}
	return get_connection_number(name, "tcp_port", MAX_PORT, &path->port) &&
		   get_connection_number(name, "auto_transport_threshold",
								 AUTO_THRESHOLD_MAX, &path->threshold);
}

/*
 * Described in header
 */
bool esptcp_config_get_large_packets(char *name)
{
	char *str = get_setting(name, "large_packets");

	if (!settings_value_as_bool(str, FALSE))
	{
		if (str && settings_value_as_bool(str, TRUE))
		{
			DBG1(DBG_CFG, "esptcp: connection '%s': large_packets = %s is wrong, "
				 "use yes or no", name, str);
		}
		return FALSE;
	}
	if (strcaseeq(get_setting(name, "framing"), "fortinet"))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': large_packets has no effect with "
			 "framing = fortinet, where each ESP packet is a TCP segment: remove "
			 "it", name);
		return FALSE;
	}
	return TRUE;
}

/**
 * Check if a connection has the setting, and a framing that allows it.
 */
static bool has_large_packets(char *name)
{
	return settings_value_as_bool(get_setting(name, "large_packets"), FALSE) &&
		   !strcaseeq(get_setting(name, "framing"), "fortinet");
}

/*
 * Described in header
 */
bool esptcp_config_has_large_packets()
{
	static bool known = FALSE, found = FALSE;
	enumerator_t *enumerator;
	char *name;

	if (known)
	{
		return found;
	}
	enumerator = lib->settings->create_section_enumerator(lib->settings,
							"%s.plugins.esptcp.connections", lib->ns);
	while (!found && enumerator->enumerate(enumerator, &name))
	{
		found = has_large_packets(name);
	}
	enumerator->destroy(enumerator);
	known = TRUE;
	return found;
}

/*
 * Described in header
 */
array_t *esptcp_config_get_ports()
{
	enumerator_t *enumerator;
	array_t *ports;
	uint16_t port;
	u_int number;
	char *str;

	ports = array_create(sizeof(uint16_t), 0);
	str = lib->settings->get_str(lib->settings, "%s.plugins.esptcp.ports", "",
								 lib->ns);
	enumerator = enumerator_create_token(str, ", ", " ");
	while (enumerator->enumerate(enumerator, &str))
	{
		if (!*str)
		{
			continue;
		}
		if (parse_number(str, MAX_PORT, &number))
		{
			port = number;
			array_insert(ports, ARRAY_TAIL, &port);
		}
		else
		{
			DBG1(DBG_CFG, "esptcp: ports: %s is no port, use numbers from 1 to "
				 "65535", str);
		}
	}
	enumerator->destroy(enumerator);
	return ports;
}

/**
 * Read a number, limited to what makes sense.
 */
static u_int get_number(char *name, int def, int min, int max)
{
	int value;

	value = lib->settings->get_int(lib->settings, "%s.plugins.esptcp.%s", def,
								   lib->ns, name);
	return min(max(value, min), max);
}

/*
 * Described in header
 */
u_int esptcp_config_get_half_open_limit()
{
	return get_number("half_open_limit", 1000, 0, INT_MAX);
}

/*
 * Described in header
 */
u_int esptcp_config_get_half_open_limit_ip()
{
	return get_number("half_open_limit_ip", 10, 0, INT_MAX);
}

/*
 * Described in header
 */
u_int esptcp_config_get_prefix_timeout()
{
	return get_number("prefix_timeout", 5, 1, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_ike_timeout()
{
	return get_number("ike_timeout", 10, 1, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_establish_timeout()
{
	return get_number("establish_timeout", 60, 1, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_user_timeout()
{
	return get_number("user_timeout", 20, 1, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_keepalive()
{
	return get_number("keepalive", 20, 0, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_reconnect_limit()
{
	return get_number("reconnect_limit", 30, 1, 3600);
}

/*
 * Described in header
 */
u_int esptcp_config_get_answer_timeout()
{
	return get_number("answer_timeout", 20, 1, 3600);
}

/*
 * Described in header
 */
bool esptcp_config_check_connections()
{
	enumerator_t *enumerator;
	esptcp_path_t path;
	bool tcp = FALSE;
	char *name;

	enumerator = lib->settings->create_section_enumerator(lib->settings,
							"%s.plugins.esptcp.connections", lib->ns);
	while (enumerator->enumerate(enumerator, &name))
	{
		esptcp_config_get_large_packets(name);
		if (esptcp_framing_check(name) &&
			esptcp_config_get_path(name, &path) &&
			path.transport != ESPTCP_TRANSPORT_UDP)
		{
			tcp = TRUE;
		}
	}
	enumerator->destroy(enumerator);
	return tcp;
}

/**
 * Check if charon has a connection of some name.
 */
static bool has_connection(char *name)
{
	enumerator_t *enumerator;
	peer_cfg_t *peer_cfg;
	bool found = FALSE;

	enumerator = charon->backends->create_peer_cfg_enumerator(charon->backends,
											NULL, NULL, NULL, NULL, IKE_ANY);
	while (!found && enumerator->enumerate(enumerator, &peer_cfg))
	{
		found = streq(peer_cfg->get_name(peer_cfg), name);
	}
	enumerator->destroy(enumerator);
	return found;
}

/*
 * Described in header
 */
void esptcp_config_check_names()
{
	enumerator_t *enumerator;
	char *name;

	enumerator = lib->settings->create_section_enumerator(lib->settings,
							"%s.plugins.esptcp.connections", lib->ns);
	while (enumerator->enumerate(enumerator, &name))
	{
		if (!has_connection(name))
		{
			DBG1(DBG_CFG, "esptcp: connection '%s' is unknown, its settings "
				 "have no effect: use a name that 'swanctl --list-conns' shows",
				 name);
		}
	}
	enumerator->destroy(enumerator);
}
