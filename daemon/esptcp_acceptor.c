/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_acceptor.h"
#include "esptcp_config.h"
#include "esptcp_holder.h"
#include "esptcp_tcp.h"

#include <daemon.h>
#include <collections/linked_list.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

/** Connections to accept before others of charon have their turn */
#define ACCEPT_MAX 16

/** Descriptors that connections leave to the rest of charon, at most */
#define RESERVED_MAX 64

/** Highest limit of descriptors that we ask for, the kernel's (fs.nr_open) */
#define DESCRIPTORS_MAX (1024 * 1024)

/** Seconds without accepting when that fails */
#define PAUSE 1

typedef struct private_esptcp_acceptor_t private_esptcp_acceptor_t;
typedef struct port_t port_t;

/**
 * Private data of an esptcp_acceptor_t object.
 */
struct private_esptcp_acceptor_t {

	/**
	 * Public esptcp_acceptor_t interface.
	 */
	esptcp_acceptor_t public;

	/**
	 * Ports that we listen on, as port_t
	 */
	linked_list_t *ports;

	/**
	 * Protects ports, as several threads may reload the settings
	 */
	mutex_t *mutex;

	/**
	 * Gets the connections that are accepted
	 */
	esptcp_connections_t *connections;

	/**
	 * Counts what is refused
	 */
	esptcp_counters_t *counters;

	/**
	 * Descriptor to give up when there are no others, -1 without one
	 */
	int reserve;

	/**
	 * Sockets on which accepting has failed, as int, not watched for a while
	 */
	array_t *paused;

	/**
	 * Protects both. The other one is held while callbacks are waited for.
	 */
	mutex_t *reserve_mutex;
};

/**
 * A port that we listen on.
 */
struct port_t {
	/** number of the port */
	uint16_t number;
	/** IPv4 socket, -1 if there is none */
	int ipv4;
	/** IPv6 socket, -1 if there is none */
	int ipv6;
};

static bool on_connections(private_esptcp_acceptor_t *this, int fd,
						   watcher_event_t event);

/**
 * Raise the limit of descriptors, of which each connection takes one, as far as
 * we may.
 */
static void raise_limit()
{
	struct rlimit limit;
	rlim_t old;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
	{
		return;
	}
	old = limit.rlim_cur;
	limit.rlim_cur = min(limit.rlim_max, DESCRIPTORS_MAX);
	if (limit.rlim_cur > old && setrlimit(RLIMIT_NOFILE, &limit) == 0)
	{
		DBG1(DBG_NET, "limit of descriptors raised from %llu to %llu",
			 (unsigned long long)old, (unsigned long long)limit.rlim_cur);
	}
}

/**
 * Check if there are descriptors left for the rest of charon, vici for one,
 * when there is a new one. The kernel takes the lowest that is free.
 */
static bool has_room(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
		   fd < limit.rlim_cur - min(limit.rlim_cur / 8, RESERVED_MAX);
}

/**
 * Move a connection to the lowest descriptor that is free.
 */
static int move_down(int fd)
{
	int lowest = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (lowest == -1)
	{
		return fd;
	}
	close(fd);
	return lowest;
}

/**
 * Watch the sockets again on which accepting has failed.
 */
static job_requeue_t resume(private_esptcp_acceptor_t *this)
{
	int fd;

	this->reserve_mutex->lock(this->reserve_mutex);
	while (array_remove(this->paused, ARRAY_HEAD, &fd))
	{
		lib->watcher->add(lib->watcher, fd, WATCHER_READ,
						  (watcher_cb_t)on_connections, this);
	}
	this->reserve_mutex->unlock(this->reserve_mutex);
	return JOB_REQUEUE_NONE;
}

/**
 * Leave a socket alone for a while, which is readable until somebody accepts.
 */
static void pause_socket(private_esptcp_acceptor_t *this, int fd)
{
	this->reserve_mutex->lock(this->reserve_mutex);
	array_insert(this->paused, ARRAY_TAIL, &fd);
	this->reserve_mutex->unlock(this->reserve_mutex);
	lib->scheduler->schedule_job(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)resume, this,
											NULL, NULL), PAUSE);
}

