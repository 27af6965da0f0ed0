/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_connections.h"
#include "esptcp_config.h"

#include <daemon.h>
#include <collections/array.h>
#include <collections/hashtable.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <unistd.h>

/** Seconds until we close a connection of ours after its last IKE_SA */
#define ORIGINATOR_LINGER 1

/** Seconds until we close a peer's connection after its last IKE_SA, if the
 *  peer does not (RFC 9329 section 6.1) */
#define RESPONDER_LINGER 5

/** Octets of an IPv6 address that one peer has, who may use all behind them */
#define IPV6_NETWORK_LEN 8

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
	/** TRUE if there ever was one */
	bool used;
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
	 * Counts what strangers do
	 */
	esptcp_counters_t *counters;

	/**
	 * Protects the table
	 */
	mutex_t *mutex;
};

/**
 * Data of a job that checks if a connection is still unused.
 */
struct check_t {
	/** the table */
	private_esptcp_connections_t *this;
	/** number of the connection */
	uint32_t id;
	/** TRUE to check for the prefix only */
	bool prefix;
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
 * Log and count that a peer's connection goes without having been used.
 */
static void log_unused(private_esptcp_connections_t *this, entry_t *entry,
					   bool prefix)
{
	esptcp_counters_t *counters = this->counters;
	esptcp_connection_t *connection = entry->connection;

	if (prefix)
	{
		if (counters->add(counters, ESPTCP_NO_PREFIX))
		{
			DBG1(DBG_NET, "no stream prefix from %#H on TCP within %u seconds",
				 connection->get_remote(connection),
				 esptcp_config_get_prefix_timeout());
		}
	}
	else if (!entry->used && !connection->is_originator(connection))
	{
		if (connection->get_state(connection) == ESPTCP_CONNECTION_UP &&
			counters->add(counters, ESPTCP_NO_IKE_SA))
		{
			DBG1(DBG_NET, "no IKE_SA from %#H on TCP within %u seconds",
				 connection->get_remote(connection),
				 esptcp_config_get_ike_timeout());
		}
	}
}

/**
 * Get the time that a peer has for an IKE_SA since its last message, as charon
 * may have work enough without it.
 *
 * @return				seconds, 0 if there is nothing to wait for
 */
static u_int get_wait(entry_t *entry)
{
	u_int timeout = esptcp_config_get_ike_timeout(), silence;

	if (entry->used || entry->connection->is_originator(entry->connection))
	{
		return 0;
	}
	silence = entry->connection->get_silence(entry->connection);
	return silence < timeout ? timeout - silence : 0;
}

/**
 * Remove a connection if nobody uses it.
 */
static job_requeue_t check_unused(check_t *check)
{
	private_esptcp_connections_t *this = check->this;
	u_int wait = 0;
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->connections->get(this->connections, key(check->id));
	if (entry && !check->prefix)
	{
		wait = get_wait(entry);
	}
	if (wait)
	{
		entry = NULL;
	}
	else if (entry && !entry->users &&
		(!check->prefix || entry->connection->get_state(entry->connection) ==
													ESPTCP_CONNECTION_PREFIX))
	{
		this->connections->remove(this->connections, key(check->id));
	}
	else
	{
		entry = NULL;
	}
	this->mutex->unlock(this->mutex);

	if (wait)
	{
		return JOB_RESCHEDULE(wait);
	}
	if (entry)
	{
		log_unused(this, entry, check->prefix);
		entry_destroy(entry);
	}
	return JOB_REQUEUE_NONE;
}

/**
 * Check later if a connection is unused.
 */
static void schedule_check(private_esptcp_connections_t *this, uint32_t id,
						   bool prefix, uint32_t seconds)
{
	check_t *check;

	INIT(check,
		.this = this,
		.id = id,
		.prefix = prefix,
	);
	lib->scheduler->schedule_job(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)check_unused,
							check, free, NULL), seconds);
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
 * Check if two peers count as one: the same address, or network in IPv6.
 */
static bool is_same_peer(host_t *a, host_t *b)
{
	chunk_t x = a->get_address(a), y = b->get_address(b);

	return x.len == y.len && memeq(x.ptr, y.ptr, min(x.len, IPV6_NETWORK_LEN));
}

/**
 * Check if a connection waits for an IKE_SA.
 */
