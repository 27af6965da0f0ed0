/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_inbox.h"

#include <daemon.h>

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <linux/esptcp.h>

/** Messages to read before other connections have their turn */
#define RECEIVE_MAX 16

/** Length of the non-ESP marker */
#define MARKER_LEN sizeof(uint32_t)

/** Offset of the version in an IKE header */
#define VERSION_OFFSET 17

typedef struct private_esptcp_inbox_t private_esptcp_inbox_t;

/**
 * Private data of an esptcp_inbox_t object.
 */
struct private_esptcp_inbox_t {

	/**
	 * Public esptcp_inbox_t interface.
	 */
	esptcp_inbox_t public;

	/**
	 * Number of the connection
	 */
	uint32_t id;

	/**
	 * Address and port of the peer, the connection's
	 */
	host_t *remote;

	/**
	 * Gets the messages
	 */
	esptcp_queue_t *queue;

	/**
	 * TRUE once the peer has sent a message
	 */
	bool heard;

	/**
	 * When it sent the last one
	 */
	time_t last_message;

	/**
	 * Initiator's SPI in that
	 */
	char spi[sizeof(uint64_t)];
};

/**
 * Check if charon has the non-ESP marker in messages of this connection, which
 * it does not expect or send on its IKE port.
 */
static bool has_marker(private_esptcp_inbox_t *this, host_t *local)
{
	return this->remote->get_port(this->remote) != IKEV2_UDP_PORT &&
		   local->get_port(local) != IKEV2_UDP_PORT;
}

/**
 * Check if a message is IKEv1, which does not exist over TCP.
 */
static bool is_ikev1(chunk_t message)
{
	return message.len > MARKER_LEN + VERSION_OFFSET &&
		   message.ptr[MARKER_LEN + VERSION_OFFSET] >> 4 == 1;
}

/**
 * Note what a message tells about the peer.
 */
static void note(private_esptcp_inbox_t *this, chunk_t message)
{
	this->heard = TRUE;
	this->last_message = time_monotonic(NULL);
	if (message.len >= MARKER_LEN + sizeof(this->spi))
	{
		memcpy(this->spi, message.ptr + MARKER_LEN, sizeof(this->spi));
	}
}

/**
 * Pass a message on to charon.
 */
static void deliver(private_esptcp_inbox_t *this, chunk_t message,
					host_t *local)
{
	packet_t *packet;

	packet = packet_create_from_data(this->remote->clone(this->remote),
									 local->clone(local), chunk_clone(message));
	packet->set_metadata(packet, ESPTCP_METADATA,
						 lib->metadata->create(lib->metadata,
									METADATA_TYPE_INT, (int)this->id));
	if (!has_marker(this, local))
	{
		packet->skip_bytes(packet, MARKER_LEN);
	}
	this->queue->add_tcp(this->queue, this->id, packet);
}

METHOD(esptcp_inbox_t, fill, status_t,
	private_esptcp_inbox_t *this, int fd, host_t *local,
	esptcp_outbox_t *outbox)
{
	char buf[ESPTCP_MAX_FRAME];
	chunk_t message;
	ssize_t len;
	int i;

	for (i = 0; i < RECEIVE_MAX; i++)
	{
		len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len == 0)
		{
			errno = 0;
			return FAILED;
		}
		if (len == -1)
		{
			return errno == EAGAIN || errno == EINTR ? SUCCESS : FAILED;
		}
		message = chunk_create(buf, len);
		if (is_ikev1(message))
		{
			DBG1(DBG_NET, "IKEv1 message from %#H dropped, TCP needs IKEv2",
				 this->remote);
			continue;
		}
		note(this, message);
		outbox->answered(outbox, message);
		deliver(this, message, local);
	}
	return SUCCESS;
}

METHOD(esptcp_inbox_t, has_heard, bool,
	private_esptcp_inbox_t *this)
{
	return this->heard;
}

METHOD(esptcp_inbox_t, get_silence, u_int,
	private_esptcp_inbox_t *this)
{
	return this->heard ? time_monotonic(NULL) - this->last_message : UINT_MAX;
}

METHOD(esptcp_inbox_t, is_answer, bool,
	private_esptcp_inbox_t *this, packet_t *packet, host_t *local)
{
	chunk_t data = packet->get_data(packet);

	if (has_marker(this, local))
	{
		data = chunk_skip(data, MARKER_LEN);
	}
	return this->heard && data.len >= sizeof(this->spi) &&
		   memeq(data.ptr, this->spi, sizeof(this->spi));
}

METHOD(esptcp_inbox_t, destroy, void,
	private_esptcp_inbox_t *this)
{
	free(this);
}

/*
 * Described in header
 */
esptcp_inbox_t *esptcp_inbox_create(uint32_t id, host_t *remote,
									esptcp_queue_t *queue)
{
	private_esptcp_inbox_t *this;

	INIT(this,
		.public = {
			.fill = _fill,
			.has_heard = _has_heard,
			.get_silence = _get_silence,
			.is_answer = _is_answer,
			.destroy = _destroy,
		},
		.id = id,
		.remote = remote,
		.queue = queue,
	);

	return &this->public;
}