/**
 * Refuse a connection for which there is no descriptor but the reserved one.
 *
 * @return				FALSE if that is gone, too
 */
static bool refuse(private_esptcp_acceptor_t *this, int fd)
{
	int peer;

	this->reserve_mutex->lock(this->reserve_mutex);
	if (this->reserve != -1)
	{
		close(this->reserve);
	}
	peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer != -1)
	{
		close(peer);
	}
	this->reserve = eventfd(0, EFD_CLOEXEC);
	this->reserve_mutex->unlock(this->reserve_mutex);
	if (this->counters->add(this->counters, ESPTCP_NO_DESCRIPTORS))
	{
		DBG1(DBG_NET, "TCP connection refused, there are no more descriptors: "
			 "raise LimitNOFILE of the service");
	}
	return peer != -1;
}

/**
 * Accept a connection.
 *
 * @return				NEED_MORE if there is none, FAILED if that will not end
 */
static status_t accept_one(private_esptcp_acceptor_t *this, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	host_t *host;
	int peer;

	peer = accept4(fd, (struct sockaddr*)&addr, &len,
				   SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer == -1)
	{
		switch (errno)
		{
			case EAGAIN:
				return NEED_MORE;
			case EINTR:
			case ECONNABORTED:
				return SUCCESS;
			case EMFILE:
			case ENFILE:
				return refuse(this, fd) ? SUCCESS : FAILED;
			default:
				DBG1(DBG_NET, "accepting a TCP connection failed: %s",
					 strerror(errno));
				return FAILED;
		}
	}
	if (!charon->kernel->bypass_socket(charon->kernel, peer, addr.ss_family))
	{
		DBG1(DBG_NET, "installing the IPsec bypass on a TCP socket failed");
		close(peer);
		return SUCCESS;
	}
	if (!has_room(peer))
	{	/* the place of the one that goes is taken, or there would be no end */
		if (!this->connections->make_room(this->connections))
		{
			close(peer);
			return SUCCESS;
		}
		peer = move_down(peer);
	}
	host = host_create_from_sockaddr((sockaddr_t*)&addr);
	this->connections->accept(this->connections, peer, host);
	host->destroy(host);
	return SUCCESS;
}

/**
 * Accept connections, called by the watcher.
 */
static bool on_connections(private_esptcp_acceptor_t *this, int fd,
						   watcher_event_t event)
{
	int i;

	for (i = 0; i < ACCEPT_MAX; i++)
	{
		switch (accept_one(this, fd))
		{
			case SUCCESS:
				break;
			case NEED_MORE:
				return TRUE;
			default:
				pause_socket(this, fd);
				return FALSE;
		}
	}
	return TRUE;
}

/**
 * Forget that accepting has failed on a socket.
 */
static void forget_pause(private_esptcp_acceptor_t *this, int fd)
{
	int i, paused;

	this->reserve_mutex->lock(this->reserve_mutex);
	for (i = array_count(this->paused) - 1; i >= 0; i--)
	{
		array_get(this->paused, i, &paused);
		if (paused == fd)
		{
			array_remove(this->paused, i, NULL);
		}
	}
	this->reserve_mutex->unlock(this->reserve_mutex);
}

/**
 * Stop listening on a socket. It may be about to be watched again.
 */
static void close_socket(private_esptcp_acceptor_t *this, int fd)
{
	if (fd != -1)
	{
		lib->watcher->remove(lib->watcher, fd);
		forget_pause(this, fd);
		lib->watcher->remove(lib->watcher, fd);
		close(fd);
	}
}

/**
 * Stop listening on a port.
 */
static void close_port(private_esptcp_acceptor_t *this, port_t *port)
{
	close_socket(this, port->ipv4);
	close_socket(this, port->ipv6);
	free(port);
}

/**
 * Log that somebody else has a port.
 */
