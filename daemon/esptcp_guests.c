/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_guests.h"
#include "esptcp_config.h"

#include <daemon.h>
#include <collections/hashtable.h>
#include <threading/mutex.h>

#include <limits.h>

/** Octets of an IPv6 address that one peer has, who may use all behind them */
#define IPV6_NETWORK_LEN 8

/** Seconds without progress after which an IKE_SA that has begun may be
 *  displaced. Before, its peer may wait for us. */
#define PATIENCE 2

/** Space for what is logged about a limit */
#define REASON_LEN 80

typedef struct private_esptcp_guests_t private_esptcp_guests_t;
typedef struct peer_t peer_t;
typedef struct guest_t guest_t;

/**
 * Private data of an esptcp_guests_t object.
 */
struct private_esptcp_guests_t {

	/**
	 * Public esptcp_guests_t interface.
	 */
	esptcp_guests_t public;

	/**
	 * All connections, number => guest_t
	 */
	hashtable_t *guests;

	/**
	 * Who has some, address => peer_t
	 */
	hashtable_t *peers;

	/**
	 * Number of times that a connection has made progress
	 */
	uint64_t turns;

	/**
	 * Counts who is refused and displaced
	 */
	esptcp_counters_t *counters;

	/**
	 * Protects the tables
	 */
	mutex_t *mutex;
};

/**
 * A peer: an address, or a network in IPv6.
 */
struct peer_t {
	/** the address, or what counts of it */
	chunk_t address;
	/** number of its connections */
	u_int count;
};

/**
 * A connection.
 */
struct guest_t {
	/** number */
	uint32_t id;
	/** whose it is */
	peer_t *peer;
	/** when it was accepted */
	time_t arrived;
	/** TRUE when an IKE_SA has begun */
	bool begun;
	/** when it made progress last: by arriving, or by a message of its IKE_SA */
	time_t progress;
	/** which turn that was; the lowest has been silent for longest */
	uint64_t turn;
};

/**
 * Key of a number in a hashtable.
 */
static void *key(uint32_t id)
{
	return (void*)(uintptr_t)id;
}

/**
 * Hash of an address.
 */
static u_int address_hash(chunk_t *address)
{
	return chunk_hash(*address);
}

/**
 * Compare addresses.
 */
static bool address_equals(chunk_t *a, chunk_t *b)
{
	return chunk_equals(*a, *b);
}

/**
 * Get what counts of an address.
 */
static chunk_t get_address(host_t *host)
{
	chunk_t address = host->get_address(host);

	return chunk_create(address.ptr, min(address.len, IPV6_NETWORK_LEN));
}

/**
 * Find the peer with an address.
 *
 * @return				NULL if it has no connections
 */
static peer_t *find_peer(private_esptcp_guests_t *this, host_t *host)
{
	chunk_t address = get_address(host);

	return this->peers->get(this->peers, &address);
}

/**
 * Note that a connection has made progress.
 */
static void advance(private_esptcp_guests_t *this, guest_t *guest)
{
	guest->progress = time_monotonic(NULL);
	guest->turn = ++this->turns;
}

/**
 * Add a connection.
 */
static void add_guest(private_esptcp_guests_t *this, uint32_t id, host_t *host)
{
	peer_t *peer = find_peer(this, host);
	guest_t *guest;

	if (!peer)
	{
		INIT(peer,
			.address = chunk_clone(get_address(host)),
		);
		this->peers->put(this->peers, &peer->address, peer);
	}
	INIT(guest,
		.id = id,
		.peer = peer,
		.arrived = time_monotonic(NULL),
	);
	advance(this, guest);
	this->guests->put(this->guests, key(id), guest);
	peer->count++;
}

/**
 * Destroy a connection that is in no table any more.
 */
static void guest_destroy(private_esptcp_guests_t *this, guest_t *guest)
{
	peer_t *peer = guest->peer;

	if (--peer->count == 0)
	{
		this->peers->remove(this->peers, &peer->address);
		chunk_free(&peer->address);
		free(peer);
	}
	free(guest);
}

/**
 * Forget a connection.
 */
static void remove_guest(private_esptcp_guests_t *this, uint32_t id)
{
	guest_t *guest = this->guests->remove(this->guests, key(id));

	if (guest)
	{
		guest_destroy(this, guest);
	}
}

/**
 * Check if a connection is silent: it has no IKE_SA, or that does not go on.
 */
static bool is_silent(guest_t *guest)
{
	return !guest->begun ||
		   time_monotonic(NULL) - guest->progress >= PATIENCE;
}

/**
 * Find the connection that has been silent for longest, of the peer that has
 * most.
 *
 * @param peer			the peer, NULL for any
 * @return				number of the connection, 0 if none is silent
 */
static uint32_t find_silent(private_esptcp_guests_t *this, peer_t *peer)
{
	guest_t *guest, *found = NULL;
	enumerator_t *enumerator;

	enumerator = this->guests->create_enumerator(this->guests);
	while (enumerator->enumerate(enumerator, NULL, &guest))
	{
		if ((peer && guest->peer != peer) || !is_silent(guest))
		{
			continue;
		}
		if (!found || guest->peer->count > found->peer->count ||
			(guest->peer->count == found->peer->count &&
			 guest->turn < found->turn))
		{
			found = guest;
		}
	}
	enumerator->destroy(enumerator);
	return found ? found->id : 0;
}

