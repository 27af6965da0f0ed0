/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_connections.h"
#include "esptcp_config.h"
#include "esptcp_guests.h"

#include <daemon.h>
#include <collections/array.h>
#include <collections/hashtable.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <limits.h>
#include <unistd.h>

/** Seconds until we close a connection of ours after its last IKE_SA */
#define ORIGINATOR_LINGER 1

/** Seconds until we close a peer's connection after its last IKE_SA, if the
 *  peer does not (RFC 9329 section 6.1) */
#define RESPONDER_LINGER 5

typedef struct private_esptcp_connections_t private_esptcp_connections_t;
typedef struct entry_t entry_t;
typedef struct check_t check_t;

/**
 * A connection in the tables.
 */
struct entry_t {
	/** the connection */
	esptcp_connection_t *connection;
	/** number of IKE_SAs that use it */
	u_int users;
};

/**
 * Private data of an esptcp_connections_t object.
 */
struct private_esptcp_connections_t {

	/**
	 * Public esptcp_connections_t interface.
	 */
	esptcp_connections_t public;

	/**
	 * All connections, number => entry_t
	 */
	hashtable_t *connections;

	/**
	 * Number of the last connection
	 */
	uint32_t last_id;

	/**
	 * What connections use
	 */
	esptcp_surroundings_t surroundings;

	/**
	 * Those without an established IKE_SA
	 */
	esptcp_guests_t *guests;

	/**
	 * Counts what strangers do
	 */
	esptcp_counters_t *counters;

	/**
	 * Protects the table
	 */
	mutex_t *mutex;
};

/**
 * Data of a job that checks a connection.
 */
struct check_t {
	/** the table */
	private_esptcp_connections_t *this;
	/** number of the connection */
	uint32_t id;
};

/**
 * Key of a number in a hashtable.
 */
static void *key(uint32_t id)
{
	return (void*)(uintptr_t)id;
}

/**
 * Close a connection that is not in the table any more. Not with the lock.
 */
static void entry_destroy(entry_t *this)
{
	this->connection->close(this->connection);
	this->connection->destroy(this->connection);
	free(this);
}

/**
 * Take a connection out of the table and close it.
 *
 * @param unused		TRUE to do so only if no IKE_SA uses it
 */
static void remove_connection(private_esptcp_connections_t *this, uint32_t id,
							  bool unused)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(id));
	if (entry && unused && entry->users)
	{
		entry = NULL;
	}
	if (entry)
	{
		this->connections->remove(this->connections, key(id));
	}
	this->mutex->unlock(this->mutex);
	if (entry)
	{
		entry_destroy(entry);
	}
}

/**
 * Schedule the check of a connection.
 */
static void schedule_check(private_esptcp_connections_t *this, uint32_t id,
						   job_requeue_t (*cb)(check_t*), uint32_t seconds)
{
	check_t *check;

	INIT(check,
		.this = this,
		.id = id,
	);
	lib->scheduler->schedule_job(lib->scheduler,
					(job_t*)callback_job_create((callback_job_cb_t)cb, check,
												free, NULL), seconds);
}

/**
 * Remove a connection whose IKE_SAs have gone, unless others have come.
 */
static job_requeue_t check_unused(check_t *check)
{
	remove_connection(check->this, check->id, TRUE);
	return JOB_REQUEUE_NONE;
}

/**
 * Get the time that a peer still has to show who it is. For an IKE_SA it counts
 * from the peer's last message, as charon may have work enough without it.
 *
 * @param reason		gets what is the matter when there is none
 * @return				seconds, 0 for none
 */
static u_int get_wait(private_esptcp_connections_t *this,
					  esptcp_connection_t *connection, u_int age, bool waiting,
					  esptcp_counter_t *reason)
{
	u_int limit = esptcp_config_get_establish_timeout(), timeout = limit;
	u_int since = age;

	*reason = ESPTCP_NOT_ESTABLISHED;
	if (connection->get_state(connection) == ESPTCP_CONNECTION_PREFIX)
	{
		*reason = ESPTCP_NO_PREFIX;
		timeout = esptcp_config_get_prefix_timeout();
	}
	else if (waiting && age < limit)
	{
		*reason = ESPTCP_NO_IKE_SA;
		timeout = esptcp_config_get_ike_timeout();
		since = min(age, connection->get_silence(connection));
	}
	return since < timeout && age < limit ? min(timeout - since, limit - age) : 0;
}

/**
 * Log and count that a connection is closed, whose peer did not show who it is.
 */
