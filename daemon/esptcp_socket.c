/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_socket.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>

#include <dlfcn.h>

/** The plugin whose socket we wrap, and its constructor */
#define UDP_PLUGIN PLUGINDIR "/libstrongswan-socket-default.so"
#define UDP_CREATE "socket_default_socket_create"

typedef struct private_esptcp_socket_t private_esptcp_socket_t;

/**
 * Private data of an esptcp_socket_t object.
 */
struct private_esptcp_socket_t {

	/**
	 * Public esptcp_socket_t interface.
	 */
	esptcp_socket_t public;

	/**
	 * Socket for UDP
	 */
	socket_t *udp;

	/**
	 * Handle of the plugin that it is from
	 */
	void *handle;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;

	/**
	 * Which IKE_SA uses which
	 */
	esptcp_sessions_t *sessions;

	/**
	 * What was received over UDP and TCP
	 */
	esptcp_queue_t *queue;
};

/**
 * Move a packet from the UDP socket to the queue.
 */
static job_requeue_t pump_udp(private_esptcp_socket_t *this)
{
	packet_t *packet;
	status_t status;

	this->queue->wait_udp(this->queue);
	status = this->udp->receive(this->udp, &packet);
	if (status == SUCCESS)
	{
		this->queue->add_udp(this->queue, packet);
		return JOB_REQUEUE_DIRECT;
	}
	this->queue->skip_udp(this->queue);
	return status == NOT_SUPPORTED ? JOB_REQUEUE_NONE : JOB_REQUEUE_FAIR;
}

METHOD(socket_t, receiver, status_t,
	private_esptcp_socket_t *this, packet_t **packet)
{
	*packet = this->queue->get(this->queue);
	return SUCCESS;
}

/**
 * Check if a packet is a NAT keepalive that is not from a UDP port of ours, so
 * that it is one of an IKE_SA over TCP.
 */
static bool is_tcp_keepalive(private_esptcp_socket_t *this, packet_t *packet)
{
	host_t *src = packet->get_source(packet);
	uint16_t port = src->get_port(src);

	return packet->get_data(packet).len <= 1 &&
		   port != this->udp->get_port(this->udp, TRUE) &&
		   port != this->udp->get_port(this->udp, FALSE);
}

/**
 * Find the connection for a packet.
 *
 * @param connection	reference to the connection, NULL to drop the packet
 * @return				FALSE to use UDP
 */
static bool uses_tcp(private_esptcp_socket_t *this, packet_t *packet,
					 esptcp_connection_t **connection)
{
	metadata_t *metadata;
	int id;

	metadata = packet->get_metadata(packet, ESPTCP_METADATA);
	if (metadata)
	{
		metadata->get(metadata, &id);
		if (id == ESPTCP_UDP)
		{
			return FALSE;
		}
		*connection = id == ESPTCP_NO_CONNECTION ? NULL :
			this->sessions->get_for_packet(this->sessions, id, packet);
		return TRUE;
	}
	/* packets that belong to no IKE_SA, such as those with a COOKIE */
	*connection = this->connections->get_by_packet(this->connections, packet);
	return *connection || is_tcp_keepalive(this, packet);
}

/**
 * Copy a packet for a connection, with the non-ESP marker that charon does not
 * put into packets from or to the IKE port.
 */
static packet_t *mark_packet(packet_t *packet)
{
	host_t *src, *dst;
	chunk_t marker = chunk_from_chars(0x00, 0x00, 0x00, 0x00);

	packet = packet->clone(packet);
	src = packet->get_source(packet);
	dst = packet->get_destination(packet);
	if (src->get_port(src) == IKEV2_UDP_PORT ||
		dst->get_port(dst) == IKEV2_UDP_PORT)
	{
		packet->set_data(packet, chunk_cat("cc", marker,
										   packet->get_data(packet)));
	}
	return packet;
}

METHOD(socket_t, sender, status_t,
	private_esptcp_socket_t *this, packet_t *packet)
{
	esptcp_connection_t *connection;
	status_t status;

	if (!uses_tcp(this, packet, &connection))
	{
		return this->udp->send(this->udp, packet);
	}
	if (packet->get_data(packet).len <= 1)
	{	/* no NAT keepalives over TCP (RFC 9329 section 6.6) */
		status = SUCCESS;
	}
	else if (!connection)
	{
		DBG1(DBG_NET, "message to %#H dropped, it has no TCP connection",
			 packet->get_destination(packet));
		status = FAILED;
	}
	else
	{
		status = connection->send(connection, mark_packet(packet));
	}
	DESTROY_IF(connection);
	return status;
}

METHOD(socket_t, get_port, uint16_t,
	private_esptcp_socket_t *this, bool nat_t)
{
	return this->udp->get_port(this->udp, nat_t);
}

METHOD(socket_t, supported_families, socket_family_t,
	private_esptcp_socket_t *this)
{
	return this->udp->supported_families(this->udp);
}

METHOD(socket_t, destroy, void,
	private_esptcp_socket_t *this)
{
	DESTROY_IF(this->udp);
	if (this->handle)
	{
		dlclose(this->handle);
	}
	free(this);
}

/**
 * Create the socket for UDP.
 */
static bool create_udp(private_esptcp_socket_t *this)
{
	socket_constructor_t create;

	this->handle = dlopen(UDP_PLUGIN, RTLD_LAZY);
	if (!this->handle)
	{
		DBG1(DBG_NET, "esptcp needs the plugin socket-default: %s", dlerror());
		return FALSE;
	}
	create = dlsym(this->handle, UDP_CREATE);
	if (!create)
	{
		DBG1(DBG_NET, "esptcp can't use the plugin socket-default: %s",
			 dlerror());
		return FALSE;
	}
	this->udp = create();
	return this->udp != NULL;
}

/*
 * Described in header
 */
esptcp_socket_t *esptcp_socket_create(esptcp_connections_t *connections,
									  esptcp_sessions_t *sessions,
									  esptcp_queue_t *queue)
{
	private_esptcp_socket_t *this;

	INIT(this,
		.public = {
			.socket = {
				.send = _sender,
				.receive = _receiver,
				.get_port = _get_port,
				.supported_families = _supported_families,
				.destroy = _destroy,
			},
		},
		.connections = connections,
		.sessions = sessions,
		.queue = queue,
	);

	if (!create_udp(this))
	{
		destroy(this);
		return NULL;
	}
	lib->processor->queue_job(lib->processor,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)pump_udp, this,
				NULL, (callback_job_cancel_t)return_false, JOB_PRIO_CRITICAL));

	return &this->public;
}
