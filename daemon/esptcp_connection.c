/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_connection.h"

#include <daemon.h>
#include <collections/linked_list.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/esptcp.h>

/** Stream prefix that the TCP Originator sends (RFC 9329 section 4) */
static const char prefix[] = { 'I', 'K', 'E', 'T', 'C', 'P' };

/** Messages that may wait until TCP takes them */
#define SEND_MAX 32

/** Messages to read before other connections have their turn */
#define RECEIVE_MAX 16

/** Length of the non-ESP marker */
#define MARKER_LEN sizeof(uint32_t)

/** Offset of the version in an IKE header */
#define VERSION_OFFSET 17

typedef struct private_esptcp_connection_t private_esptcp_connection_t;
typedef struct descriptors_t descriptors_t;

ENUM(esptcp_connection_state_names,
	ESPTCP_CONNECTION_IDLE, ESPTCP_CONNECTION_DOWN,
	"IDLE",
	"CONNECTING",
	"PREFIX",
	"UP",
	"DOWN",
);

/**
 * Private data of an esptcp_connection_t object.
 */
struct private_esptcp_connection_t {

	/**
	 * Public esptcp_connection_t interface.
	 */
	esptcp_connection_t public;

	/**
	 * Number of the connection
	 */
	uint32_t id;

	/**
	 * TRUE if this host opened the connection
	 */
	bool originator;

	/**
	 * Local address and port, does not change
	 */
	host_t *local;

	/**
	 * Address and port of the peer, does not change
	 */
	host_t *remote;

	/**
	 * Current state
	 */
	esptcp_connection_state_t state;

	/**
	 * The socket while there is one, with its registrations in watcher_t. They
	 * hold a reference to the connection.
	 */
	descriptors_t *fds;

	/**
	 * TRUE while we wait for the socket to take more messages
	 */
	bool blocked;

	/**
	 * TRUE once the peer has sent a message
	 */
	bool heard;

	/**
	 * Initiator's SPI in the peer's last message
	 */
	char spi[sizeof(uint64_t)];

	/**
	 * Number of the connection in the kernel, while it is UP
	 */
	uint32_t kernel_id;

	/**
	 * Octets of the stream prefix that the peer has sent
	 */
	char received[sizeof(prefix)];

	/**
	 * Number of them
	 */
	size_t received_len;

	/**
	 * Messages that wait, as packet_t
	 */
	linked_list_t *waiting;

	/**
	 * Kernel module
	 */
	esptcp_netlink_t *netlink;

	/**
	 * Receives the peer's messages
	 */
	esptcp_queue_t *queue;

	/**
	 * Protects what changes
	 */
	mutex_t *mutex;

	/**
	 * Reference counter
	 */
	refcount_t ref;
};

/**
 * Two descriptors of the same socket, because watcher_t notices only one
 * registration per descriptor, and that can't change its events. Read events
 * are registered on one, write events on the other.
 */
struct descriptors_t {
	/** for everything but write events */
	int fd;
	/** for write events */
	int wfd;
	/** reference to the connection that gets the events */
	esptcp_connection_t *connection;
};

/**
 * Stop watching a socket and close it. Waits for the connection's callbacks.
 */
static void descriptors_destroy(descriptors_t *this)
{
	lib->watcher->remove(lib->watcher, this->fd);
	lib->watcher->remove(lib->watcher, this->wfd);
	close(this->wfd);
	close(this->fd);
	this->connection->destroy(this->connection);
	free(this);
}

/**
 * Job without work, see below.
 */
static job_requeue_t no_work(descriptors_t *this)
{
	return JOB_REQUEUE_NONE;
}

/**
 * Destroy descriptors from a callback of the connection, which can't wait for
 * itself. Their end is the cleanup of a job, as that also comes if the daemon
 * terminates before it executes the job.
 */
static void descriptors_destroy_later(descriptors_t *this)
{
	lib->processor->queue_job(lib->processor,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)no_work,
				this, (callback_job_cleanup_t)descriptors_destroy, NULL,
				JOB_PRIO_HIGH));
}

/**
 * Let the connection own a socket. Closes the socket if that fails.
 */
static bool descriptors_create(private_esptcp_connection_t *this, int fd)
{
	int wfd;

	wfd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (wfd == -1)
	{
		DBG1(DBG_NET, "TCP socket: %s", strerror(errno));
		close(fd);
		return FALSE;
	}
	INIT(this->fds,
		.fd = fd,
		.wfd = wfd,
		.connection = this->public.get_ref(&this->public),
	);
	return TRUE;
}

