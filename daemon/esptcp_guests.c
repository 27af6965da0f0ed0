/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_guests.h"
#include "esptcp_config.h"

#include <daemon.h>
#include <collections/hashtable.h>
#include <threading/mutex.h>

#include <limits.h>

/** Octets of an IPv6 address that one peer has, who may use all behind them */
#define IPV6_NETWORK_LEN 8

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
	 * Who has some that wait, address => peer_t
	 */
	hashtable_t *peers;

	/**
	 * Number of connections that wait for an IKE_SA
	 */
	u_int waiting;

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
	/** number of its connections that wait for an IKE_SA */
	u_int waiting;
};

/**
 * A connection.
 */
struct guest_t {
	/** number */
	uint32_t id;
	/** whose it is, NULL when it does not wait for an IKE_SA any more */
	peer_t *peer;
	/** when it was accepted */
	time_t arrived;
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
 * @return				NULL if none of its connections waits
 */
static peer_t *find_peer(private_esptcp_guests_t *this, host_t *host)
{
	chunk_t address = get_address(host);

	return this->peers->get(this->peers, &address);
}

/**
 * Add a connection that waits for an IKE_SA.
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
	this->guests->put(this->guests, key(id), guest);
	peer->waiting++;
	this->waiting++;
}

/**
 * A connection does not wait any more.
 */
static void end_wait(private_esptcp_guests_t *this, guest_t *guest)
{
	peer_t *peer = guest->peer;

	if (!peer)
	{
		return;
	}
	guest->peer = NULL;
	this->waiting--;
	if (--peer->waiting == 0)
	{
		this->peers->remove(this->peers, &peer->address);
		chunk_free(&peer->address);
		free(peer);
	}
}

/**
 * Forget a connection.
 */
static void remove_guest(private_esptcp_guests_t *this, uint32_t id)
{
	guest_t *guest = this->guests->remove(this->guests, key(id));

	if (guest)
	{
		end_wait(this, guest);
		free(guest);
	}
}

/**
 * Find the oldest waiting connection of the peer that has most of them, if that
 * is more than somebody would have who wants its place.
 *
 * @param others		number of connections that the newcomer has
 * @return				number of the connection, 0 if there is none
 */
static uint32_t find_oldest(private_esptcp_guests_t *this, u_int others)
{
	enumerator_t *enumerator;
	u_int most = others + 1;
	uint32_t found = 0;
	guest_t *guest;

	enumerator = this->guests->create_enumerator(this->guests);
	while (enumerator->enumerate(enumerator, NULL, &guest))
	{
		if (guest->peer &&
			(guest->peer->waiting > most ||
			 (guest->peer->waiting == most && found && guest->id < found)))
		{
			most = guest->peer->waiting;
			found = guest->id;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Check if there is a place for another connection.
 */
static bool has_place(private_esptcp_guests_t *this, host_t *host,
					  uint32_t *displaced)
{
	esptcp_counters_t *counters = this->counters;
	peer_t *peer = find_peer(this, host);
	u_int limit, others = peer ? peer->waiting : 0;

	*displaced = 0;
	limit = esptcp_config_get_half_open_limit_ip();
	if (limit && others >= limit)
	{
		if (counters->add(counters, ESPTCP_REFUSED_IP))
		{
			DBG1(DBG_NET, "TCP connection from %H refused, half_open_limit_ip "
				 "of %u reached", host, limit);
		}
		return FALSE;
	}
	limit = esptcp_config_get_half_open_limit();
	if (!limit || this->waiting < limit)
	{
		return TRUE;
	}
	*displaced = find_oldest(this, others);
	if (counters->add(counters, *displaced ? ESPTCP_DISPLACED : ESPTCP_REFUSED))
	{
		DBG1(DBG_NET, "TCP connection from %H %s, half_open_limit of %u "
			 "reached", host, *displaced ? "displaces another" : "refused",
			 limit);
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

METHOD(esptcp_guests_t, begin, void,
	private_esptcp_guests_t *this, uint32_t id)
{
	guest_t *guest;

	this->mutex->lock(this->mutex);
	guest = this->guests->get(this->guests, key(id));
	if (guest)
	{
		end_wait(this, guest);
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
		*waiting = guest->peer != NULL;
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
		end_wait(this, guest);
		free(guest);
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
			.begin = _begin,
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
