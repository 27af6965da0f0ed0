/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_listener.h"
#include "esptcp_chooser.h"
#include "esptcp_jobs.h"
#include "esptcp_message.h"

#include <daemon.h>
#include <threading/thread_value.h>

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

	/**
	 * Which IKE_SA uses which
	 */
	esptcp_sessions_t *sessions;

	/**
	 * Chooses the transport of those that we initiate
	 */
	esptcp_chooser_t *chooser;

	/**
	 * IKE_SA that a thread is about to initiate in place of another one, which
	 * charon still has as the thread's
	 */
	thread_value_t *replacement;
};

/**
 * Check if an IKE_SA is the one that a message belongs to.
 */
static bool is_of(ike_sa_t *ike_sa, message_t *message)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);

	return id->get_initiator_spi(id) == message->get_initiator_spi(message);
}

/**
 * Get the IKE_SA of a message. When charon replaces an IKE_SA, it names the old
 * one with the first message of the new one.
 *
 * @return				NULL if it is another one, which nobody has told us
 */
static ike_sa_t *get_ike_sa(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
							message_t *message)
{
	ike_sa_t *replacement;

	if (is_of(ike_sa, message))
	{
		return ike_sa;
	}
	replacement = this->replacement->get(this->replacement);
	return replacement && is_of(replacement, message) ? replacement : NULL;
}

/**
 * Let the connection of its IKE_SA send a message, or UDP.
 */
static void outgoing(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	esptcp_connection_t *connection;

	ike_sa = get_ike_sa(this, ike_sa, message);
	if (!ike_sa)
	{	/* we get to know it when it is checked in, which is about to happen */
		esptcp_message_set_transport(message, ESPTCP_NO_CONNECTION);
		esptcp_jobs_restart(message->get_ike_sa_id(message));
		return;
	}
	connection = this->sessions->get_connection(this->sessions, ike_sa);
	if (esptcp_message_is_initial(message))
	{
		connection = this->chooser->choose(this->chooser, ike_sa, message,
										   connection);
	}
	else if (this->sessions->uses_udp(this->sessions, ike_sa))
	{
		esptcp_message_set_transport(message, ESPTCP_UDP);
	}
	else if (!connection && this->sessions->is_known(this->sessions, ike_sa))
	{	/* it was on TCP, and there is no other way */
		esptcp_message_set_transport(message, ESPTCP_NO_CONNECTION);
	}
	if (connection)
	{
		esptcp_message_set_transport(message, ike_sa->get_unique_id(ike_sa));
		connection->destroy(connection);
	}
}

/**
 * Note the transport of an IKE_SA that the peer initiates.
 */
static void begin(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
				  message_t *message)
{
	esptcp_connections_t *connections = this->connections;
	int id = esptcp_message_get_origin(message);

	if (id != ESPTCP_UDP)
	{
		DBG1(DBG_IKE, "IKE_SA is initiated over TCP from %#H",
			 message->get_source(message));
		esptcp_message_forget_fragmentation(message);
	}
	if (id != ESPTCP_UDP && connections->get_users(connections, id))
	{
		DBG1(DBG_IKE, "TCP connection from %#H is that of another IKE_SA, "
			 "which is not allowed, IKE_SA is dropped",
			 message->get_source(message));
	}
	else if (this->sessions->assign(this->sessions, ike_sa, id))
	{
		return;
	}
	else
	{
		DBG1(DBG_IKE, "TCP connection from %#H is gone, IKE_SA is dropped",
			 message->get_source(message));
	}
	esptcp_message_ignore(message);
	esptcp_jobs_refuse(ike_sa);
}

/**
 * Let the connection last that an established IKE_SA uses. If it has just been
 * closed as one that nobody trusts, the IKE_SA could not get another one.
 */
static void trust(private_esptcp_listener_t *this, ike_sa_t *ike_sa)
{
	esptcp_connection_t *connection;

	connection = this->sessions->get_connection(this->sessions, ike_sa);
	if (connection)
	{
		this->connections->trust(this->connections,
								 connection->get_id(connection));
		connection->destroy(connection);
	}
	else if (this->sessions->is_known(this->sessions, ike_sa) &&
			 !this->sessions->uses_udp(this->sessions, ike_sa))
	{
		esptcp_jobs_refuse(ike_sa);
	}
}

/**
 * Let an IKE_SA follow its peer to another connection.
 */
static esptcp_connection_t *follow(private_esptcp_listener_t *this,
								   ike_sa_t *ike_sa)
{
	esptcp_connection_t *connection;

	connection = this->sessions->follow(this->sessions, ike_sa);
	if (connection)
	{
		DBG1(DBG_IKE, "IKE_SA %s[%d] continues on TCP connection %u from %#H",
			 ike_sa->get_name(ike_sa), ike_sa->get_unique_id(ike_sa),
			 connection->get_id(connection), connection->get_remote(connection));
		if (ike_sa->get_state(ike_sa) >= IKE_ESTABLISHED)
		{
			trust(this, ike_sa);
		}
	}
	return connection;
}

