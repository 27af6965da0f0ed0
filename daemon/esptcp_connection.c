/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_connection.h"
#include "esptcp_config.h"
#include "esptcp_outbox.h"
#include "esptcp_tcp.h"
#include "esptcp_watch.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <linux/esptcp.h>

/** Stream prefix that the TCP Originator sends (RFC 9329 section 4) */
static const char prefix[] = { 'I', 'K', 'E', 'T', 'C', 'P' };

/** Messages to read before other connections have their turn */
#define RECEIVE_MAX 16

/** Length of the non-ESP marker */
#define MARKER_LEN sizeof(uint32_t)

/** Offset of the version in an IKE header */
#define VERSION_OFFSET 17

/** Longest time until the first attempt to come back, in ms; doubles each time */
#define RETRY_FIRST 500

typedef struct private_esptcp_connection_t private_esptcp_connection_t;

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
	 * Local address and port
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
	 * The socket while there is one. It holds a reference to the connection.
	 */
	esptcp_watch_t *watch;

	/**
	 * TRUE while we wait for the socket to take more messages
	 */
	bool blocked;

	/**
	 * TRUE once the peer has sent a message
	 */
	bool heard;

	/**
	 * When it sent the last one
	 */
	time_t last_message;

	/**
	 * How often the connection was up
	 */
	u_int epoch;

	/**
	 * TRUE if an authentic message came since it is up
	 */
	bool confirmed;

	/**
	 * Attempts to connect since the last authentic message
	 */
	u_int attempts;

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
	 * Messages that wait for TCP or for an answer
	 */
	esptcp_outbox_t *outbox;

	/**
	 * What it uses
	 */
	esptcp_surroundings_t *surroundings;

	/**
	 * Protects what changes
	 */
	mutex_t *mutex;

	/**
	 * Reference counter
	 */
	refcount_t ref;
};

static void start(private_esptcp_connection_t *this);

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
static esptcp_watch_t *give_up(private_esptcp_connection_t *this,
							   esptcp_connection_state_t state)
{
	esptcp_watch_t *watch = this->watch;

	this->state = state;
	this->watch = NULL;
	this->blocked = FALSE;
	this->confirmed = FALSE;
	this->received_len = 0;
	this->outbox->rewind(this->outbox);
	return watch;
}

/**
 * Come back if nothing else has happened meanwhile.
 */
static job_requeue_t retry(private_esptcp_connection_t *this)
{
	this->mutex->lock(this->mutex);
	if (this->state == ESPTCP_CONNECTION_IDLE)
	{
		start(this);
	}
	this->mutex->unlock(this->mutex);
	return JOB_REQUEUE_NONE;
}

/**
 * Come back after a while: longer each time, and not at the same time as all
 * others that were lost with this one.
 */
static void schedule_retry(private_esptcp_connection_t *this)
{
	u_int limit = esptcp_config_get_reconnect_limit() * 1000, delay;

	delay = min(RETRY_FIRST << min(this->attempts, 16), limit);
	delay -= random() % (delay / 2 + 1);
	this->attempts++;
	DBG2(DBG_NET, "TCP connection %u %s %#H is opened again in %u ms", this->id,
		 direction(this), this->remote, delay);
	lib->scheduler->schedule_job_ms(lib->scheduler,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)retry,
				this->public.get_ref(&this->public), (void*)this->public.destroy,
				NULL, JOB_PRIO_HIGH), delay);
}

/**
 * Handle the end of a TCP connection, which is not our will. The side that
 * opened it has to open another one.
 */
static void lost(private_esptcp_connection_t *this, const char *reason)
{
	esptcp_watch_t *watch;

	DBG1(DBG_NET, "TCP connection %u %s %#H %s: %s", this->id, direction(this),
		 this->remote,
		 this->state == ESPTCP_CONNECTION_UP ? "ended" : "failed", reason);

	watch = give_up(this, this->originator ? ESPTCP_CONNECTION_IDLE
										   : ESPTCP_CONNECTION_DOWN);
	if (watch)
	{
		watch->destroy_later(watch);
	}
	if (this->originator)
	{
		schedule_retry(this);
	}
}

/**
 * Send what waits, as much as TCP takes.
 */
