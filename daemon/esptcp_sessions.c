/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_sessions.h"

#include <daemon.h>
#include <collections/hashtable.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

/** Seconds after which the last message of an IKE_SA has been sent */
#define LINGER 5

/** Number that no connection has */
#define NO_CONNECTION 0

typedef struct private_esptcp_sessions_t private_esptcp_sessions_t;
typedef struct session_t session_t;
typedef struct forget_t forget_t;

/**
 * Private data of an esptcp_sessions_t object.
 */
struct private_esptcp_sessions_t {

	/**
	 * Public esptcp_sessions_t interface.
	 */
	esptcp_sessions_t public;

	/**
	 * Unique ID of an IKE_SA => session_t
	 */
	hashtable_t *sessions;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;

	/**
	 * Protects sessions, held before the locks of connections
	 */
	mutex_t *mutex;
};

/**
 * What an IKE_SA uses.
 */
struct session_t {
	/** unique ID of the IKE_SA */
	uint32_t unique_id;
	/** number of the connection, ESPTCP_UDP, or NO_CONNECTION */
	int id;
	/** SPI with which the IKE_SA began to use the connection */
	uint64_t spi;
	/** where its latest message came from, which may be anybody's */
	int noted;
	/** TRUE when the IKE_SA is gone */
	bool released;
};

/**
 * Data of a job that forgets an IKE_SA.
 */
struct forget_t {
	/** the table */
	private_esptcp_sessions_t *this;
	/** unique ID of the IKE_SA */
	uint32_t unique_id;
};

/**
 * Key of an IKE_SA in the table.
 */
static void *key(uint32_t unique_id)
{
	return (void*)(uintptr_t)unique_id;
}

/**
 * Get the session of an IKE_SA, NULL if there is none.
 */
static session_t *get(private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	return this->sessions->get(this->sessions,
							   key(ike_sa->get_unique_id(ike_sa)));
}

/**
 * Get the session of an IKE_SA, a new one if need be.
 */
static session_t *get_or_create(private_esptcp_sessions_t *this,
								ike_sa_t *ike_sa)
{
	session_t *session = get(this, ike_sa);

	if (!session)
	{
		INIT(session,
			.unique_id = ike_sa->get_unique_id(ike_sa),
		);
		this->sessions->put(this->sessions, key(session->unique_id), session);
	}
	return session;
}

/**
 * Let a session use a connection, UDP, or none.
 */
static bool set_id(private_esptcp_sessions_t *this, session_t *session, int id)
{
	int old = session->id;

	if (id > 0 && !this->connections->use(this->connections, id))
	{
		return FALSE;
	}
	session->id = id;
	if (old > 0)
	{
		this->connections->unuse(this->connections, old);
	}
	return TRUE;
}

METHOD(esptcp_sessions_t, assign, bool,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa, int id)
{
	ike_sa_id_t *ike_sa_id = ike_sa->get_id(ike_sa);
	session_t *session;
	bool success;

	this->mutex->lock(this->mutex);
	session = get_or_create(this, ike_sa);
	success = set_id(this, session, id);
	session->spi = ike_sa_id->get_initiator_spi(ike_sa_id);
	this->mutex->unlock(this->mutex);
	return success;
}

METHOD(esptcp_sessions_t, open_, esptcp_connection_t*,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa, host_t *local,
	host_t *remote)
{
	esptcp_connection_t *connection;

	connection = this->connections->open(this->connections, local, remote);
	assign(this, ike_sa, connection ? connection->get_id(connection)
									: NO_CONNECTION);
	return connection;
}

METHOD(esptcp_sessions_t, get_connection, esptcp_connection_t*,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	esptcp_connection_t *connection = NULL;
	session_t *session;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	if (session && session->id > 0)
	{
		connection = this->connections->get(this->connections, session->id);
	}
	this->mutex->unlock(this->mutex);
	return connection;
}

METHOD(esptcp_sessions_t, get_for_packet, esptcp_connection_t*,
	private_esptcp_sessions_t *this, uint32_t unique_id, packet_t *packet)
{
	esptcp_connection_t *connection;
	session_t *session;

	connection = this->connections->get_by_packet(this->connections, packet);
	if (connection && connection->is_answer(connection, packet))
	{
		return connection;
	}
	DESTROY_IF(connection);
	connection = NULL;

	this->mutex->lock(this->mutex);
	session = this->sessions->get(this->sessions, key(unique_id));
	if (session && session->id > 0)
	{
		connection = this->connections->get(this->connections, session->id);
	}
	this->mutex->unlock(this->mutex);
	return connection;
}

METHOD(esptcp_sessions_t, uses_udp, bool,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	session_t *session;
	bool udp;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	udp = session && session->id == ESPTCP_UDP;
	this->mutex->unlock(this->mutex);
	return udp;
}

METHOD(esptcp_sessions_t, is_known, bool,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	bool known;

	this->mutex->lock(this->mutex);
	known = get(this, ike_sa) != NULL;
	this->mutex->unlock(this->mutex);
	return known;
}

METHOD(esptcp_sessions_t, has_restarted, bool,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	session_t *session;
	bool restarted;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	restarted = session && session->spi != id->get_initiator_spi(id);
	this->mutex->unlock(this->mutex);
	return restarted;
}

