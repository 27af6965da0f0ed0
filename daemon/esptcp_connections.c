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
	/** another one with the same address and port of the peer, or NULL */
	entry_t *next;
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
	 * The same, address and port of the peer => list of entry_t
	 */
	hashtable_t *remotes;

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
	 * Protects the tables
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
 * Hash of an address and port.
 */
static u_int remote_hash(const void *key)
{
	host_t *host = (host_t*)key;
	uint16_t port = host->get_port(host);

	return chunk_hash_inc(host->get_address(host),
						  chunk_hash(chunk_from_thing(port)));
}

/**
 * Compare addresses and ports.
 */
static bool remote_equals(const void *key, const void *other_key)
{
	host_t *host = (host_t*)key;

	return host->equals(host, (host_t*)other_key);
}

/**
 * Add a connection to the tables. With the lock.
 */
static void add_entry(private_esptcp_connections_t *this,
					  esptcp_connection_t *connection)
{
	entry_t *entry;

	INIT(entry,
		.connection = connection,
	);
	this->connections->put(this->connections,
						   key(connection->get_id(connection)), entry);
	entry->next = this->remotes->put(this->remotes,
									 connection->get_remote(connection), entry);
}

/**
 * Take a connection out of the tables, if it is there. With the lock, under
 * which somebody has decided that.
 *
 * @return				entry to close without the lock, NULL if it is gone
 */
static entry_t *take_entry(private_esptcp_connections_t *this, uint32_t id)
{
	entry_t *entry, *first, **link = &first;
	host_t *remote;

	entry = this->connections->remove(this->connections, key(id));
	if (!entry)
	{
		return NULL;
	}
	/* the key in the table may be the one of this connection */
	remote = entry->connection->get_remote(entry->connection);
	first = this->remotes->remove(this->remotes, remote);
	while (*link != entry)
	{
		link = &(*link)->next;
	}
	*link = entry->next;
	if (first)
	{
		remote = first->connection->get_remote(first->connection);
		this->remotes->put(this->remotes, remote, first);
	}
	this->guests->leave(this->guests, id);
	return entry;
}

/**
 * Close a connection that was taken out of the tables.
 */
static void close_entry(entry_t *entry)
{
	entry->connection->close(entry->connection);
	entry->connection->destroy(entry->connection);
	free(entry);
}

/**
 * Create a job that checks a connection.
 */
static job_t *create_check(private_esptcp_connections_t *this, uint32_t id,
						   job_requeue_t (*cb)(check_t*))
{
	check_t *check;

	INIT(check,
		.this = this,
		.id = id,
	);
	return (job_t*)callback_job_create((callback_job_cb_t)cb, check, free, NULL);
}

/**
 * Remove a connection whose IKE_SAs have gone, unless others have come.
 */
static job_requeue_t check_unused(check_t *check)
{
	private_esptcp_connections_t *this = check->this;
	entry_t *entry, *unused = NULL;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(check->id));
	if (entry && !entry->users)
	{
		unused = take_entry(this, check->id);
	}
	this->mutex->unlock(this->mutex);
	if (unused)
	{
		close_entry(unused);
	}
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
	entry_t *entry, *refused = NULL;
	esptcp_counter_t reason;
	u_int age, wait = 0;
	bool waiting;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(check->id));
	age = this->guests->get_age(this->guests, check->id, &waiting);
	if (entry && age != UINT_MAX)
	{
		wait = get_wait(this, entry->connection, age, waiting, &reason);
		if (!wait)
		{
			refused = take_entry(this, check->id);
		}
	}
	this->mutex->unlock(this->mutex);
	if (refused)
	{
		log_refusal(this, refused->connection, reason);
		close_entry(refused);
	}
	return wait ? JOB_RESCHEDULE(wait) : JOB_REQUEUE_NONE;
}

/**
 * A peer's connection has ended. This is called with its lock, so that a job
 * does the rest.
 */