/**
 * Description of a connection for the log.
 */
static char *direction(private_esptcp_connection_t *this)
{
	return this->originator ? "to" : "from";
}

/**
 * Enter the state without a socket.
 *
 * @return				what the caller has to destroy without the lock
 */
static descriptors_t *give_up(private_esptcp_connection_t *this,
							  esptcp_connection_state_t state)
{
	descriptors_t *fds = this->fds;
	packet_t *packet;

	this->state = state;
	this->fds = NULL;
	this->blocked = FALSE;
	this->received_len = 0;
	while (this->waiting->remove_first(this->waiting,
									   (void**)&packet) == SUCCESS)
	{
		packet->destroy(packet);
	}
	return fds;
}

/**
 * Handle the end of the connection, which is not our will. The retransmission
 * of the first message tries again; what was established needs more than that.
 */
static void lost(private_esptcp_connection_t *this, const char *reason)
{
	descriptors_t *fds;
	bool again = this->originator && !this->heard;

	DBG1(DBG_NET, "TCP connection %u %s %#H %s: %s", this->id, direction(this),
		 this->remote,
		 this->state == ESPTCP_CONNECTION_UP ? "ended" : "failed", reason);

	fds = give_up(this, again ? ESPTCP_CONNECTION_IDLE
							  : ESPTCP_CONNECTION_DOWN);
	if (fds)
	{
		descriptors_destroy_later(fds);
	}
}

/**
 * Send what waits, as much as TCP takes.
 *
 * @return				FALSE if something is left
 */