METHOD(esptcp_sessions_t, note, void,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa, int id)
{
	session_t *session;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	if (session)
	{
		session->noted = id;
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Move everything from one connection to another.
 */
static void move_all(private_esptcp_sessions_t *this, uint32_t from,
					 uint32_t to)
{
	enumerator_t *enumerator;
	session_t *session;

	enumerator = this->sessions->create_enumerator(this->sessions);
	while (enumerator->enumerate(enumerator, NULL, &session))
	{
		if (session->id == from && !session->released)
		{
			set_id(this, session, to);
		}
	}
	enumerator->destroy(enumerator);
}

/**
 * Let a session's connection be succeeded by another one, which is in use
 * meanwhile, so that it is not closed as one that waits.
 */
static bool replace(private_esptcp_sessions_t *this, session_t *session,
					esptcp_connection_t *old, esptcp_connection_t *new)
{
	uint32_t id = session->noted;
	bool success;

	if (!this->connections->use(this->connections, id))
	{
		return FALSE;
	}
	success = new->succeed(new, old);
	if (success)
	{
		move_all(this, session->id, id);
	}
	this->connections->unuse(this->connections, id);
	return success;
}

METHOD(esptcp_sessions_t, follow, esptcp_connection_t*,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	esptcp_connection_t *old = NULL, *new = NULL;
	session_t *session;
	bool moved = FALSE;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	if (session && session->id > 0 && session->noted > 0 &&
		session->id != session->noted)
	{
		old = this->connections->get(this->connections, session->id);
		new = this->connections->get(this->connections, session->noted);
	}
	/* we alone open the connections of what we initiated (RFC 9329, 1.2) */
	if (old && new && !old->is_originator(old))
	{
		/* one connection is not for two (RFC 9329 section 6.1) */
		if (this->connections->get_users(this->connections, session->noted))
		{
			DBG1(DBG_IKE, "IKE_SA %s[%d] stays on its TCP connection, the one "
				 "from %#H is that of another IKE_SA", ike_sa->get_name(ike_sa),
				 session->unique_id, new->get_remote(new));
		}
		else
		{
			moved = replace(this, session, old, new);
		}
	}
	this->mutex->unlock(this->mutex);
	DESTROY_IF(old);
	if (!moved)
	{
		DESTROY_IF(new);
		return NULL;
	}
	return new;
}

METHOD(esptcp_sessions_t, inherit, void,
	private_esptcp_sessions_t *this, ike_sa_t *old, ike_sa_t *new)
{
	session_t *session;

	this->mutex->lock(this->mutex);
	session = get(this, old);
	if (session)
	{
		assign(this, new, session->id);
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Forget an IKE_SA.
 */
static job_requeue_t forget(forget_t *job)
{
	private_esptcp_sessions_t *this = job->this;
	session_t *session;

	this->mutex->lock(this->mutex);
	session = this->sessions->remove(this->sessions, key(job->unique_id));
	free(session);
	this->mutex->unlock(this->mutex);
	return JOB_REQUEUE_NONE;
}

METHOD(esptcp_sessions_t, release, void,
	private_esptcp_sessions_t *this, ike_sa_t *ike_sa)
{
	session_t *session;
	forget_t *job;

	this->mutex->lock(this->mutex);
	session = get(this, ike_sa);
	if (session && !session->released)
	{
		session->released = TRUE;
		if (session->id > 0)
		{
			this->connections->unuse(this->connections, session->id);
		}
		INIT(job,
			.this = this,
			.unique_id = session->unique_id,
		);
		lib->scheduler->schedule_job(lib->scheduler,
					(job_t*)callback_job_create((callback_job_cb_t)forget, job,
												free, NULL), LINGER);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_sessions_t, get_ike_sas, array_t*,
	private_esptcp_sessions_t *this, uint32_t id)
{
	enumerator_t *enumerator;
	session_t *session;
	array_t *ike_sas;

	ike_sas = array_create(sizeof(uint32_t), 0);
	this->mutex->lock(this->mutex);
	enumerator = this->sessions->create_enumerator(this->sessions);
	while (enumerator->enumerate(enumerator, NULL, &session))
	{
		if (session->id == id && !session->released)
		{
			array_insert(ike_sas, ARRAY_TAIL, &session->unique_id);
		}
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);
	return ike_sas;
}

CALLBACK(session_destroy, void,
	session_t *session, const void *key)
{
	free(session);
}

METHOD(esptcp_sessions_t, destroy, void,
	private_esptcp_sessions_t *this)
{
	this->sessions->destroy_function(this->sessions, session_destroy);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_sessions_t *esptcp_sessions_create(esptcp_connections_t *connections)
{
	private_esptcp_sessions_t *this;

	INIT(this,
		.public = {
			.open = _open_,
			.assign = _assign,
			.get_connection = _get_connection,
			.get_for_packet = _get_for_packet,
			.uses_udp = _uses_udp,
			.is_known = _is_known,
			.has_restarted = _has_restarted,
			.note = _note,
			.follow = _follow,
			.inherit = _inherit,
			.release = _release,
			.get_ike_sas = _get_ike_sas,
			.destroy = _destroy,
		},
		.sessions = hashtable_create(hashtable_hash_ptr,
									 hashtable_equals_ptr, 32),
		.connections = connections,
		.mutex = mutex_create(MUTEX_TYPE_RECURSIVE),
	);

	return &this->public;
}
