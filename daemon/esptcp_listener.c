/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_listener.h"
#include "esptcp_config.h"
#include "esptcp_fallback.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <threading/thread_value.h>

/** Seconds from the first IKE_SA until all connections are loaded */
#define NAMES_DELAY 60

/** Milliseconds until an IKE_SA is restarted that we don't know */
#define RESTART_DELAY 500

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
	 * IKE_SAs that may change from UDP to TCP
	 */
	esptcp_fallback_t *fallback;

	/**
	 * TRUE once the names of connections were checked
	 */
	bool checked;

	/**
	 * IKE_SA that a thread is about to initiate in place of another one, which
	 * charon still has as the thread's
	 */
	thread_value_t *replacement;
};

/**
 * Do something with an IKE_SA when its thread has checked it in.
 */
static void queue_job(job_requeue_t (*cb)(ike_sa_id_t*), ike_sa_id_t *id)
{
	lib->processor->queue_job(lib->processor,
				(job_t*)callback_job_create((callback_job_cb_t)cb,
						id->clone(id), (void*)id->destroy, NULL));
}

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
	queue_job(destroy_ike_sa, ike_sa->get_id(ike_sa));
}

/**
 * Say how a message is sent: by the connection of an IKE_SA, over UDP, or not.
 */
static void set_transport(message_t *message, int id)
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
	message->set_destination(message, remote->clone(remote));
	set_natd_hash(message, NAT_DETECTION_SOURCE_IP, local);
	set_natd_hash(message, NAT_DETECTION_DESTINATION_IP, remote);
	message->set_source(message, local);
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
	connection = this->sessions->open(this->sessions, ike_sa, local, remote);
	remote->destroy(remote);
	return connection;
}

/**
 * Check if the request of an IKE_SA may be repeated on the connection it has,
 * with a COOKIE or another key exchange method. The peer would not accept one
 * that begins anew there (RFC 9329 section 6.1).
 */
static bool is_usable(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					  esptcp_connection_t *connection)
{
	host_t *remote = connection->get_remote(connection);

	return connection->get_state(connection) != ESPTCP_CONNECTION_DOWN &&
		   !this->sessions->has_restarted(this->sessions, ike_sa) &&
		   remote->ip_equals(remote, ike_sa->get_other_host(ike_sa));
}

/**
 * Begin an IKE_SA over UDP.
 */
static void use_udp(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					message_t *message, esptcp_path_t *path)
{
	this->sessions->assign(this->sessions, ike_sa, ESPTCP_UDP);
	set_transport(message, ESPTCP_UDP);
	if (path->transport == ESPTCP_TRANSPORT_AUTO)
	{
		DBG1(DBG_IKE, "initiating IKE_SA %s[%d] over UDP, over TCP to port %u "
			 "if there is no response for %u s", ike_sa->get_name(ike_sa),
			 ike_sa->get_unique_id(ike_sa), path->port, path->threshold);
		this->fallback->watch(this->fallback, ike_sa, path->threshold);
	}
}

/**
 * Get what is configured for an IKE_SA, if that can be done.
 */
static bool get_path(ike_sa_t *ike_sa, esptcp_path_t *path)
{
	if (!esptcp_config_get_path(ike_sa->get_name(ike_sa), path))
	{
		return FALSE;
	}
	if (path->transport != ESPTCP_TRANSPORT_UDP &&
		ike_sa->get_version(ike_sa) != IKEV2)
	{
		DBG1(DBG_IKE, "connection '%s' uses TCP, which needs IKEv2: set "
			 "version = 2", ike_sa->get_name(ike_sa));
		return FALSE;
	}
	return TRUE;
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
	esptcp_path_t path;

	if (connection && is_usable(this, ike_sa, connection))
	{
		set_hosts(ike_sa, message, connection);
		return connection;
	}
	DESTROY_IF(connection);

	if (!get_path(ike_sa, &path))
	{
		set_transport(message, ESPTCP_NO_CONNECTION);
		refuse(ike_sa);
		return NULL;
	}
	if (path.transport == ESPTCP_TRANSPORT_UDP ||
		(path.transport == ESPTCP_TRANSPORT_AUTO &&
		 !this->fallback->is_due(this->fallback)))
	{
		use_udp(this, ike_sa, message, &path);
		return NULL;
	}
	connection = open_connection(this, ike_sa, path.port);
	if (connection)
	{
		set_hosts(ike_sa, message, connection);
	}
	else
	{	/* there may be a way to the peer when charon tries anew */
		set_transport(message, ESPTCP_NO_CONNECTION);
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
 * Let an IKE_SA begin anew.
 */
static job_requeue_t restart_ike_sa(ike_sa_id_t *id)
{
	ike_sa_t *ike_sa;

	ike_sa = charon->ike_sa_manager->checkout(charon->ike_sa_manager, id);
	if (!ike_sa)
	{
		return JOB_REQUEUE_NONE;
	}
	ike_sa->reset(ike_sa, TRUE);
	if (ike_sa->initiate(ike_sa, NULL, NULL) == DESTROY_ME)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
	}
	else
	{
		charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
	}
	return JOB_REQUEUE_NONE;
}

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
 * Check names of connections.
 */
static job_requeue_t check_names(void *unused)
{
	esptcp_config_check_names();
	return JOB_REQUEUE_NONE;
}

/**
 * Check names of connections later, as IKE_SAs of some may begin before others
 * have been loaded.
 */
static void schedule_names_check()
{
	lib->scheduler->schedule_job(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)check_names,
											NULL, NULL, NULL), NAMES_DELAY);
}

