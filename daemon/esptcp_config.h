/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp esptcp
 * @ingroup cplugins
 *
 * @defgroup esptcp_config esptcp_config
 * @{ @ingroup esptcp
 *
 * What strongswan.conf says about the plugin, checked and explained where it
 * is wrong. The settings are read when they are needed, so that a reload takes
 * effect for the next connection.
 */

#ifndef ESPTCP_CONFIG_H_
#define ESPTCP_CONFIG_H_

#include <library.h>
#include <collections/array.h>

/** Port that every implementation listens on (RFC 9329 section 2) */
#define ESPTCP_PORT 4500

typedef enum esptcp_transport_t esptcp_transport_t;
typedef struct esptcp_path_t esptcp_path_t;

/**
 * How a configured connection reaches its peer.
 */
enum esptcp_transport_t {
	/** as charon does without the plugin */
	ESPTCP_TRANSPORT_UDP,
	/** over TCP, never over UDP */
	ESPTCP_TRANSPORT_TCP,
	/** over UDP, and if nobody responds, over TCP */
	ESPTCP_TRANSPORT_AUTO,
};

/**
 * Names of esptcp_transport_t, as they are configured.
 */
extern enum_name_t *esptcp_transport_names;

/**
 * What is configured for a connection.
 */
struct esptcp_path_t {
	/** transport */
	esptcp_transport_t transport;
	/** TCP port of the peer */
	u_int port;
	/** seconds without a response over UDP until TCP is used */
	u_int threshold;
};

/**
 * Let settings in the section 'esptcp!' count as those in 'esptcp': the plugin
 * loader takes a plugin for critical whose section has an exclamation mark.
 */
void esptcp_config_init();

/**
 * Check if charon does not start without this plugin.
 *
 * @return				TRUE if so, FALSE if it would go on, and use UDP
 */
bool esptcp_config_is_critical();

/**
 * Get what is configured for a connection.
 *
 * @param name			name of the connection
 * @param path			gets the settings, or their defaults
 * @return				FALSE if the settings are wrong, which has been logged
 */
bool esptcp_config_get_path(char *name, esptcp_path_t *path);

/**
 * Get if packets inside the tunnels of a connection may be larger than the
 * network's. Settings that are wrong are logged.
 *
 * @param name			name of the connection
 * @return				TRUE if so
 */
bool esptcp_config_get_large_packets(char *name);

/**
 * Get if that was so for any connection when this was called first, which the
 * plugin does when it is loaded: charon's routes are made for it only then.
 *
 * @return				TRUE if so
 */
bool esptcp_config_has_large_packets();

/**
 * Get the ports to listen on. Those that are wrong are logged and left out.
 *
 * @return				array of uint16_t, to destroy
 */
array_t *esptcp_config_get_ports();

/**
 * Get the number of connections that may wait for an IKE_SA at a time.
 *
 * @return				limit, 0 for none
 */
u_int esptcp_config_get_half_open_limit();

/**
 * Get the number of such connections that one address may have.
 *
 * @return				limit, 0 for none
 */
u_int esptcp_config_get_half_open_limit_ip();

/**
 * Get the time that a peer has to send the stream prefix.
 *
 * @return				seconds
 */
u_int esptcp_config_get_prefix_timeout();

/**
 * Get the time that a peer has to begin or continue an IKE_SA. It may come back
 * with a COOKIE for that long (RFC 9329 section 6.3.1).
 *
 * @return				seconds
 */
u_int esptcp_config_get_ike_timeout();

/**
 * Get the time that a peer has until it is authenticated.
 *
 * @return				seconds
 */
u_int esptcp_config_get_establish_timeout();

/**
 * Get the time after which TCP gives up when the peer acknowledges nothing.
 *
 * @return				seconds
 */
u_int esptcp_config_get_user_timeout();

/**
 * Get the time after which an idle TCP connection is probed.
 *
 * @return				seconds, 0 for never
 */
u_int esptcp_config_get_keepalive();

/**
 * Get the longest time between attempts to open a lost connection again.
 *
 * @return				seconds
 */
u_int esptcp_config_get_reconnect_limit();

/**
 * Get the time that the peer has for an answer on a connection that was opened
 * again.
 *
 * @return				seconds
 */
u_int esptcp_config_get_answer_timeout();

/**
 * Check the settings of all connections and log what is wrong.
 *
 * @return				TRUE if one of them may use TCP
 */
bool esptcp_config_check_connections();

/**
 * Log settings of connections that charon does not have. It gets connections
 * after plugins.
 */
void esptcp_config_check_names();

#endif /** ESPTCP_CONFIG_H_ @}*/
