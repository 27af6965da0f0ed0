/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_connection.h"
#include "esptcp_caller.h"
#include "esptcp_inbox.h"
#include "esptcp_outbox.h"
#include "esptcp_prefix.h"
#include "esptcp_tcp.h"
#include "esptcp_watch.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <errno.h>
#include <sys/socket.h>

typedef struct private_esptcp_connection_t private_esptcp_connection_t;
typedef struct retry_t retry_t;

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
	 * Opens TCP connections, NULL if the peer does
	 */
	esptcp_caller_t *caller;

	/**
	 * How often it has called
	 */
	u_int calls;

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
	 * How often the connection was up
	 */
	u_int epoch;

	/**
	 * TRUE if an authentic message came since it is up
	 */
	bool confirmed;

	/**
	 * Number of the connection in the kernel, while it is UP
	 */
	uint32_t kernel_id;

	/**
	 * How ESP is put on the wire, as far as it is decided
	 */
	esptcp_framing_t framing;

	/**
	 * TRUE when it is
	 */
	bool framed;

	/**
	 * What the peer has sent of the stream prefix
	 */
	esptcp_prefix_t prefix;

	/**
	 * Messages from the peer
	 */
	esptcp_inbox_t *inbox;

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

/**
 * Data of a job that comes back to a peer.
 */
struct retry_t {
	/** reference to the connection */
	private_esptcp_connection_t *this;
	/** how often it had called by then */
	u_int calls;
};

static void start(private_esptcp_connection_t *this);

/**
 * Description of a connection for the log.
 */
static char *direction(private_esptcp_connection_t *this)
{
	return this->caller ? "to" : "from";
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
	memset(&this->prefix, 0, sizeof(this->prefix));
	this->outbox->rewind(this->outbox);
	return watch;
}

/**
 * Come back if nothing else has happened meanwhile.
 */
static job_requeue_t retry(retry_t *job)
{
	private_esptcp_connection_t *this = job->this;

	this->mutex->lock(this->mutex);
	if (this->state == ESPTCP_CONNECTION_IDLE && this->calls == job->calls)
	{
		start(this);
	}
	this->mutex->unlock(this->mutex);
	return JOB_REQUEUE_NONE;
}

/**
 * Destroy the data of such a job.
 */
static void retry_destroy(retry_t *job)
{
	job->this->public.destroy(&job->this->public);
	free(job);
}

/**
 * Come back after a while.
 */
static void schedule_retry(private_esptcp_connection_t *this)
{
	u_int delay = this->caller->get_delay(this->caller);
	retry_t *job;

	INIT(job,
		.this = this,
		.calls = this->calls,
	);
	this->public.get_ref(&this->public);
	DBG2(DBG_NET, "TCP connection %u %s %#H is opened again in %u ms", this->id,
		 direction(this), this->remote, delay);
	lib->scheduler->schedule_job_ms(lib->scheduler,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)retry, job,
				(void*)retry_destroy, NULL, JOB_PRIO_HIGH), delay);
}

/**
 * End a TCP connection. The side that opened it has to open another one.
 */
static void end(private_esptcp_connection_t *this)
{
	esptcp_surroundings_t *env = this->surroundings;
	esptcp_watch_t *watch;

	watch = give_up(this, this->caller ? ESPTCP_CONNECTION_IDLE
									   : ESPTCP_CONNECTION_DOWN);
	if (watch)
	{
		watch->destroy_later(watch);
	}
	if (this->caller)
	{
		schedule_retry(this);
	}
	else
	{
		env->ended(env->connections, this->id);
	}
}

/**
 * Handle the end of a TCP connection, which is not our will.
 */
static void lost(private_esptcp_connection_t *this, const char *reason)
{
	DBG1(DBG_NET, "TCP connection %u %s %#H %s: %s", this->id, direction(this),
		 this->remote,
		 this->state == ESPTCP_CONNECTION_UP ? "ended" : "failed", reason);
	end(this);
}

/**
 * Send what waits, as much as TCP takes.
 */
static void flush(private_esptcp_connection_t *this)
{
	int fd = this->watch->get_fd(this->watch);

	switch (this->outbox->flush(this->outbox, fd))
	{
		case SUCCESS:
			break;
		case NEED_MORE:
			this->blocked = TRUE;
			this->watch->write(this->watch);
			break;
		default:
			lost(this, strerror(errno));
			break;
	}
}