/**
 * Let the connection of its IKE_SA send a message, or UDP.
 */
static void outgoing(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	esptcp_connection_t *connection;
	ike_sa_id_t *id;

	ike_sa = get_ike_sa(this, ike_sa, message);
	if (!ike_sa)
	{	/* we get to know it when it is checked in, which is about to happen */
		id = message->get_ike_sa_id(message);
		set_transport(message, ESPTCP_NO_CONNECTION);
		lib->scheduler->schedule_job_ms(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)restart_ike_sa,
						id->clone(id), (void*)id->destroy, NULL), RESTART_DELAY);
		return;
	}
	connection = this->sessions->get_connection(this->sessions, ike_sa);
	if (is_initial(message))
	{
		if (!this->checked)
		{
			this->checked = TRUE;
			schedule_names_check();
		}
		connection = choose_transport(this, ike_sa, message, connection);
	}
	else if (this->sessions->uses_udp(this->sessions, ike_sa))
	{
		set_transport(message, ESPTCP_UDP);
	}
	if (connection)
	{
		set_transport(message, ike_sa->get_unique_id(ike_sa));
		connection->destroy(connection);
	}
}

/**
 * Get the number of the connection that a message came on, or ESPTCP_UDP.
 */
static int get_origin(message_t *message)
{
	metadata_t *metadata;
	int id = ESPTCP_UDP;

	metadata = message->get_metadata(message, ESPTCP_METADATA);
	if (metadata)
	{
		metadata->get(metadata, &id);
	}
	return id;
}

/**
 * Let charon ignore a message.
 */
static void ignore(message_t *message)
{
	message->set_exchange_type(message, EXCHANGE_TYPE_UNDEFINED);
}

/**
 * Remove the peer's support for fragments from an initial message, so that we
 * send none (RFC 9329 section 7.5).
 */
static void forget_fragmentation(message_t *message)
{
	notify_payload_t *notify;
	enumerator_t *enumerator;
	payload_t *payload;

	enumerator = message->create_payload_enumerator(message);
	while (enumerator->enumerate(enumerator, &payload))
	{
		if (payload->get_type(payload) != PLV2_NOTIFY)
		{
			continue;
		}
		notify = (notify_payload_t*)payload;
		if (notify->get_notify_type(notify) == FRAGMENTATION_SUPPORTED)
		{
			message->remove_payload_at(message, enumerator);
			payload->destroy(payload);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Note the transport of an IKE_SA that the peer initiates.
 */
static void begin(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
				  message_t *message)
{
	esptcp_connections_t *connections = this->connections;
	int id = get_origin(message);

	if (id != ESPTCP_UDP)
	{
		DBG1(DBG_IKE, "IKE_SA is initiated over TCP from %#H",
			 message->get_source(message));
		forget_fragmentation(message);
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
	ignore(message);
	refuse(ike_sa);
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
	}
	return connection;
}

/**
 * Handle a message that charon has verified, and that is no replay.
 */
static void verified(private_esptcp_listener_t *this, ike_sa_t *ike_sa,
					 message_t *message)
{
	esptcp_connection_t *current, *next;
	int origin = get_origin(message);

	current = this->sessions->get_connection(this->sessions, ike_sa);
	if (current ? origin == ESPTCP_UDP
				: origin != ESPTCP_UDP &&
				  this->sessions->uses_udp(this->sessions, ike_sa))
	{
		DBG1(DBG_IKE, "message over %s from %#H ignored, IKE_SA %s[%d] uses %s "
			 "and can't change that", current ? "UDP" : "TCP",
			 message->get_source(message), ike_sa->get_name(ike_sa),
			 ike_sa->get_unique_id(ike_sa), current ? "TCP" : "UDP");
		ignore(message);
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
		}
		if (message->get_exchange_type(message) == IKE_SA_INIT)
		{
			forget_fragmentation(message);
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
		this->sessions->note(this->sessions, ike_sa, get_origin(message));
	}
	else if (in && is_initial(message))
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
	if (state == IKE_DESTROYING)
	{
		this->sessions->release(this->sessions, ike_sa);
	}
	return TRUE;
}

METHOD(esptcp_listener_t, destroy, void,
	private_esptcp_listener_t *this)
{
	this->replacement->destroy(this->replacement);
	this->fallback->destroy(this->fallback);
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
		.fallback = esptcp_fallback_create(),
		.replacement = thread_value_create(NULL),
	);

	return &this->public;
}