static bool is_half_open(entry_t *entry)
{
	return !entry->users && entry->connection->get_state(entry->connection) !=
													ESPTCP_CONNECTION_DOWN;
}

/**
 * Count the connections that wait for an IKE_SA, all or those of a peer.
 */
static u_int count_half_open(private_esptcp_connections_t *this, host_t *peer)
{
	enumerator_t *enumerator;
	entry_t *entry;
	u_int count = 0;

	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, NULL, &entry))
	{
		if (is_half_open(entry) && (!peer || is_same_peer(peer,
							entry->connection->get_remote(entry->connection))))
		{
			count++;
		}
	}
	enumerator->destroy(enumerator);
	return count;
}

/**
 * Take out the oldest half-open connection of the peer that has most of them,
 * if that is more than the peer has who wants its place.
 *
 * @return				entry to destroy, NULL if there is none
 */
static entry_t *displace(private_esptcp_connections_t *this, host_t *peer)
{
	u_int count, most = count_half_open(this, peer) + 1;
	enumerator_t *enumerator;
	entry_t *entry, *found = NULL;
	uint32_t id = 0;

	enumerator = this->connections->create_enumerator(this->connections);
	while (enumerator->enumerate(enumerator, NULL, &entry))
	{
		if (!is_half_open(entry) ||
			entry->connection->is_originator(entry->connection))
		{
			continue;
		}
		count = count_half_open(this,
							entry->connection->get_remote(entry->connection));
		if (count > most || (count == most && found &&
			entry->connection->get_id(entry->connection) < id))
		{
			most = count;
			found = entry;
			id = entry->connection->get_id(entry->connection);
		}
	}
	enumerator->destroy(enumerator);
	if (found)
	{
		this->connections->remove(this->connections, key(id));
	}
	return found;
}

/**
 * Check if there is a place for another connection that waits for an IKE_SA.
 *
 * @param displaced		gets what has to go for it
 */
static bool has_place(private_esptcp_connections_t *this, host_t *peer,
					  entry_t **displaced)
{
	esptcp_counters_t *counters = this->counters;
	u_int limit;

	limit = esptcp_config_get_half_open_limit_ip();
	if (limit && count_half_open(this, peer) >= limit)
	{
		if (counters->add(counters, ESPTCP_REFUSED_IP))
		{
			DBG1(DBG_NET, "TCP connection from %H refused, half_open_limit_ip "
				 "of %u reached", peer, limit);
		}
		return FALSE;
	}
	limit = esptcp_config_get_half_open_limit();
	if (!limit || count_half_open(this, NULL) < limit)
	{
		return TRUE;
	}
	*displaced = displace(this, peer);
	if (counters->add(counters, *displaced ? ESPTCP_DISPLACED : ESPTCP_REFUSED))
	{
		DBG1(DBG_NET, "TCP connection from %H %s, half_open_limit of %u "
			 "reached", peer, *displaced ? "displaces another" : "refused",
			 limit);
	}
	return *displaced != NULL;
}

METHOD(esptcp_connections_t, accept_, void,
	private_esptcp_connections_t *this, int fd, host_t *peer)
{
	esptcp_connection_t *connection;
	entry_t *displaced = NULL;

	this->mutex->lock(this->mutex);
	if (!has_place(this, peer, &displaced))
	{
		close(fd);
	}
	else
	{
		this->counters->add(this->counters, ESPTCP_ACCEPTED);
		connection = esptcp_connection_create_responder(++this->last_id, fd,
														&this->surroundings);
		if (connection)
		{
			add_entry(this, connection);
			schedule_check(this, this->last_id, TRUE,
						   esptcp_config_get_prefix_timeout());
			schedule_check(this, this->last_id, FALSE,
						   esptcp_config_get_ike_timeout());
		}
	}
	this->mutex->unlock(this->mutex);
	if (displaced)
	{
		entry_destroy(displaced);
	}
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
		entry->used = TRUE;
	}
	this->mutex->unlock(this->mutex);
	return entry != NULL;
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
		schedule_check(this, id, FALSE, connection->is_originator(connection) ?
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
		entry_destroy(entry);
	}
	enumerator->destroy(enumerator);
	this->connections->destroy(this->connections);
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
		.counters = counters,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	return &this->public;
}