/**
 * Have the kernel module put ESP on the wire in a way, which is the connection's
 * from then on.
 */
static bool apply_framing(private_esptcp_connection_t *this,
						  esptcp_framing_t *framing)
{
	esptcp_netlink_t *netlink = this->surroundings->netlink;

	/* the kernel does not go back to RFC 9329 */
	if (!framing->fortinet && this->framed && this->framing.fortinet)
	{
		return FALSE;
	}
	if (framing->fortinet &&
		!netlink->set_framing(netlink, this->kernel_id, framing))
	{
		return FALSE;
	}
	this->framing = *framing;
	this->framed = TRUE;
	return TRUE;
}

/**
 * Give the connection to the kernel module, with the SAs that it carried
 * before.
 */
static void attach(private_esptcp_connection_t *this)
{
	esptcp_surroundings_t *env = this->surroundings;

	if (!env->netlink->attach(env->netlink, this->watch->get_fd(this->watch),
							  this->caller != NULL, &this->kernel_id) ||
		(this->framed && !apply_framing(this, &this->framing)))
	{
		lost(this, "the kernel module did not take it");
		return;
	}
	this->state = ESPTCP_CONNECTION_UP;
	if (this->epoch)
	{	/* it has carried SAs before */
		env->bindings->rebind(env->bindings, this->id, this->id,
							  this->kernel_id);
	}
	DBG1(DBG_NET, "TCP connection %u %s %#H is up%s", this->id, direction(this),
		 this->remote, this->epoch++ ? " again" : "");
}

/**
 * Handle somebody who has called us for something else.
 */
static void wrong_prefix(private_esptcp_connection_t *this)
{
	esptcp_counters_t *counters = this->surroundings->counters;

	if (counters->add(counters, ESPTCP_WRONG_PREFIX))
	{
		DBG1(DBG_NET, "TCP connection %u from %#H failed: no IKETCP stream "
			 "prefix", this->id, this->remote);
	}
	end(this);
}

/**
 * Read the stream prefix, after which the kernel module gets the connection.
 */
static void read_prefix(private_esptcp_connection_t *this)
{
	switch (esptcp_prefix_read(&this->prefix, this->watch->get_fd(this->watch)))
	{
		case SUCCESS:
			attach(this);
			break;
		case NEED_MORE:
			break;
		case PARSE_ERROR:
			wrong_prefix(this);
			break;
		default:
			lost(this, strerror(errno));
			break;
	}
}

/**
 * Read messages.
 */