static void flush(private_esptcp_connection_t *this)
{
	packet_t *packet;
	chunk_t data;

	while ((packet = this->outbox->next(this->outbox)))
	{
		data = packet->get_data(packet);
		if (send(this->watch->get_fd(this->watch), data.ptr, data.len,
				 MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		{
			switch (errno)
			{
				case EAGAIN:
					this->blocked = TRUE;
					this->watch->write(this->watch);
					return;
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
					return;
			}
		}
		this->outbox->sent(this->outbox);
	}
}

/**
 * Give the connection to the kernel module, with the SAs that it carried
 * before.
 */
static void attach(private_esptcp_connection_t *this)
{
	esptcp_surroundings_t *env = this->surroundings;

	if (!env->netlink->attach(env->netlink, this->watch->get_fd(this->watch),
							  this->originator, &this->kernel_id))
	{
		lost(this, "the kernel module did not take it");
		return;
	}
	this->state = ESPTCP_CONNECTION_UP;
	env->bindings->rebind(env->bindings, this->id, this->id, this->kernel_id);
	DBG1(DBG_NET, "TCP connection %u %s %#H is up%s", this->id, direction(this),
		 this->remote, this->epoch++ ? " again" : "");
}

/**
 * Handle somebody who has called us for something else.
 */
static void wrong_prefix(private_esptcp_connection_t *this)
{
	esptcp_counters_t *counters = this->surroundings->counters;
	esptcp_watch_t *watch;

	if (counters->add(counters, ESPTCP_WRONG_PREFIX))
	{
		DBG1(DBG_NET, "TCP connection %u from %#H failed: no IKETCP stream "
			 "prefix", this->id, this->remote);
	}
	watch = give_up(this, ESPTCP_CONNECTION_DOWN);
	watch->destroy_later(watch);
}

/**
 * Read the rest of the stream prefix, not an octet more.
 */
static void read_prefix(private_esptcp_connection_t *this)
{
	ssize_t len;

	len = recv(this->watch->get_fd(this->watch),
			   this->received + this->received_len,
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
		wrong_prefix(this);
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
	this->last_message = time_monotonic(NULL);
	if (message.len >= MARKER_LEN + sizeof(this->spi))
	{
		memcpy(this->spi, message.ptr + MARKER_LEN, sizeof(this->spi));
	}
	this->outbox->answered(this->outbox, message);
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
	this->surroundings->queue->add_tcp(this->surroundings->queue, this->id,
									   packet);
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
		len = recv(this->watch->get_fd(this->watch), buf, sizeof(buf),
				   MSG_DONTWAIT);
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

/**
 * There is something to read. A late event of a former socket is ignored.
 */
static void on_readable(private_esptcp_connection_t *this,
						esptcp_watch_t *watch)
{
	this->mutex->lock(this->mutex);
	if (this->watch == watch)
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
	this->mutex->unlock(this->mutex);
}

/**
 * Finish connecting: send the prefix, then whatever waits.
 */
static void connected(private_esptcp_connection_t *this)
{
	int fd = this->watch->get_fd(this->watch), error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
	{
		error = errno;
	}
	if (error)
	{
		lost(this, strerror(error));
		return;
	}
	/* the buffer of a new connection has room for six octets */
	if (send(fd, prefix, sizeof(prefix),
			 MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(prefix))
	{
		lost(this, "the stream prefix could not be sent");
		return;
	}
	attach(this);
	if (this->state == ESPTCP_CONNECTION_UP)
	{
		this->watch->read(this->watch);
		if (this->epoch > 1)
		{
			this->surroundings->resumed(this->surroundings->data, this->id);
		}
	}
}

/**
 * The socket is connected, or failed to, or takes more messages.
 */
static void on_writable(private_esptcp_connection_t *this,
						esptcp_watch_t *watch)
{
	this->mutex->lock(this->mutex);
	if (this->watch == watch)
	{
		if (this->state == ESPTCP_CONNECTION_CONNECTING)
		{
			connected(this);
		}
		if (this->state == ESPTCP_CONNECTION_UP)
		{
			this->blocked = FALSE;
			flush(this);
		}
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Let the connection own a socket, closes it if that fails.
 */
static bool set_socket(private_esptcp_connection_t *this, int fd)
{
	this->watch = esptcp_watch_create(fd, (void*)on_readable,
									  (void*)on_writable, this,
									  (void*)this->public.destroy);
	if (!this->watch)
	{
		return FALSE;
	}
	this->public.get_ref(&this->public);
	return TRUE;
}

/**
 * Get our address that the routes choose now, any port.
 *
 * @return				host, to destroy, NULL if there is no route
 */
static host_t *get_source(private_esptcp_connection_t *this)
{
	host_t *source;

	source = charon->kernel->get_source_addr(charon->kernel, this->remote,
											 this->local);
	if (source)
	{
		source->set_port(source, 0);
	}
	return source;
}

/**
 * Choose where to connect from. The port that the first message names is kept
 * as long as the peer may not have got that message (RFC 9329 section 6.5).
 * After that it is another one each time, as something on the way may remember
 * what became of the last.
 */
static void choose_local(private_esptcp_connection_t *this)
{
	host_t *source;

	if (this->attempts > 1 || this->heard)
	{
		source = get_source(this);
		if (source && (this->heard || !source->ip_equals(source, this->local)))
		{
			this->local->destroy(this->local);
			this->local = source;
			return;
		}
		DESTROY_IF(source);
	}
}

/**
 * Start connecting, from IDLE.
 */
static void start(private_esptcp_connection_t *this)
{
	host_t *local;
	int fd;

	choose_local(this);
	fd = esptcp_tcp_connect(this->local, this->remote);
	if (fd == -1 && errno == EADDRINUSE)
	{	/* somebody else has taken the port */
		this->local->set_port(this->local, 0);
		fd = esptcp_tcp_connect(this->local, this->remote);
	}
	if (fd == -1 || !set_socket(this, fd))
	{
		lost(this, strerror(errno));
		return;
	}
	local = esptcp_tcp_get_host(fd, FALSE);
	if (!local)
	{
		lost(this, strerror(errno));
		return;
	}
	this->local->destroy(this->local);
	this->local = local;
	this->state = ESPTCP_CONNECTION_CONNECTING;
	this->watch->write(this->watch);
}

METHOD(esptcp_connection_t, get_id, uint32_t,
	private_esptcp_connection_t *this)
{
	return this->id;
}

METHOD(esptcp_connection_t, get_local, host_t*,
	private_esptcp_connection_t *this)
{
	host_t *local;

	this->mutex->lock(this->mutex);
	local = this->local->clone(this->local);
	this->mutex->unlock(this->mutex);
	return local;
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

	this->mutex->lock(this->mutex);
	if (has_marker(this))
	{
		data = chunk_skip(data, MARKER_LEN);
	}
	answer = this->state == ESPTCP_CONNECTION_UP && this->heard &&
			 data.len >= sizeof(this->spi) &&
			 memeq(data.ptr, this->spi, sizeof(this->spi));
	this->mutex->unlock(this->mutex);
	return answer;
}

METHOD(esptcp_connection_t, send_, status_t,
	private_esptcp_connection_t *this, packet_t *packet)
{
	status_t status = SUCCESS;

	this->mutex->lock(this->mutex);
	if (!this->outbox->add(this->outbox, packet))
	{
		DBG1(DBG_NET, "message to %#H dropped, too many wait for TCP already",
			 this->remote);
		status = FAILED;
	}
	else if (this->state == ESPTCP_CONNECTION_UP && !this->blocked)
	{
		flush(this);
	}
	else if (this->state == ESPTCP_CONNECTION_DOWN)
	{
		DBG1(DBG_NET, "TCP connection %u %s %#H is gone, requests wait for "
			 "another one", this->id, direction(this), this->remote);
		this->outbox->rewind(this->outbox);
	}
	this->mutex->unlock(this->mutex);
	return status;
}

METHOD(esptcp_connection_t, bind_, bool,
	private_esptcp_connection_t *this, kernel_ipsec_sa_id_t *sa, host_t *dst,
	bool inbound)
{
	esptcp_bindings_t *bindings = this->surroundings->bindings;
	bool bound = FALSE;

	this->mutex->lock(this->mutex);
	if (this->state == ESPTCP_CONNECTION_UP)
	{
		bound = bindings->bind(bindings, sa, dst, inbound, this->id,
							   this->kernel_id);
	}
	else
	{
		DBG1(DBG_KNL, "SPI %.8x not bound, TCP connection %u %s %#H is %N",
			 ntohl(sa->spi), this->id, direction(this), this->remote,
			 esptcp_connection_state_names, this->state);
	}
	this->mutex->unlock(this->mutex);
	return bound;
}

METHOD(esptcp_connection_t, take_request, packet_t*,
	private_esptcp_connection_t *this)
{
	packet_t *packet;

	this->mutex->lock(this->mutex);
	this->outbox->rewind(this->outbox);
	packet = this->outbox->take(this->outbox);
	this->mutex->unlock(this->mutex);
	return packet;
}

METHOD(esptcp_connection_t, succeed, bool,
	private_esptcp_connection_t *this, esptcp_connection_t *other)
{
	esptcp_bindings_t *bindings = this->surroundings->bindings;
	packet_t *packet;
	bool up;

	this->mutex->lock(this->mutex);
	up = this->state == ESPTCP_CONNECTION_UP;
	if (up)
	{
		bindings->rebind(bindings, other->get_id(other), this->id,
						 this->kernel_id);
	}
	this->mutex->unlock(this->mutex);
	while (up && (packet = other->take_request(other)))
	{
		send_(this, packet);
	}
	return up;
}

METHOD(esptcp_connection_t, confirm, void,
	private_esptcp_connection_t *this)
{
	this->mutex->lock(this->mutex);
	this->confirmed = TRUE;
	this->attempts = 0;
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_connection_t, get_epoch, u_int,
	private_esptcp_connection_t *this, bool *confirmed)
{
	u_int epoch;

	this->mutex->lock(this->mutex);
	*confirmed = this->confirmed;
	epoch = this->epoch;
	this->mutex->unlock(this->mutex);
	return epoch;
}

METHOD(esptcp_connection_t, get_silence, u_int,
	private_esptcp_connection_t *this)
{
	u_int silence = UINT_MAX;

	this->mutex->lock(this->mutex);
	if (this->heard)
	{
		silence = time_monotonic(NULL) - this->last_message;
	}
	this->mutex->unlock(this->mutex);
	return silence;
}

METHOD(esptcp_connection_t, roam, void,
	private_esptcp_connection_t *this)
{
	esptcp_watch_t *watch;
	host_t *source;

	this->mutex->lock(this->mutex);
	source = this->originator ? get_source(this) : NULL;
	if (source && this->state == ESPTCP_CONNECTION_IDLE)
	{
		start(this);
	}
	else if (source && this->watch && !source->ip_equals(source, this->local))
	{
		DBG1(DBG_NET, "TCP connection %u %s %#H is opened again, our address "
			 "has changed from %H to %H", this->id, direction(this),
			 this->remote, this->local, source);
		watch = give_up(this, ESPTCP_CONNECTION_IDLE);
		watch->destroy_later(watch);
		if (!this->heard)
		{
			this->local->destroy(this->local);
			this->local = source->clone(source);
		}
		start(this);
	}
	this->mutex->unlock(this->mutex);
	DESTROY_IF(source);
}

METHOD(esptcp_connection_t, close_, void,
	private_esptcp_connection_t *this)
{
	esptcp_watch_t *watch;

	this->mutex->lock(this->mutex);
	watch = give_up(this, ESPTCP_CONNECTION_DOWN);
	this->mutex->unlock(this->mutex);
	if (watch)
	{
		DBG1(DBG_NET, "closing TCP connection %u %s %#H", this->id,
			 direction(this), this->remote);
		watch->destroy(watch);
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
		this->outbox->destroy(this->outbox);
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
										esptcp_surroundings_t *surroundings)
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
			.succeed = _succeed,
			.take_request = _take_request,
			.confirm = _confirm,
			.get_epoch = _get_epoch,
			.get_silence = _get_silence,
			.roam = _roam,
			.close = _close_,
			.get_ref = _get_ref,
			.destroy = _destroy,
		},
		.id = id,
		.state = state,
		.originator = state == ESPTCP_CONNECTION_IDLE,
		.outbox = esptcp_outbox_create(),
		.surroundings = surroundings,
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
									esptcp_surroundings_t *surroundings)
{
	private_esptcp_connection_t *this;
	bool connecting;

	this = connection_create(id, ESPTCP_CONNECTION_IDLE, surroundings);
	this->remote = remote->clone(remote);
	this->local = local->clone(local);
	this->local->set_port(this->local, 0);

	this->mutex->lock(this->mutex);
	start(this);
	/* without an address and a port there is no first message */
	connecting = !this->local->is_anyaddr(this->local) &&
				 this->local->get_port(this->local);
	this->mutex->unlock(this->mutex);
	if (!connecting)
	{
		close_(this);
		destroy(this);
		return NULL;
	}
	return &this->public;
}

/*
 * Described in header
 */
esptcp_connection_t *esptcp_connection_create_responder(uint32_t id, int fd,
									esptcp_surroundings_t *surroundings)
{
	private_esptcp_connection_t *this;

	this = connection_create(id, ESPTCP_CONNECTION_PREFIX, surroundings);
	if (!set_socket(this, fd))
	{
		destroy(this);
		return NULL;
	}
	this->local = esptcp_tcp_get_host(fd, FALSE);
	this->remote = esptcp_tcp_get_host(fd, TRUE);
	if (!this->local || !this->remote)
	{	/* reset already, and never watched */
		this->watch->destroy(this->watch);
		destroy(this);
		return NULL;
	}
	esptcp_tcp_set_timeouts(fd);
	this->watch->read(this->watch);
	return &this->public;
}
