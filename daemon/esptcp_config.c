/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_config.h"

#include <daemon.h>

#include <ctype.h>
#include <errno.h>
#include <limits.h>


ENUM(esptcp_transport_names, ESPTCP_TRANSPORT_UDP, ESPTCP_TRANSPORT_TCP,
	"udp",
	"tcp",
);

/**
 * Parse a port number, 1 to 65535.
 */
static bool parse_port(char *str, uint16_t *port)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(str, &end, 10);
	if (errno || *end || !isdigit(*str) || value < 1 || value > 65535)
	{
		return FALSE;
	}
	*port = value;
	return TRUE;
}

/*
 * Described in header
 */
bool esptcp_config_get_transport(char *name, esptcp_transport_t *transport,
								 uint16_t *port)
{
	char *str;

	*transport = ESPTCP_TRANSPORT_UDP;
	*port = ESPTCP_PORT;

	str = lib->settings->get_str(lib->settings,
				"%s.plugins.esptcp.connections.%s.transport", "udp",
				lib->ns, name);
	if (!enum_from_name(esptcp_transport_names, str, transport))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': transport = %s is unknown, use "
			 "udp or tcp", name, str);
		return FALSE;
	}
	str = lib->settings->get_str(lib->settings,
				"%s.plugins.esptcp.connections.%s.tcp_port", NULL,
				lib->ns, name);
	if (str && !parse_port(str, port))
	{
		DBG1(DBG_CFG, "esptcp: connection '%s': tcp_port = %s is no port, use a "
			 "number from 1 to 65535", name, str);
		return FALSE;
	}
	return TRUE;
}

/*
 * Described in header
 */
array_t *esptcp_config_get_ports()
{
	enumerator_t *enumerator;
	array_t *ports;
	uint16_t port;
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
		if (parse_port(str, &port))
		{
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
	return get_number("half_open_limit", 100, 0, INT_MAX);
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
	esptcp_transport_t transport;
	enumerator_t *enumerator;
	bool tcp = FALSE;
	uint16_t port;
	char *name;

	enumerator = lib->settings->create_section_enumerator(lib->settings,
							"%s.plugins.esptcp.connections", lib->ns);
	while (enumerator->enumerate(enumerator, &name))
	{
		if (esptcp_config_get_transport(name, &transport, &port) &&
			transport == ESPTCP_TRANSPORT_TCP)
		{
			tcp = TRUE;
		}
	}
	enumerator->destroy(enumerator);
	return tcp;
}