static void receive(private_esptcp_connection_t *this)
{
	if (this->inbox->fill(this->inbox, this->watch->get_fd(this->watch),
						  this->local, this->outbox) != SUCCESS)
	{
		lost(this, errno ? strerror(errno) : "closed by the peer");
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
	if (!esptcp_prefix_send(fd))
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
	this->watch = esptcp_watch_create(this->surroundings->poller, fd,
									  (void*)on_readable, (void*)on_writable,
									  this, (void*)this->public.destroy);
	if (!this->watch)
	{
		return FALSE;
	}
	this->public.get_ref(&this->public);
	return TRUE;
}

/**
 * Start connecting, from IDLE.
 */
static void start(private_esptcp_connection_t *this)
{
	int fd;

	this->calls++;
	fd = this->caller->call(this->caller, &this->local,
							this->inbox->has_heard(this->inbox));
	if (fd == -1 || !set_socket(this, fd))
	{
		lost(this, strerror(errno));
		return;
	}
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
	return this->caller != NULL;
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
	bool answer;

	this->mutex->lock(this->mutex);
	answer = this->state == ESPTCP_CONNECTION_UP &&
			 this->inbox->is_answer(this->inbox, packet, this->local);
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

METHOD(esptcp_connection_t, set_framing, bool,
	private_esptcp_connection_t *this, char *name)
{
	esptcp_framing_t framing;
	bool set = TRUE;

	this->mutex->lock(this->mutex);
	if (this->state == ESPTCP_CONNECTION_UP && !this->framed)
	{
		set = esptcp_framing_get(name, &framing) &&
			  apply_framing(this, &framing);
		if (set && framing.fortinet)
		{
			DBG1(DBG_NET, "TCP connection %u %s %#H carries ESP with framing = "
				 "fortinet of connection '%s'", this->id, direction(this),
				 this->remote, name);
		}
		else if (!set)
		{
			DBG1(DBG_NET, "TCP connection %u %s %#H cannot carry ESP as the "
				 "settings of connection '%s' want it, see above", this->id,
				 direction(this), this->remote, name);
		}
	}
	this->mutex->unlock(this->mutex);
	return set;
}

METHOD(esptcp_connection_t, get_framing, bool,
	private_esptcp_connection_t *this, esptcp_framing_t *framing)
{
	bool framed;

	this->mutex->lock(this->mutex);
	*framing = this->framing;
	framed = this->framed;
	this->mutex->unlock(this->mutex);
	return framed;
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
	esptcp_framing_t framing;
	packet_t *packet;
	bool framed, up;

	framed = other->get_framing(other, &framing);
	this->mutex->lock(this->mutex);
	up = this->state == ESPTCP_CONNECTION_UP;
	if (up && framed && !apply_framing(this, &framing))
	{	/* the SAs would send in another way than was decided */
		lost(this, "it cannot have the framing of the one before");
		up = FALSE;
	}
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
	if (this->caller)
	{
		this->caller->succeeded(this->caller);
	}
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

METHOD(esptcp_connection_t, repeat, bool,
	private_esptcp_connection_t *this, u_int epoch)
{
	bool waiting;

	this->mutex->lock(this->mutex);
	waiting = this->state == ESPTCP_CONNECTION_UP && this->epoch == epoch &&
			  !this->confirmed;
	if (waiting && !this->blocked)
	{
		this->outbox->rewind(this->outbox);
		flush(this);
	}
	this->mutex->unlock(this->mutex);
	return waiting;
}

METHOD(esptcp_connection_t, get_silence, u_int,
	private_esptcp_connection_t *this)
{
	u_int silence;

	this->mutex->lock(this->mutex);
	silence = this->inbox->get_silence(this->inbox);
	this->mutex->unlock(this->mutex);
	return silence;
}

METHOD(esptcp_connection_t, roam, void,
	private_esptcp_connection_t *this)
{
	esptcp_watch_t *watch;
	host_t *source;

	this->mutex->lock(this->mutex);
	source = this->caller ? this->caller->get_source(this->caller, this->local)
						  : NULL;
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
		if (!this->inbox->has_heard(this->inbox))
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
		DESTROY_IF(this->caller);
		DESTROY_IF(this->inbox);
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
			.set_framing = _set_framing,
			.get_framing = _get_framing,
			.bind = _bind_,
			.succeed = _succeed,
			.take_request = _take_request,
			.confirm = _confirm,
			.get_epoch = _get_epoch,
			.repeat = _repeat,
			.get_silence = _get_silence,
			.roam = _roam,
			.close = _close_,
			.get_ref = _get_ref,
			.destroy = _destroy,
		},
		.id = id,
		.state = state,
		.outbox = esptcp_outbox_create(),
		.surroundings = surroundings,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.ref = 1,
	);
	return this;
}

/**
 * Set the address and port of the peer, adopted.
 */
static void set_remote(private_esptcp_connection_t *this, host_t *remote)
{
	this->remote = remote;
	this->inbox = esptcp_inbox_create(this->id, remote,
									  this->surroundings->queue);
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
	set_remote(this, remote->clone(remote));
	this->caller = esptcp_caller_create(this->remote);
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
	host_t *remote;

	this = connection_create(id, ESPTCP_CONNECTION_PREFIX, surroundings);
	if (!set_socket(this, fd))
	{
		destroy(this);
		return NULL;
	}
	this->local = esptcp_tcp_get_host(fd, FALSE);
	remote = esptcp_tcp_get_host(fd, TRUE);
	if (!this->local || !remote)
	{	/* reset already, and never watched */
		DESTROY_IF(remote);
		this->watch->destroy(this->watch);
		destroy(this);
		return NULL;
	}
	set_remote(this, remote);
	esptcp_tcp_set_timeouts(fd);
	this->watch->read(this->watch);
	return &this->public;
}
