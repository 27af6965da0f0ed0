/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_acceptor.h"
#include "esptcp_config.h"
#include "esptcp_holder.h"
#include "esptcp_tcp.h"

#include <daemon.h>
#include <collections/linked_list.h>
#include <threading/mutex.h>

#include <errno.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

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
	 * Protects reserve. The other one is held while callbacks are waited for.
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

/**
 * Refuse a connection for which there is no descriptor. One is reserved for
 * this, as the socket would be readable until somebody accepts.
 */
static void refuse(private_esptcp_acceptor_t *this, int fd)
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
}

CALLBACK(on_connection, bool,
	private_esptcp_acceptor_t *this, int fd, watcher_event_t event)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	host_t *host;
	int peer;

	peer = accept4(fd, (struct sockaddr*)&addr, &len,
				   SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer == -1)
	{
		if (errno == EMFILE || errno == ENFILE)
		{
			refuse(this, fd);
		}
		else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
		{
			DBG1(DBG_NET, "accepting a TCP connection failed: %s",
				 strerror(errno));
		}
		return TRUE;
	}
	if (!charon->kernel->bypass_socket(charon->kernel, peer, addr.ss_family))
	{
		DBG1(DBG_NET, "installing the IPsec bypass on a TCP socket failed");
		close(peer);
		return TRUE;
	}
	host = host_create_from_sockaddr((sockaddr_t*)&addr);
	this->connections->accept(this->connections, peer, host);
	host->destroy(host);
	return TRUE;
}

/**
 * Stop listening on a socket.
 */
static void close_socket(int fd)
{
	if (fd != -1)
	{
		lib->watcher->remove(lib->watcher, fd);
		close(fd);
	}
}

/**
 * Stop listening on a port.
 */
static void port_destroy(port_t *this)
{
	close_socket(this->ipv4);
	close_socket(this->ipv6);
	free(this);
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
		lib->watcher->add(lib->watcher, fd, WATCHER_READ, on_connection, this);
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
			port_destroy(port);
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
	this->ports->destroy_function(this->ports, (void*)port_destroy);
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
	);

	return &this->public;
}
