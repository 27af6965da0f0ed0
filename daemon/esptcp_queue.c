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

/** octets in them */
#define TCP_OCTETS_MAX (16 * 1024 * 1024)

/** messages of one connection that may wait */
#define SHARE_MAX 32

/** octets in them, a few of the largest messages */
#define SHARE_OCTETS_MAX (256 * 1024)

typedef struct private_esptcp_queue_t private_esptcp_queue_t;
typedef struct share_t share_t;

/**
 * Messages from TCP in the queue.
 */
struct share_t {
	/** number of messages */
	u_int messages;
	/** octets in them */
	size_t octets;
};

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
	 * All messages from TCP in the queue
	 */
	share_t tcp;

	/**
	 * Those from each connection, its number => share_t
	 */
	hashtable_t *shares;

	/**
	 * Protects the numbers
	 */
	mutex_t *mutex;
};

/**
 * Key of a number in a hashtable.
 */
static void *key(uint32_t id)
{
	return (void*)(uintptr_t)id;
}

/**
 * Take a place for a message of a connection.
 */
static bool take_place(private_esptcp_queue_t *this, uint32_t id, size_t octets)
{
	share_t *share;
	bool taken;

	this->mutex->lock(this->mutex);
	share = this->shares->get(this->shares, key(id));
	taken = this->tcp.messages < TCP_MAX &&
			this->tcp.octets + octets <= TCP_OCTETS_MAX &&
			(!share || (share->messages < SHARE_MAX &&
						share->octets + octets <= SHARE_OCTETS_MAX));
	if (taken)
	{
		if (!share)
		{
			INIT(share);
			this->shares->put(this->shares, key(id), share);
		}
		share->messages++;
		share->octets += octets;
		this->tcp.messages++;
		this->tcp.octets += octets;
	}
	this->mutex->unlock(this->mutex);
	return taken;
}

/**
 * Give the place of a message back.
 */
static void give_place(private_esptcp_queue_t *this, uint32_t id, size_t octets)
{
	share_t *share;

	this->mutex->lock(this->mutex);
	share = this->shares->get(this->shares, key(id));
	share->octets -= octets;
	if (--share->messages == 0)
	{
		this->shares->remove(this->shares, key(id));
		free(share);
	}
	this->tcp.messages--;
	this->tcp.octets -= octets;
	this->mutex->unlock(this->mutex);
}

/**
 * Length of a message.
 */
static size_t length(packet_t *packet)
{
	return packet->get_data(packet).len;
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
	if (!take_place(this, id, length(packet)))
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
		give_place(this, id, length(packet));
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
	this->shares->destroy_function(this->shares, (void*)free);
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
