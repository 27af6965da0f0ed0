/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_watch.h"
#include "esptcp_tcp.h"

#include <processing/jobs/callback_job.h>

#include <unistd.h>

typedef struct private_esptcp_watch_t private_esptcp_watch_t;

/**
 * Private data of an esptcp_watch_t object.
 */
struct private_esptcp_watch_t {

	/**
	 * Public esptcp_watch_t interface.
	 */
	esptcp_watch_t public;

	/**
	 * Socket
	 */
	int fd;

	/**
	 * Watches it
	 */
	esptcp_poller_t *poller;

	/**
	 * Number that it has there
	 */
	uintptr_t id;

	/**
	 * Called when there is something to read
	 */
	esptcp_watch_cb_t on_readable;

	/**
	 * Called when something can be written
	 */
	esptcp_watch_cb_t on_writable;

	/**
	 * Data for the callbacks
	 */
	void *data;

	/**
	 * Called in the end
	 */
	void (*cleanup)(void *data);
};

/**
 * The socket is ready.
 */
static void ready(private_esptcp_watch_t *this, bool readable, bool writable)
{
	if (readable)
	{
		this->on_readable(this->data, &this->public);
	}
	if (writable)
	{
		this->on_writable(this->data, &this->public);
	}
}

METHOD(esptcp_watch_t, get_fd, int,
	private_esptcp_watch_t *this)
{
	return this->fd;
}

METHOD(esptcp_watch_t, read_, void,
	private_esptcp_watch_t *this)
{
	this->poller->expect(this->poller, this->id, TRUE, FALSE);
}

METHOD(esptcp_watch_t, write_, void,
	private_esptcp_watch_t *this)
{
	this->poller->expect(this->poller, this->id, FALSE, TRUE);
}

METHOD(esptcp_watch_t, destroy, void,
	private_esptcp_watch_t *this)
{
	this->poller->stop(this->poller, this->id);
	this->poller->wait(this->poller, this->id);
	close(this->fd);
	this->cleanup(this->data);
	free(this);
}

/**
 * Destroy a watch from a thread that holds no locks.
 */
static job_requeue_t destroy_now(private_esptcp_watch_t **job)
{
	private_esptcp_watch_t *this = *job;

	*job = NULL;
	destroy(this);
	return JOB_REQUEUE_NONE;
}

/**
 * Clean up such a job, which is not executed if the daemon terminates before.
 */
static void clean_up(private_esptcp_watch_t **job)
{
	if (*job)
	{
		destroy(*job);
	}
	free(job);
}

METHOD(esptcp_watch_t, destroy_later, void,
	private_esptcp_watch_t *this)
{
	private_esptcp_watch_t **job;

	this->poller->stop(this->poller, this->id);
	job = malloc_thing(private_esptcp_watch_t*);
	*job = this;
	lib->processor->queue_job(lib->processor,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)destroy_now,
				job, (void*)clean_up, NULL, JOB_PRIO_HIGH));
}

/*
 * Described in header
 */
esptcp_watch_t *esptcp_watch_create(esptcp_poller_t *poller, int fd,
									esptcp_watch_cb_t on_readable,
									esptcp_watch_cb_t on_writable, void *data,
									void (*cleanup)(void *data))
{
	private_esptcp_watch_t *this;

	INIT(this,
		.public = {
			.get_fd = _get_fd,
			.read = _read_,
			.write = _write_,
			.destroy = _destroy,
			.destroy_later = _destroy_later,
		},
		.fd = fd,
		.poller = poller,
		.on_readable = on_readable,
		.on_writable = on_writable,
		.data = data,
		.cleanup = cleanup,
	);
	this->id = poller->add(poller, fd, (esptcp_poller_cb_t)ready, this);
	if (!this->id)
	{
		esptcp_tcp_fail(fd);
		free(this);
		return NULL;
	}
	return &this->public;
}
