/* SPDX-License-Identifier: GPL-2.0-or-later */

/**
 * @defgroup esptcp_message esptcp_message
 * @{ @ingroup esptcp
 *
 * What we read and change in the messages that charon handles.
 */

#ifndef ESPTCP_MESSAGE_H_
#define ESPTCP_MESSAGE_H_

#include <encoding/message.h>
#include <sa/ike_sa.h>

#include "esptcp_connection.h"

/**
 * Say how a message is sent.
 *
 * @param message		message to send
 * @param id			unique ID of the IKE_SA whose connection sends it,
 *						ESPTCP_UDP, or ESPTCP_NO_CONNECTION for not at all
 */
void esptcp_message_set_transport(message_t *message, int id);

/**
 * Get how a message came.
 *
 * @param message		received message
 * @return				number of the connection, or ESPTCP_UDP
 */
int esptcp_message_get_origin(message_t *message);

/**
 * Check if a message is the first one of an IKE_SA.
 *
 * @param message		message
 * @return				TRUE if so
 */
bool esptcp_message_is_initial(message_t *message);

/**
 * Give an IKE_SA and its first request the addresses of a connection. The
 * request has been built for UDP's ports, with which the peer would detect a
 * NAT (RFC 9329 section 6.5).
 *
 * @param message		first request
 * @param ike_sa		IKE_SA
 * @param connection	connection that sends it
 */
void esptcp_message_set_hosts(message_t *message, ike_sa_t *ike_sa,
							  esptcp_connection_t *connection);

/**
 * Remove the peer's support for fragments from an initial message, so that we
 * send none (RFC 9329 section 7.5).
 *
 * @param message		received message
 */
void esptcp_message_forget_fragmentation(message_t *message);

/**
 * Let charon ignore a message.
 *
 * @param message		received message
 */
void esptcp_message_ignore(message_t *message);

#endif /** ESPTCP_MESSAGE_H_ @}*/