static void log_holder(uint16_t port)
{
	char name[32];
	pid_t pid;

	if (esptcp_holder_find(port, &pid, name, sizeof(name)))
	{
		DBG1(DBG_NET, "TCP port %u is taken by process %d (%s): stop that, or "
			 "remove the port from 'ports'", port, pid, name);
	}
	else
	{
		DBG1(DBG_NET, "TCP port %u is taken by another program, find it with "
			 "'ss -ltnp sport = :%u'", port, port);
	}
}

/**
 * Listen on a port of one address family.
 */
static int listen_on(private_esptcp_acceptor_t *this, int family, uint16_t port)
{
	int fd;

	fd = esptcp_tcp_listen(family, port);
	if (fd != -1)
	{
		lib->watcher->add(lib->watcher, fd, WATCHER_READ,
						  (watcher_cb_t)on_connections, this);
	}
	else if (errno == EADDRINUSE)
	{
		log_holder(port);
	}
	else if (errno != EAFNOSUPPORT)
	{
		DBG1(DBG_NET, "listening on TCP port %u failed: %s", port,
			 strerror(errno));
	}
	return fd;
}

/**
 * Listen on a port.
 */
static void add_port(private_esptcp_acceptor_t *this, uint16_t number)
{
	port_t *port;

	INIT(port,
		.number = number,
		.ipv4 = listen_on(this, AF_INET, number),
		.ipv6 = listen_on(this, AF_INET6, number),
	);
	if (port->ipv4 == -1 && port->ipv6 == -1)
	{
		free(port);
		return;
	}
	raise_limit();
	DBG1(DBG_NET, "listening on TCP port %u (%s)", number,
		 port->ipv6 == -1 ? "IPv4" : port->ipv4 == -1 ? "IPv6" : "IPv4, IPv6");
	this->ports->insert_last(this->ports, port);
}

/**
 * Check if an array of ports has one, and remove it.
 */
static bool take_port(array_t *ports, uint16_t number)
{
	enumerator_t *enumerator;
	uint16_t *current;
	bool found = FALSE;

	enumerator = array_create_enumerator(ports);
	while (enumerator->enumerate(enumerator, &current))
	{
		if (*current == number)
		{
			array_remove_at(ports, enumerator);
			found = TRUE;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

METHOD(esptcp_acceptor_t, reload, bool,
	private_esptcp_acceptor_t *this)
{
	enumerator_t *enumerator;
	array_t *wanted;
	uint16_t number;
	port_t *port;
	bool listening;

	this->mutex->lock(this->mutex);
	wanted = esptcp_config_get_ports();
	enumerator = this->ports->create_enumerator(this->ports);
	while (enumerator->enumerate(enumerator, &port))
	{
		if (!take_port(wanted, port->number))
		{
			DBG1(DBG_NET, "no longer listening on TCP port %u", port->number);
			this->ports->remove_at(this->ports, enumerator);
			close_port(this, port);
		}
	}
	enumerator->destroy(enumerator);

	while (array_remove(wanted, ARRAY_HEAD, &number))
	{
		take_port(wanted, number);
		add_port(this, number);
	}
	array_destroy(wanted);
	listening = this->ports->get_count(this->ports) > 0;
	this->mutex->unlock(this->mutex);
	return listening;
}

METHOD(esptcp_acceptor_t, destroy, void,
	private_esptcp_acceptor_t *this)
{
	port_t *port;

	while (this->ports->remove_first(this->ports, (void**)&port) == SUCCESS)
	{
		close_port(this, port);
	}
	this->ports->destroy(this->ports);
	array_destroy(this->paused);
	if (this->reserve != -1)
	{
		close(this->reserve);
	}
	this->reserve_mutex->destroy(this->reserve_mutex);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_acceptor_t *esptcp_acceptor_create(esptcp_connections_t *connections,
										  esptcp_counters_t *counters)
{
	private_esptcp_acceptor_t *this;

	INIT(this,
		.public = {
			.reload = _reload,
			.destroy = _destroy,
		},
		.ports = linked_list_create(),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.connections = connections,
		.counters = counters,
		.reserve_mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		.reserve = eventfd(0, EFD_CLOEXEC),
		.paused = array_create(sizeof(int), 0),
	);

	return &this->public;
}