/**
 * Check if a message came too late: its connection is gone meanwhile, and SAs
 * that it sets up could not be bound. It comes again on another one (RFC 9329
 * section 6.2), or when charon retransmits the request that it answers.
 */
static bool is_late(esptcp_connection_t *connection, message_t *message)
{
	switch (message->get_exchange_type(message))
	{
		case IKE_SA_INIT:
		case INFORMATIONAL:
			return FALSE;
		default:
			return connection->get_state(connection) != ESPTCP_CONNECTION_UP;
	}
}

/**
 * Handle a message that charon has verified, and that is no replay.
 */
static void verified(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	esptcp_connection_t *current, *next;
	int origin = esptcp_message_get_origin(message);

	current = this->sessions->get_connection(this->sessions, ike_sa);
	if (current ? origin == ESPTCP_UDP
				: origin != ESPTCP_UDP &&
				  this->sessions->uses_udp(this->sessions, ike_sa))
	{
		DBG1(DBG_IKE, "message over %s from %#H ignored, IKE_SA %s[%d] uses %s "
			 "and can't change that", current ? "UDP" : "TCP",
			 message->get_source(message), ike_sa->get_name(ike_sa),
			 ike_sa->get_unique_id(ike_sa), current ? "TCP" : "UDP");
		esptcp_message_ignore(message);
	}
	else if (current)
	{
		next = follow(this, ike_sa);
		if (next)
		{
			ike_sa->update_hosts(ike_sa, message->get_destination(message),
								 message->get_source(message),
								 UPDATE_HOSTS_FORCE_ADDRS);
			current->destroy(current);
			current = next;
		}
		if (origin == current->get_id(current))
		{
			current->confirm(current);
			this->connections->proceed(this->connections, origin);
		}
		if (is_late(current, message))
		{
			DBG1(DBG_IKE, "message from %#H is left until it is repeated, its TCP "
				 "connection is gone", message->get_source(message));
			esptcp_message_ignore(message);
		}
		if (message->get_exchange_type(message) == IKE_SA_INIT)
		{
			esptcp_message_forget_fragmentation(message);
		}
	}
	DESTROY_IF(current);
}

METHOD(listener_t, message, bool,
	private_esptcp_listener_t *this, ike_sa_t *ike_sa, message_t *message,
	bool in, bool plain)
{
	if (in && !plain)
	{
		this->sessions->note(this->sessions, ike_sa,
							 esptcp_message_get_origin(message));
	}
	else if (in && esptcp_message_is_initial(message))
	{
		begin(this, ike_sa, message);
	}
	else if (in)
	{
		verified(this, ike_sa, message);
	}
	else if (plain)
	{
		outgoing(this, ike_sa, message);
	}
	return TRUE;
}

METHOD(listener_t, ike_update, bool,
	private_esptcp_listener_t *this, ike_sa_t *ike_sa, host_t *local,
	host_t *remote)
{
	/* charon has verified a message, and moves CHILD_SAs before it tells */
	esptcp_connection_t *connection = follow(this, ike_sa);

	DESTROY_IF(connection);
	return TRUE;
}

METHOD(listener_t, ike_reestablish_pre, bool,
	private_esptcp_listener_t *this, ike_sa_t *old, ike_sa_t *new)
{
	this->replacement->set(this->replacement, new);
	return TRUE;
}

METHOD(listener_t, ike_reestablish_post, bool,
	private_esptcp_listener_t *this, ike_sa_t *old, ike_sa_t *new,
	bool initiated)
{
	this->replacement->set(this->replacement, NULL);
	return TRUE;
}

METHOD(listener_t, ike_rekey, bool,
	private_esptcp_listener_t *this, ike_sa_t *old, ike_sa_t *new)
{
	this->sessions->inherit(this->sessions, old, new);
	return TRUE;
}

METHOD(listener_t, ike_state_change, bool,
	private_esptcp_listener_t *this, ike_sa_t *ike_sa, ike_sa_state_t state)
{
	if (state == IKE_ESTABLISHED)
	{
		trust(this, ike_sa);
	}
	else if (state == IKE_DESTROYING)
	{
		this->sessions->release(this->sessions, ike_sa);
	}
	return TRUE;
}

METHOD(esptcp_listener_t, destroy, void,
	private_esptcp_listener_t *this)
{
	this->replacement->destroy(this->replacement);
	this->chooser->destroy(this->chooser);
	free(this);
}

/*
 * Described in header
 */
esptcp_listener_t *esptcp_listener_create(esptcp_connections_t *connections,
										  esptcp_sessions_t *sessions)
{
	private_esptcp_listener_t *this;

	INIT(this,
		.public = {
			.listener = {
				.message = _message,
				.ike_update = _ike_update,
				.ike_reestablish_pre = _ike_reestablish_pre,
				.ike_reestablish_post = _ike_reestablish_post,
				.ike_rekey = _ike_rekey,
				.ike_state_change = _ike_state_change,
			},
			.destroy = _destroy,
		},
		.connections = connections,
		.sessions = sessions,
		.chooser = esptcp_chooser_create(sessions),
		.replacement = thread_value_create(NULL),
	);

	return &this->public;
}