static void ended(private_esptcp_connections_t *this, uint32_t id)
{
	this->guests->leave(this->guests, id);
	lib->processor->queue_job(lib->processor,
							  create_check(this, id, check_unused));
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
 * finds it in the table, and no IKE_SA begins on the one that it displaces.
 *
 * @return				entry of that, NULL if it displaces none
 */
static entry_t *add_guest(private_esptcp_connections_t *this, int fd,
						  host_t *peer)
{
	esptcp_connection_t *connection;
	uint32_t id = ++this->last_id, displaced;

	if (!this->guests->admit(this->guests, id, peer, &displaced))
	{
		close(fd);
		return NULL;
	}
	this->counters->add(this->counters, ESPTCP_ACCEPTED);
	connection = esptcp_connection_create_responder(id, fd, &this->surroundings);
	if (connection)
	{
		add_entry(this, connection);
		lib->scheduler->schedule_job(lib->scheduler,
									 create_check(this, id, check_guest),
									 esptcp_config_get_prefix_timeout());
	}
	else
	{
		this->guests->leave(this->guests, id);
	}
	return take_entry(this, displaced);
}

METHOD(esptcp_connections_t, accept_, void,
	private_esptcp_connections_t *this, int fd, host_t *peer)
{
	entry_t *displaced;

	this->mutex->lock(this->mutex);
	displaced = add_guest(this, fd, peer);
	this->mutex->unlock(this->mutex);
	if (displaced)
	{
		close_entry(displaced);
	}
}

METHOD(esptcp_connections_t, make_room, bool,
	private_esptcp_connections_t *this)
{
	entry_t *displaced;

	this->mutex->lock(this->mutex);
	displaced = take_entry(this, this->guests->displace(this->guests));
	this->mutex->unlock(this->mutex);
	if (displaced)
	{
		close_entry(displaced);
	}
	return displaced != NULL;
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
 * Check if a connection with the peer's address and port is the one for a
 * packet.
 */
static bool matches(entry_t *entry, packet_t *packet)
{
	esptcp_connection_t *connection = entry->connection;
	host_t *local;
	bool match;

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
	entry_t *entry, *found = NULL;

	this->mutex->lock(this->mutex);
	entry = this->remotes->get(this->remotes, packet->get_destination(packet));
	for (; entry; entry = entry->next)
	{
		connection = entry->connection;
		if (matches(entry, packet) &&
			(!found || connection->get_state(connection) ==
													ESPTCP_CONNECTION_UP))
		{	/* an older one from the same port may be down */
			found = entry;
		}
	}
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
		this->guests->proceed(this->guests, id);
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
}

METHOD(esptcp_connections_t, proceed, void,
	private_esptcp_connections_t *this, uint32_t id)
{
	this->guests->proceed(this->guests, id);
}

METHOD(esptcp_connections_t, trust, void,
	private_esptcp_connections_t *this, uint32_t id)
{
	this->mutex->lock(this->mutex);
	this->guests->leave(this->guests, id);
	this->mutex->unlock(this->mutex);
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
		lib->scheduler->schedule_job(lib->scheduler,
									 create_check(this, id, check_unused),
									 connection->is_originator(connection) ?
											ORIGINATOR_LINGER : RESPONDER_LINGER);
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
		close_entry(entry);
	}
	enumerator->destroy(enumerator);
	this->connections->destroy(this->connections);
	this->remotes->destroy(this->remotes);
	this->guests->destroy(this->guests);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_connections_t *esptcp_connections_create(esptcp_poller_t *poller,
												esptcp_netlink_t *netlink,
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
			.make_room = _make_room,
			.get = _get,
			.get_by_packet = _get_by_packet,
			.use = _use,
			.proceed = _proceed,
			.trust = _trust,
			.unuse = _unuse,
			.get_users = _get_users,
			.set_resumed = _set_resumed,
			.destroy = _destroy,
		},
		.connections = hashtable_create(hashtable_hash_ptr,
										hashtable_equals_ptr, 8),
		.remotes = hashtable_create(remote_hash, remote_equals, 8),
		.surroundings = {
			.poller = poller,
			.netlink = netlink,
			.bindings = bindings,
			.queue = queue,
			.counters = counters,
		},
		.guests = esptcp_guests_create(counters),
		.counters = counters,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	this->surroundings.ended = (void*)ended;
	this->surroundings.connections = this;

	return &this->public;
}