/**
 * Check if a limit is reached for another connection.
 *
 * @param reason		gets which limit
 * @param peer			gets whose connections have to make room, NULL for any
 * @param refused		gets what to count if none can
 */
static bool is_full(private_esptcp_guests_t *this, host_t *host,
					char reason[REASON_LEN], peer_t **peer,
					esptcp_counter_t *refused)
{
	u_int limit;

	*peer = find_peer(this, host);
	limit = esptcp_config_get_half_open_limit_ip();
	if (limit && *peer && (*peer)->count >= limit)
	{
		snprintf(reason, REASON_LEN, "half_open_limit_ip of %u reached", limit);
		*refused = ESPTCP_REFUSED_IP;
		return TRUE;
	}
	*peer = NULL;
	limit = esptcp_config_get_half_open_limit();
	snprintf(reason, REASON_LEN, "half_open_limit of %u reached", limit);
	*refused = ESPTCP_REFUSED;
	return limit && this->guests->get_count(this->guests) >= limit;
}

/**
 * Check if there is a place for another connection, maybe that of a silent one.
 */
static bool has_place(private_esptcp_guests_t *this, host_t *host,
					  uint32_t *displaced)
{
	esptcp_counter_t refused;
	char reason[REASON_LEN];
	peer_t *peer;

	*displaced = 0;
	if (!is_full(this, host, reason, &peer, &refused))
	{
		return TRUE;
	}
	*displaced = find_silent(this, peer);
	if (this->counters->add(this->counters,
							*displaced ? ESPTCP_DISPLACED : refused))
	{
		DBG1(DBG_NET, "TCP connection from %H %s, %s", host,
			 *displaced ? "displaces another" : "refused", reason);
	}
	return *displaced != 0;
}

METHOD(esptcp_guests_t, admit, bool,
	private_esptcp_guests_t *this, uint32_t id, host_t *peer,
	uint32_t *displaced)
{
	bool admitted;

	this->mutex->lock(this->mutex);
	admitted = has_place(this, peer, displaced);
	if (admitted)
	{
		remove_guest(this, *displaced);
		add_guest(this, id, peer);
	}
	this->mutex->unlock(this->mutex);
	return admitted;
}

METHOD(esptcp_guests_t, displace, uint32_t,
	private_esptcp_guests_t *this)
{
	uint32_t id;

	this->mutex->lock(this->mutex);
	id = find_silent(this, NULL);
	remove_guest(this, id);
	this->mutex->unlock(this->mutex);
	if (this->counters->add(this->counters, id ? ESPTCP_DISPLACED_DESCRIPTOR
											   : ESPTCP_NO_DESCRIPTORS))
	{
		DBG1(DBG_NET, "TCP connection %s, there are no more descriptors: raise "
			 "LimitNOFILE of the service",
			 id ? "displaces another" : "refused");
	}
	return id;
}

METHOD(esptcp_guests_t, proceed, void,
	private_esptcp_guests_t *this, uint32_t id)
{
	guest_t *guest;

	this->mutex->lock(this->mutex);
	guest = this->guests->get(this->guests, key(id));
	if (guest)
	{
		guest->begun = TRUE;
		advance(this, guest);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_guests_t, leave, void,
	private_esptcp_guests_t *this, uint32_t id)
{
	this->mutex->lock(this->mutex);
	remove_guest(this, id);
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_guests_t, get_age, u_int,
	private_esptcp_guests_t *this, uint32_t id, bool *waiting)
{
	u_int age = UINT_MAX;
	guest_t *guest;

	this->mutex->lock(this->mutex);
	guest = this->guests->get(this->guests, key(id));
	if (guest)
	{
		age = time_monotonic(NULL) - guest->arrived;
		*waiting = !guest->begun;
	}
	this->mutex->unlock(this->mutex);
	return age;
}

METHOD(esptcp_guests_t, destroy, void,
	private_esptcp_guests_t *this)
{
	enumerator_t *enumerator;
	guest_t *guest;

	enumerator = this->guests->create_enumerator(this->guests);
	while (enumerator->enumerate(enumerator, NULL, &guest))
	{
		guest_destroy(this, guest);
	}
	enumerator->destroy(enumerator);
	this->guests->destroy(this->guests);
	this->peers->destroy(this->peers);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_guests_t *esptcp_guests_create(esptcp_counters_t *counters)
{
	private_esptcp_guests_t *this;

	INIT(this,
		.public = {
			.admit = _admit,
			.displace = _displace,
			.proceed = _proceed,
			.leave = _leave,
			.get_age = _get_age,
			.destroy = _destroy,
		},
		.guests = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, 8),
		.peers = hashtable_create((hashtable_hash_t)address_hash,
								  (hashtable_equals_t)address_equals, 8),
		.counters = counters,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	return &this->public;
}
