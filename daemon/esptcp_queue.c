/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_queue.h"

#include <daemon.h>
#include <collections/blocking_queue.h>
#include <collections/hashtable.h>
#include <threading/mutex.h>
#include <threading/semaphore.h>
#include <threading/thread.h>

/** UDP packets that the queue takes from the socket's buffer ahead of time */
#define UDP_MAX 32

/** messages from TCP that may wait */
#define TCP_MAX 1024

/** messages of one connection that may wait */
#define SHARE_MAX 32

typedef struct private_esptcp_queue_t private_esptcp_queue_t;

/**
 * Private data of an esptcp_queue_t object.
 */
struct private_esptcp_queue_t {

	/**
	 * Public esptcp_queue_t interface.
	 */
	esptcp_queue_t public;

	/**
	 * Packets, as packet_t
	 */
	blocking_queue_t *packets;

	/**
	 * Free places for UDP packets
	 */
	semaphore_t *udp;

	/**
	 * Number of messages from TCP in the queue
	 */
	u_int tcp;

	/**
	 * Number of those from each connection, its number => number of messages
	 */
	hashtable_t *shares;

	/**
	 * Protects the numbers
	 */
	mutex_t *mutex;
};

/**
 * Key, or value, of a number in a hashtable.
 */
static void *key(uintptr_t number)
{
	return (void*)number;
}

/**
 * Take a place for a message of a connection.
 */
static bool take_place(private_esptcp_queue_t *this, uint32_t id)
{
	uintptr_t share;
	bool taken;

	this->mutex->lock(this->mutex);
	share = (uintptr_t)this->shares->get(this->shares, key(id));
	taken = this->tcp < TCP_MAX && share < SHARE_MAX;
	if (taken)
	{
		this->shares->put(this->shares, key(id), key(share + 1));
		this->tcp++;
	}
	this->mutex->unlock(this->mutex);
	return taken;
}

/**
 * Give the place of a message back.
 */
static void give_place(private_esptcp_queue_t *this, uint32_t id)
{
	uintptr_t share;

	this->mutex->lock(this->mutex);
	share = (uintptr_t)this->shares->remove(this->shares, key(id));
	if (share > 1)
	{
		this->shares->put(this->shares, key(id), key(share - 1));
	}
	this->tcp--;
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_queue_t, wait_udp, void,
	private_esptcp_queue_t *this)
{
	bool oldstate;

	oldstate = thread_cancelability(TRUE);
	this->udp->wait(this->udp);
	thread_cancelability(oldstate);
}

METHOD(esptcp_queue_t, skip_udp, void,
	private_esptcp_queue_t *this)
{
	this->udp->post(this->udp);
}

METHOD(esptcp_queue_t, add_udp, void,
	private_esptcp_queue_t *this, packet_t *packet)
{
	this->packets->enqueue(this->packets, packet);
}

METHOD(esptcp_queue_t, add_tcp, void,
	private_esptcp_queue_t *this, uint32_t id, packet_t *packet)
{
	if (!take_place(this, id))
	{
		DBG2(DBG_NET, "TCP message from %#H dropped, too many are waiting",
			 packet->get_source(packet));
		packet->destroy(packet);
		return;
	}
	this->packets->enqueue(this->packets, packet);
}

METHOD(esptcp_queue_t, get, packet_t*,
	private_esptcp_queue_t *this)
{
	metadata_t *metadata;
	packet_t *packet;
	int id;

	packet = this->packets->dequeue(this->packets);
	metadata = packet->get_metadata(packet, ESPTCP_METADATA);
	if (metadata)
	{
		metadata->get(metadata, &id);
		give_place(this, id);
	}
	else
	{
		this->udp->post(this->udp);
	}
	return packet;
}

METHOD(esptcp_queue_t, destroy, void,
	private_esptcp_queue_t *this)
{
	this->packets->destroy_offset(this->packets, offsetof(packet_t, destroy));
	this->udp->destroy(this->udp);
	this->shares->destroy(this->shares);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_queue_t *esptcp_queue_create()
{
	private_esptcp_queue_t *this;

	INIT(this,
		.public = {
			.wait_udp = _wait_udp,
			.skip_udp = _skip_udp,
			.add_udp = _add_udp,
			.add_tcp = _add_tcp,
			.get = _get,
			.destroy = _destroy,
		},
		.packets = blocking_queue_create(),
		.udp = semaphore_create(UDP_MAX),
		.shares = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, 8),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	return &this->public;
}
