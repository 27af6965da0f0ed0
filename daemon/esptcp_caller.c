/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_caller.h"
#include "esptcp_config.h"
#include "esptcp_tcp.h"

#include <daemon.h>

#include <errno.h>

/** Longest time until the first call again, in ms; doubles each time */
#define RETRY_FIRST 500

typedef struct private_esptcp_caller_t private_esptcp_caller_t;

/**
 * Private data of an esptcp_caller_t object.
 */
struct private_esptcp_caller_t {

	/**
	 * Public esptcp_caller_t interface.
	 */
	esptcp_caller_t public;

	/**
	 * Address and port of the peer, the connection's
	 */
	host_t *remote;

	/**
	 * Attempts to connect since the last that succeeded
	 */
	u_int attempts;
};

METHOD(esptcp_caller_t, get_source, host_t*,
	private_esptcp_caller_t *this, host_t *local)
{
	host_t *source;

	source = charon->kernel->get_source_addr(charon->kernel, this->remote,
											 local);
	if (source)
	{
		source->set_port(source, 0);
	}
	return source;
}

/**
 * Replace a host.
 */
static void set_host(host_t **host, host_t *new)
{
	(*host)->destroy(*host);
	*host = new;
}

/**
 * Choose where to call from.
 */
static void choose_local(private_esptcp_caller_t *this, host_t **local,
						 bool heard)
{
	host_t *source;

	if (this->attempts > 1 || heard)
	{
		source = get_source(this, *local);
		if (source && (heard || !source->ip_equals(source, *local)))
		{
			set_host(local, source);
			return;
		}
		DESTROY_IF(source);
	}
}

METHOD(esptcp_caller_t, call, int,
	private_esptcp_caller_t *this, host_t **local, bool heard)
{
	host_t *used;
	int fd;

	choose_local(this, local, heard);
	fd = esptcp_tcp_connect(*local, this->remote);
	if (fd == -1 && errno == EADDRINUSE)
	{	/* somebody else has taken the port */
		(*local)->set_port(*local, 0);
		fd = esptcp_tcp_connect(*local, this->remote);
	}
	if (fd == -1)
	{
		return -1;
	}
	used = esptcp_tcp_get_host(fd, FALSE);
	if (!used)
	{
		return esptcp_tcp_fail(fd);
	}
	set_host(local, used);
	return fd;
}

METHOD(esptcp_caller_t, get_delay, u_int,
	private_esptcp_caller_t *this)
{
	u_int limit = esptcp_config_get_reconnect_limit() * 1000, delay;

	delay = min(RETRY_FIRST << min(this->attempts, 16), limit);
	delay -= random() % (delay / 2 + 1);
	this->attempts++;
	return delay;
}

METHOD(esptcp_caller_t, succeeded, void,
	private_esptcp_caller_t *this)
{
	this->attempts = 0;
}

METHOD(esptcp_caller_t, destroy, void,
	private_esptcp_caller_t *this)
{
	free(this);
}

/*
 * Described in header
 */
esptcp_caller_t *esptcp_caller_create(host_t *remote)
{
	private_esptcp_caller_t *this;

	INIT(this,
		.public = {
			.call = _call,
			.get_source = _get_source,
			.get_delay = _get_delay,
			.succeeded = _succeeded,
			.destroy = _destroy,
		},
		.remote = remote,
	);

	return &this->public;
}