static void log_refusal(private_esptcp_connections_t *this,
						esptcp_connection_t *connection, esptcp_counter_t reason)
{
	host_t *remote = connection->get_remote(connection);

	if (!this->counters->add(this->counters, reason))
	{
		return;
	}
	switch (reason)
	{
		case ESPTCP_NO_PREFIX:
			DBG1(DBG_NET, "no stream prefix from %#H on TCP within %u seconds",
				 remote, esptcp_config_get_prefix_timeout());
			break;
		case ESPTCP_NO_IKE_SA:
			DBG1(DBG_NET, "no IKE_SA from %#H on TCP within %u seconds", remote,
				 esptcp_config_get_ike_timeout());
			break;
		default:
			DBG1(DBG_NET, "no IKE_SA from %#H on TCP was established within %u "
				 "seconds", remote, esptcp_config_get_establish_timeout());
			break;
	}
}

/**
 * Remove a connection whose peer does not show who it is.
 */
static job_requeue_t check_guest(check_t *check)
{
	private_esptcp_connections_t *this = check->this;
	esptcp_connection_t *connection;
	esptcp_counter_t reason;
	u_int age, wait = 0;
	bool waiting;

	connection = this->public.get(&this->public, check->id);
	if (!connection)
	{
		return JOB_REQUEUE_NONE;
	}
	age = this->guests->get_age(this->guests, check->id, &waiting);
	if (age != UINT_MAX)
	{
		wait = get_wait(this, connection, age, waiting, &reason);
		if (!wait)
		{
			log_refusal(this, connection, reason);
			remove_connection(this, check->id, FALSE);
		}
	}
	else if (connection->get_state(connection) == ESPTCP_CONNECTION_DOWN)
	{
		remove_connection(this, check->id, TRUE);
	}
	connection->destroy(connection);
	return wait ? JOB_RESCHEDULE(wait) : JOB_REQUEUE_NONE;
}

/**
 * Add a connection to the table.
 */
static entry_t *add_entry(private_esptcp_connections_t *this,
						  esptcp_connection_t *connection)
{
	entry_t *entry;

	INIT(entry,
		.connection = connection,
	);
	this->connections->put(this->connections,
						   key(connection->get_id(connection)), entry);
	return entry;
}

/**
 * Get a new reference to the connection of an entry, if there is one.
 */
static esptcp_connection_t *get_ref(entry_t *entry)
{
	return entry ? entry->connection->get_ref(entry->connection) : NULL;
}

METHOD(esptcp_connections_t, open_, esptcp_connection_t*,
	private_esptcp_connections_t *this, host_t *local, host_t *remote)
{
	esptcp_connection_t *connection;

	this->mutex->lock(this->mutex);
	connection = esptcp_connection_create_originator(++this->last_id, local,
												remote, &this->surroundings);
	if (connection)
	{
		add_entry(this, connection);
		connection->get_ref(connection);
	}
	this->mutex->unlock(this->mutex);
	return connection;
}

/**
 * Add a connection that was accepted. With the lock, so that a first message
 * finds it in the table.
 */
static void add_guest(private_esptcp_connections_t *this, int fd, host_t *peer,
					  uint32_t *displaced)
{
	esptcp_connection_t *connection;
	uint32_t id = ++this->last_id;

	if (!this->guests->admit(this->guests, id, peer, displaced))
	{
		close(fd);
		return;
	}
	this->counters->add(this->counters, ESPTCP_ACCEPTED);
	connection = esptcp_connection_create_responder(id, fd, &this->surroundings);
	if (!connection)
	{
		this->guests->leave(this->guests, id);
		return;
	}
	add_entry(this, connection);
	schedule_check(this, id, check_guest, esptcp_config_get_prefix_timeout());
}

METHOD(esptcp_connections_t, accept_, void,
	private_esptcp_connections_t *this, int fd, host_t *peer)
{
	uint32_t displaced;

	this->mutex->lock(this->mutex);
	add_guest(this, fd, peer, &displaced);
	this->mutex->unlock(this->mutex);
	remove_connection(this, displaced, FALSE);
}

METHOD(esptcp_connections_t, get, esptcp_connection_t*,
	private_esptcp_connections_t *this, uint32_t id)
{
	esptcp_connection_t *connection;

	this->mutex->lock(this->mutex);
	connection = get_ref(this->connections->get(this->connections, key(id)));
	this->mutex->unlock(this->mutex);
	return connection;
}

/**
 * Check if a connection is the one for a packet.
 */
