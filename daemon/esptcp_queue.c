/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_queue.h"

#include <daemon.h>
#include <collections/blocking_queue.h>
#include <threading/semaphore.h>
#include <threading/thread.h>

/** UDP packets that the queue takes from the socket's buffer ahead of time */
#define UDP_MAX 32

/** messages from TCP that may wait */
#define TCP_MAX 1024

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
	refcount_t tcp;
};

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
	private_esptcp_queue_t *this, packet_t *packet)
{
	if (ref_get(&this->tcp) > TCP_MAX)
	{
		DBG1(DBG_NET, "TCP message from %#H dropped, too many are waiting",
			 packet->get_source(packet));
		ignore_result(ref_put(&this->tcp));
		packet->destroy(packet);
		return;
	}
	this->packets->enqueue(this->packets, packet);
}

METHOD(esptcp_queue_t, get, packet_t*,
	private_esptcp_queue_t *this)
{
	packet_t *packet;

	packet = this->packets->dequeue(this->packets);
	if (packet->get_metadata(packet, ESPTCP_METADATA))
	{
		ignore_result(ref_put(&this->tcp));
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
	);

	return &this->public;
}
