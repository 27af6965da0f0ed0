/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_listener.h"
#include "esptcp_config.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>

typedef struct private_esptcp_listener_t private_esptcp_listener_t;

/**
 * Private data of an esptcp_listener_t object.
 */
struct private_esptcp_listener_t {

	/**
	 * Public esptcp_listener_t interface.
	 */
	esptcp_listener_t public;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;
};

/**
 * Destroy an IKE_SA that can't be initiated.
 */
static job_requeue_t destroy_ike_sa(ike_sa_id_t *id)
{
	ike_sa_t *ike_sa;

	ike_sa = charon->ike_sa_manager->checkout(charon->ike_sa_manager, id);
	if (ike_sa)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
	}
	return JOB_REQUEUE_NONE;
}

/**
 * Don't let an IKE_SA continue whose settings are wrong, or whose connection is
 * gone. This thread has it checked out, so a job waits until it can be
 * destroyed.
 */
static void refuse(ike_sa_t *ike_sa)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);

	lib->processor->queue_job(lib->processor,
				(job_t*)callback_job_create((callback_job_cb_t)destroy_ike_sa,
						id->clone(id), (void*)id->destroy, NULL));
}

/**
 * Let a connection send a message, UDP, or none of them.
 */
static void set_connection(message_t *message, int id)
{
	message->set_metadata(message, ESPTCP_METADATA,
						  lib->metadata->create(lib->metadata,
												METADATA_TYPE_INT, id));
}

/**
 * Replace the hash in a NAT detection notify:
 * SHA1(SPIi | SPIr | address | port) of a host.
 */
static void set_natd_hash(message_t *message, notify_type_t type, host_t *host)
{
	notify_payload_t *notify;
	hasher_t *hasher;
	uint64_t spi_i, spi_r;
	uint16_t port;
	chunk_t data, hash;

	notify = message->get_notify(message, type);
	if (!notify)
	{
		return;
	}
	hasher = lib->crypto->create_hasher(lib->crypto, HASH_SHA1);
	if (!hasher)
	{
		return;
	}
	spi_i = message->get_initiator_spi(message);
	spi_r = message->get_responder_spi(message);
	port = htons(host->get_port(host));
	data = chunk_cata("cccc", chunk_from_thing(spi_i), chunk_from_thing(spi_r),
					  host->get_address(host), chunk_from_thing(port));
	if (hasher->allocate_hash(hasher, data, &hash))
	{
		notify->set_notification_data(notify, hash);
		chunk_free(&hash);
	}
	hasher->destroy(hasher);
}

/**
 * Give an IKE_SA and its first request the addresses of a connection. The
 * request has been built for UDP's ports, with which the peer would detect a
 * NAT (RFC 9329 section 6.5).
 */
static void set_hosts(ike_sa_t *ike_sa, message_t *message,
					  esptcp_connection_t *connection)
{
	host_t *local, *remote;

	local = connection->get_local(connection);
	remote = connection->get_remote(connection);
	ike_sa->set_my_host(ike_sa, local->clone(local));
	ike_sa->set_other_host(ike_sa, remote->clone(remote));
	message->set_source(message, local->clone(local));
	message->set_destination(message, remote->clone(remote));
	set_natd_hash(message, NAT_DETECTION_SOURCE_IP, local);
	set_natd_hash(message, NAT_DETECTION_DESTINATION_IP, remote);
}

/**
 * Open the connection of an IKE_SA that we initiate.
 */
static esptcp_connection_t *open_connection(private_esptcp_listener_t *this,
											ike_sa_t *ike_sa, uint16_t port)
{
	esptcp_connection_t *connection;
	host_t *local, *remote;

	local = ike_sa->get_my_host(ike_sa);
	remote = ike_sa->get_other_host(ike_sa);
	remote = remote->clone(remote);
	remote->set_port(remote, port);
	DBG1(DBG_IKE, "initiating IKE_SA %s[%d] over TCP to %#H",
		 ike_sa->get_name(ike_sa), ike_sa->get_unique_id(ike_sa), remote);
	connection = this->connections->open(this->connections, ike_sa, local,
										 remote);
	remote->destroy(remote);
	return connection;
}

/**
 * Check if an IKE_SA may begin, or begin anew, on the connection it has.
 */
static bool is_usable(ike_sa_t *ike_sa, esptcp_connection_t *connection)
{
	host_t *local = connection->get_local(connection);
	host_t *remote = connection->get_remote(connection);

	/* the peer's name may resolve to another address this time, and our own
	 * address may have changed */
	return connection->get_state(connection) != ESPTCP_CONNECTION_DOWN &&
		   local->ip_equals(local, ike_sa->get_my_host(ike_sa)) &&
		   remote->ip_equals(remote, ike_sa->get_other_host(ike_sa));
}