static bool matches(entry_t *entry, packet_t *packet)
{
	esptcp_connection_t *connection = entry->connection;
	host_t *remote = packet->get_destination(packet), *local;
	bool match;

	if (!remote->equals(remote, connection->get_remote(connection)))
	{
		return FALSE;
	}
	local = connection->get_local(connection);
	match = local->equals(local, packet->get_source(packet));
	local->destroy(local);
	return match &&
		   (entry->users || connection->is_answer(connection, packet));
}

METHOD(esptcp_connections_t, get_by_packet, esptcp_connection_t*,
	private_esptcp_connections_t *this, packet_t *packet)
{
	esptcp_connection_t *connection;
	enumerator_t *enumerator;
	entry_t *entry, *found = NULL;

	this->mutex->lock(this->mutex);
	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, NULL, &entry))
	{
		connection = entry->connection;
		if (matches(entry, packet) &&
			(!found || connection->get_state(connection) ==
													ESPTCP_CONNECTION_UP))
		{	/* an older one from the same port may be down */
			found = entry;
		}
	}
	enumerator->destroy(enumerator);
	connection = get_ref(found);
	this->mutex->unlock(this->mutex);
	return connection;
}

METHOD(esptcp_connections_t, use, bool,
	private_esptcp_connections_t *this, uint32_t id)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(id));
	if (entry)
	{
		entry->users++;
		this->guests->begin(this->guests, id);
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
}

METHOD(esptcp_connections_t, trust, void,
	private_esptcp_connections_t *this, uint32_t id)
{
	this->guests->leave(this->guests, id);
}

METHOD(esptcp_connections_t, unuse, void,
	private_esptcp_connections_t *this, uint32_t id)
{
	esptcp_connection_t *connection;
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(id));
	if (entry && --entry->users == 0)
	{
		connection = entry->connection;
		schedule_check(this, id, check_unused,
					   connection->is_originator(connection) ? ORIGINATOR_LINGER
															 : RESPONDER_LINGER);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_connections_t, get_users, u_int,
	private_esptcp_connections_t *this, uint32_t id)
{
	entry_t *entry;
	u_int users;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(id));
	users = entry ? entry->users : 0;
	this->mutex->unlock(this->mutex);
	return users;
}

METHOD(esptcp_connections_t, set_resumed, void,
	private_esptcp_connections_t *this, void (*resumed)(void*,uint32_t),
	void *data)
{
	this->surroundings.resumed = resumed;
	this->surroundings.data = data;
}

METHOD(kernel_listener_t, roam, bool,
	private_esptcp_connections_t *this, bool address)
{
	esptcp_connection_t *connection;
	enumerator_t *enumerator;
	entry_t *entry;
	array_t *all;

	all = array_create(0, 0);
	this->mutex->lock(this->mutex);
	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, NULL, &entry))
	{
		array_insert(all, ARRAY_TAIL, get_ref(entry));
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);

	while (array_remove(all, ARRAY_HEAD, &connection))
	{
		connection->roam(connection);
		connection->destroy(connection);
	}
	array_destroy(all);
	return TRUE;
}

METHOD(esptcp_connections_t, destroy, void,
	private_esptcp_connections_t *this)
{
	enumerator_t *enumerator;
	entry_t *entry;

	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, NULL, &entry))
	{
		entry_destroy(entry);
	}
	enumerator->destroy(enumerator);
	this->connections->destroy(this->connections);
	this->guests->destroy(this->guests);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_connections_t *esptcp_connections_create(esptcp_netlink_t *netlink,
												esptcp_bindings_t *bindings,
												esptcp_queue_t *queue,
												esptcp_counters_t *counters)
{
	private_esptcp_connections_t *this;

	INIT(this,
		.public = {
			.listener = {
				.roam = _roam,
			},
			.open = _open_,
			.accept = _accept_,
			.get = _get,
			.get_by_packet = _get_by_packet,
			.use = _use,
			.trust = _trust,
			.unuse = _unuse,
			.get_users = _get_users,
			.set_resumed = _set_resumed,
			.destroy = _destroy,
		},
		.connections = hashtable_create(hashtable_hash_ptr,
										hashtable_equals_ptr, 8),
		.surroundings = {
			.netlink = netlink,
			.bindings = bindings,
			.queue = queue,
			.counters = counters,
		},
		.guests = esptcp_guests_create(counters),
		.counters = counters,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	this->surroundings.guests = this->guests;

	return &this->public;
}