static bool flush(private_esptcp_connection_t *this)
{
	packet_t *packet;
	chunk_t data;

	while (this->waiting->get_first(this->waiting, (void**)&packet) == SUCCESS)
	{
		data = packet->get_data(packet);
		if (send(this->fds->fd, data.ptr, data.len,
				 MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		{
			switch (errno)
			{
				case EAGAIN:
					return FALSE;
				case EINTR:
					continue;
				case EINVAL:
				case EMSGSIZE:
					/* only this message */
					DBG1(DBG_NET, "message of %zu bytes can't be sent over TCP "
						 "to %#H: %s", data.len, this->remote, strerror(errno));
					break;
				default:
					lost(this, strerror(errno));
					return TRUE;
			}
		}
		this->waiting->remove_first(this->waiting, (void**)&packet);
		packet->destroy(packet);
	}
	return TRUE;
}

/**
 * Give the connection to the kernel module.
 */
static void attach(private_esptcp_connection_t *this)
{
	if (!this->netlink->attach(this->netlink, this->fds->fd, this->originator,
							   &this->kernel_id))
	{
		lost(this, "the kernel module did not take it");
		return;
	}
	this->state = ESPTCP_CONNECTION_UP;
	DBG1(DBG_NET, "TCP connection %u %s %#H is up", this->id, direction(this),
		 this->remote);
}

/**
 * Read the rest of the stream prefix, not an octet more.
 */
static void read_prefix(private_esptcp_connection_t *this)
{
	ssize_t len;

	len = recv(this->fds->fd, this->received + this->received_len,
			   sizeof(prefix) - this->received_len, MSG_DONTWAIT);
	if (len == -1)
	{
		if (errno != EAGAIN && errno != EINTR)
		{
			lost(this, strerror(errno));
		}
		return;
	}
	this->received_len += len;
	if (len == 0 || !memeq(this->received, prefix, this->received_len))
	{
		lost(this, "no IKETCP stream prefix");
	}
	else if (this->received_len == sizeof(prefix))
	{
		attach(this);
	}
}

/**
 * Check if charon has the non-ESP marker in messages of this connection, which
 * it does not expect or send on its IKE port.
 */
static bool has_marker(private_esptcp_connection_t *this)
{
	return this->remote->get_port(this->remote) != IKEV2_UDP_PORT &&
		   this->local->get_port(this->local) != IKEV2_UDP_PORT;
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
 * Pass a message on to charon.
 */
static void deliver(private_esptcp_connection_t *this, chunk_t message)
{
	packet_t *packet;

	if (is_ikev1(message))
	{
		DBG1(DBG_NET, "IKEv1 message from %#H dropped, TCP needs IKEv2",
			 this->remote);
		return;
	}
	this->heard = TRUE;
	if (message.len >= MARKER_LEN + sizeof(this->spi))
	{
		memcpy(this->spi, message.ptr + MARKER_LEN, sizeof(this->spi));
	}
	packet = packet_create_from_data(this->remote->clone(this->remote),
									 this->local->clone(this->local),
									 chunk_clone(message));
	packet->set_metadata(packet, ESPTCP_METADATA,
						 lib->metadata->create(lib->metadata,
									METADATA_TYPE_INT, (int)this->id));
	if (!has_marker(this))
	{
		packet->skip_bytes(packet, MARKER_LEN);
	}
	this->queue->add_tcp(this->queue, packet);
}

/**
 * Read messages.
 */
static void receive(private_esptcp_connection_t *this)
{
	char buf[ESPTCP_MAX_FRAME];
	ssize_t len;
	int i;

	for (i = 0; i < RECEIVE_MAX; i++)
	{
		len = recv(this->fds->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len > 0)
		{
			deliver(this, chunk_create(buf, len));
			continue;
		}
		if (len == 0)
		{
			lost(this, "closed by the peer");
		}
		else if (errno != EAGAIN && errno != EINTR)
		{
			lost(this, strerror(errno));
		}
		return;
	}
}

CALLBACK(on_readable, bool,
	private_esptcp_connection_t *this, int fd, watcher_event_t event)
{
	bool keep;

	this->mutex->lock(this->mutex);
	if (this->fds && this->fds->fd == fd)
	{
		if (this->state == ESPTCP_CONNECTION_PREFIX)
		{
			read_prefix(this);
		}
		else
		{
			receive(this);
		}
	}
	keep = this->fds && this->fds->fd == fd;
	this->mutex->unlock(this->mutex);
	return keep;
}

/**
 * Finish connecting: send the prefix, then whatever waits.
 */
static void connected(private_esptcp_connection_t *this)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(this->fds->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
	{
		error = errno;
	}
	if (error)
	{
		lost(this, strerror(error));
		return;
	}
	/* the buffer of a new connection has room for six octets */
	if (send(this->fds->fd, prefix, sizeof(prefix),
			 MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(prefix))
	{
		lost(this, "the stream prefix could not be sent");
		return;
	}
	attach(this);
	if (this->state == ESPTCP_CONNECTION_UP)
	{
		lib->watcher->add(lib->watcher, this->fds->fd, WATCHER_READ,
						  on_readable, this);
	}
}

CALLBACK(on_writable, bool,
	private_esptcp_connection_t *this, int fd, watcher_event_t event)
{
	bool keep = FALSE;

	this->mutex->lock(this->mutex);
	if (this->fds && this->fds->wfd == fd)
	{
		if (this->state == ESPTCP_CONNECTION_CONNECTING)
		{
			connected(this);
		}
		if (this->state == ESPTCP_CONNECTION_UP)
		{
			keep = this->blocked = !flush(this);
		}
	}
	this->mutex->unlock(this->mutex);
	return keep;
}

/**
 * Create a socket for a connection that we open, bound to our address.
 */
static int open_socket(host_t *local, int family)
{
	int fd, on = 1;

	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd == -1)
	{
		DBG1(DBG_NET, "opening a TCP socket failed: %s", strerror(errno));
		return -1;
	}
	/* before it connects, as on-demand policies would catch our own SYN */
	if (!charon->kernel->bypass_socket(charon->kernel, fd, family))
	{
		DBG1(DBG_NET, "installing the IPsec bypass on a TCP socket failed");
		close(fd);
		return -1;
	}
	/* a port that we come back to may still be in use by our last attempt */
	if (local->get_port(local) &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1)
	{
		DBG1(DBG_NET, "setting SO_REUSEADDR on a TCP socket failed: %s",
			 strerror(errno));
	}
	if (bind(fd, local->get_sockaddr(local),
			 *local->get_sockaddr_len(local)) == -1)
	{
		DBG1(DBG_NET, "binding a TCP socket to %#H failed: %s", local,
			 strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/**
 * Get the address of a socket, its own or its peer's.
 */
static host_t *get_host(int fd, bool peer)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int status;

	status = peer ? getpeername(fd, (struct sockaddr*)&addr, &len)
				  : getsockname(fd, (struct sockaddr*)&addr, &len);
	if (status == -1)
	{
		return NULL;
	}
	return host_create_from_sockaddr((sockaddr_t*)&addr);
}

/**
 * Start connecting, from IDLE. The first time this determines our address and
 * port, which later attempts use again.
 */
static void start(private_esptcp_connection_t *this)
{
	host_t *local;
	int fd, error = 0;

	fd = open_socket(this->local, this->remote->get_family(this->remote));
	if (fd == -1 || !descriptors_create(this, fd))
	{
		return;
	}
	if (connect(fd, this->remote->get_sockaddr(this->remote),
				*this->remote->get_sockaddr_len(this->remote)) == -1 &&
		errno != EINPROGRESS)
	{
		error = errno;
	}
	if (!this->local->get_port(this->local))
	{
		local = get_host(fd, FALSE);
		if (local)
		{
			this->local->destroy(this->local);
			this->local = local;
		}
		else if (!error)
		{
			error = errno;
		}
	}
	if (error)
	{
		lost(this, strerror(error));
		return;
	}
	this->state = ESPTCP_CONNECTION_CONNECTING;
	lib->watcher->add(lib->watcher, this->fds->wfd, WATCHER_WRITE, on_writable,
					  this);
}

METHOD(esptcp_connection_t, get_id, uint32_t,
	private_esptcp_connection_t *this)
{
	return this->id;
}

METHOD(esptcp_connection_t, get_local, host_t*,
	private_esptcp_connection_t *this)
{
	return this->local;
}

METHOD(esptcp_connection_t, get_remote, host_t*,
	private_esptcp_connection_t *this)
{
	return this->remote;
}

METHOD(esptcp_connection_t, is_originator, bool,
	private_esptcp_connection_t *this)
{
	return this->originator;
}

METHOD(esptcp_connection_t, get_state, esptcp_connection_state_t,
	private_esptcp_connection_t *this)
{
	esptcp_connection_state_t state;

	this->mutex->lock(this->mutex);
	state = this->state;
	this->mutex->unlock(this->mutex);
	return state;
}

METHOD(esptcp_connection_t, is_answer, bool,
	private_esptcp_connection_t *this, packet_t *packet)
{
	chunk_t data = packet->get_data(packet);
	bool answer;

	if (has_marker(this))
	{
		data = chunk_skip(data, MARKER_LEN);
	}
	this->mutex->lock(this->mutex);
	answer = this->state == ESPTCP_CONNECTION_UP && this->heard &&
			 data.len >= sizeof(this->spi) &&
			 memeq(data.ptr, this->spi, sizeof(this->spi));
	this->mutex->unlock(this->mutex);
	return answer;
}

/**
 * Let a message wait, unless it is a retransmission of one that does.
 */
static void enqueue(private_esptcp_connection_t *this, packet_t *packet)
{
	enumerator_t *enumerator;
	packet_t *current;
	bool drop;

	drop = this->waiting->get_count(this->waiting) >= SEND_MAX;
	if (drop)
	{
		DBG1(DBG_NET, "message to %#H dropped, %d wait for TCP already",
			 this->remote, SEND_MAX);
	}
	enumerator = this->waiting->create_enumerator(this->waiting);
	while (!drop && enumerator->enumerate(enumerator, &current))
	{
		drop = chunk_equals(current->get_data(current),
							packet->get_data(packet));
	}
	enumerator->destroy(enumerator);
	if (drop)
	{
		packet->destroy(packet);
	}
	else
	{
		this->waiting->insert_last(this->waiting, packet);
	}
}

METHOD(esptcp_connection_t, send_, status_t,
	private_esptcp_connection_t *this, packet_t *packet)
{
	status_t status = SUCCESS;

	this->mutex->lock(this->mutex);
	switch (this->state)
	{
		case ESPTCP_CONNECTION_IDLE:
			enqueue(this, packet);
			start(this);
			break;
		case ESPTCP_CONNECTION_CONNECTING:
		case ESPTCP_CONNECTION_PREFIX:
			enqueue(this, packet);
			break;
		case ESPTCP_CONNECTION_UP:
			enqueue(this, packet);
			if (!this->blocked && !flush(this))
			{
				this->blocked = TRUE;
				lib->watcher->add(lib->watcher, this->fds->wfd, WATCHER_WRITE,
								  on_writable, this);
			}
			break;
		case ESPTCP_CONNECTION_DOWN:
			DBG1(DBG_NET, "message of %zu bytes dropped, TCP connection %u %s "
				 "%#H is gone", packet->get_data(packet).len, this->id,
				 direction(this), this->remote);
			packet->destroy(packet);
			status = FAILED;
			break;
	}
	this->mutex->unlock(this->mutex);
	return status;
}

METHOD(esptcp_connection_t, bind_, bool,
	private_esptcp_connection_t *this, uint32_t spi, host_t *dst, bool inbound)
{
	bool bound = FALSE;

	this->mutex->lock(this->mutex);
	if (this->state == ESPTCP_CONNECTION_UP)
	{
		bound = this->netlink->bind(this->netlink, this->kernel_id, spi, dst,
									inbound);
	}
	else
	{
		DBG1(DBG_KNL, "SPI %.8x not bound, TCP connection %u %s %#H is %N",
			 ntohl(spi), this->id, direction(this), this->remote,
			 esptcp_connection_state_names, this->state);
	}
	this->mutex->unlock(this->mutex);
	return bound;
}

METHOD(esptcp_connection_t, close_, void,
	private_esptcp_connection_t *this)
{
	descriptors_t *fds;

	this->mutex->lock(this->mutex);
	fds = give_up(this, ESPTCP_CONNECTION_DOWN);
	this->mutex->unlock(this->mutex);
	if (fds)
	{
		DBG1(DBG_NET, "closing TCP connection %u %s %#H", this->id,
			 direction(this), this->remote);
		descriptors_destroy(fds);
	}
}

METHOD(esptcp_connection_t, get_ref, esptcp_connection_t*,
	private_esptcp_connection_t *this)
{
	ref_get(&this->ref);
	return &this->public;
}

METHOD(esptcp_connection_t, destroy, void,
	private_esptcp_connection_t *this)
{
	if (ref_put(&this->ref))
	{
		this->waiting->destroy_offset(this->waiting,
									  offsetof(packet_t, destroy));
		DESTROY_IF(this->local);
		DESTROY_IF(this->remote);
		this->mutex->destroy(this->mutex);
		free(this);
	}
}

/**
 * What both constructors share.
 */
static private_esptcp_connection_t *connection_create(uint32_t id,
											esptcp_connection_state_t state,
											esptcp_netlink_t *netlink,
											esptcp_queue_t *queue)
{
	private_esptcp_connection_t *this;

	INIT(this,
		.public = {
			.get_id = _get_id,
			.get_local = _get_local,
			.get_remote = _get_remote,
			.is_originator = _is_originator,
			.get_state = _get_state,
			.is_answer = _is_answer,
			.send = _send_,
			.bind = _bind_,
			.close = _close_,
			.get_ref = _get_ref,
			.destroy = _destroy,
		},
		.id = id,
		.state = state,
		.originator = state == ESPTCP_CONNECTION_IDLE,
		.waiting = linked_list_create(),
		.netlink = netlink,
		.queue = queue,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.ref = 1,
	);
	return this;
}

/*
 * Described in header
 */
esptcp_connection_t *esptcp_connection_create_originator(uint32_t id,
									host_t *local, host_t *remote,
									esptcp_netlink_t *netlink,
									esptcp_queue_t *queue)
{
	private_esptcp_connection_t *this;

	this = connection_create(id, ESPTCP_CONNECTION_IDLE, netlink, queue);
	this->remote = remote->clone(remote);
	this->local = local->clone(local);
	this->local->set_port(this->local, 0);

	this->mutex->lock(this->mutex);
	start(this);
	this->mutex->unlock(this->mutex);

	if (this->local->is_anyaddr(this->local) ||
		!this->local->get_port(this->local))
	{
		destroy(this);
		return NULL;
	}
	return &this->public;
}

/*
 * Described in header
 */
esptcp_connection_t *esptcp_connection_create_responder(uint32_t id, int fd,
									esptcp_netlink_t *netlink,
									esptcp_queue_t *queue)
{
	private_esptcp_connection_t *this;

	this = connection_create(id, ESPTCP_CONNECTION_PREFIX, netlink, queue);
	this->local = get_host(fd, FALSE);
	this->remote = get_host(fd, TRUE);
	if (!this->local || !this->remote)
	{	/* reset already */
		close(fd);
		destroy(this);
		return NULL;
	}
	if (!descriptors_create(this, fd))
	{
		destroy(this);
		return NULL;
	}
	lib->watcher->add(lib->watcher, fd, WATCHER_READ, on_readable, this);
	return &this->public;
}