/**
 * Choose the transport of an IKE_SA that we initiate, before its first request
 * is encoded. There may be several: with a COOKIE, with another key exchange
 * method, or from the beginning because the peer did not respond.
 *
 * @return				reference to the connection, NULL for UDP
 */
static esptcp_connection_t *choose_transport(private_esptcp_listener_t *this,
											 ike_sa_t *ike_sa,
											 message_t *message,
											 esptcp_connection_t *connection)
{
	esptcp_transport_t transport;
	uint16_t port;

	if (connection && is_usable(ike_sa, connection))
	{
		set_hosts(ike_sa, message, connection);
		return connection;
	}
	DESTROY_IF(connection);

	if (!esptcp_config_get_transport(ike_sa->get_name(ike_sa), &transport,
									 &port))
	{
		set_connection(message, ESPTCP_NO_CONNECTION);
		refuse(ike_sa);
		return NULL;
	}
	if (transport != ESPTCP_TRANSPORT_TCP)
	{
		this->connections->assign(this->connections, ike_sa, ESPTCP_UDP);
		set_connection(message, ESPTCP_UDP);
		return NULL;
	}
	if (ike_sa->get_version(ike_sa) != IKEV2)
	{
		DBG1(DBG_IKE, "connection '%s' uses TCP, which needs IKEv2: set "
			 "version = 2", ike_sa->get_name(ike_sa));
		set_connection(message, ESPTCP_NO_CONNECTION);
		refuse(ike_sa);
		return NULL;
	}
	connection = open_connection(this, ike_sa, port);
	if (connection)
	{
		set_hosts(ike_sa, message, connection);
	}
	else
	{	/* there may be a way to the peer when charon tries anew */
		set_connection(message, ESPTCP_NO_CONNECTION);
	}
	return connection;
}

/**
 * Check if a message is the first one of an IKE_SA.
 */
static bool is_initial(message_t *message)
{
	switch (message->get_exchange_type(message))
	{
		case IKE_SA_INIT:
			return message->get_request(message);
		case ID_PROT:
		case AGGRESSIVE:
			return message->get_responder_spi(message) == 0;
		default:
			return FALSE;
	}
}

/**
 * Let the connection of its IKE_SA send a message, or UDP.
 */
static void outgoing(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	esptcp_connection_t *connection;

	connection = this->connections->get_by_ike_sa(this->connections, ike_sa);
	if (is_initial(message))
	{
		connection = choose_transport(this, ike_sa, message, connection);
	}
	else if (this->connections->uses_udp(this->connections, ike_sa))
	{
		set_connection(message, ESPTCP_UDP);
	}
	if (connection)
	{
		set_connection(message, connection->get_id(connection));
		connection->destroy(connection);
	}
}

/**
 * Note the transport of an IKE_SA that the peer initiates.
 */
static void incoming(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	metadata_t *metadata;
	int id = ESPTCP_UDP;

	if (!is_initial(message))
	{
		return;
	}
	metadata = message->get_metadata(message, ESPTCP_METADATA);
	if (metadata)
	{
		metadata->get(metadata, &id);
		DBG1(DBG_IKE, "IKE_SA is initiated over TCP from %#H",
			 message->get_source(message));
	}
	if (!this->connections->assign(this->connections, ike_sa, id))
	{
		DBG1(DBG_IKE, "TCP connection from %#H is gone, IKE_SA is dropped",
			 message->get_source(message));
		/* this lets charon ignore the message */
		message->set_exchange_type(message, EXCHANGE_TYPE_UNDEFINED);
		refuse(ike_sa);
	}
}

METHOD(listener_t, message, bool,
	private_esptcp_listener_t *this, ike_sa_t *ike_sa, message_t *message,
	bool in, bool plain)
{
	if (plain)
	{
		if (in)
		{
			incoming(this, ike_sa, message);
		}
		else
		{
			outgoing(this, ike_sa, message);
		}
	}
	return TRUE;
}

METHOD(listener_t, ike_rekey, bool,
	private_esptcp_listener_t *this, ike_sa_t *old, ike_sa_t *new)
{
	this->connections->inherit(this->connections, old, new);
	return TRUE;
}

METHOD(listener_t, ike_state_change, bool,
	private_esptcp_listener_t *this, ike_sa_t *ike_sa, ike_sa_state_t state)
{
	if (state == IKE_DESTROYING)
	{
		this->connections->release(this->connections, ike_sa);
	}
	return TRUE;
}

METHOD(esptcp_listener_t, destroy, void,
	private_esptcp_listener_t *this)
{
	free(this);
}

/*
 * Described in header
 */
esptcp_listener_t *esptcp_listener_create(esptcp_connections_t *connections)
{
	private_esptcp_listener_t *this;

	INIT(this,
		.public = {
			.listener = {
				.message = _message,
				.ike_rekey = _ike_rekey,
				.ike_state_change = _ike_state_change,
			},
			.destroy = _destroy,
		},
		.connections = connections,
	);

	return &this->public;
}
