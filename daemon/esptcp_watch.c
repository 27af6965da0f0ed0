/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_watch.h"
#include "esptcp_tcp.h"

#include <processing/jobs/callback_job.h>

#include <fcntl.h>
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
	 * Socket, on which read events are registered
	 */
	int fd;

	/**
	 * Duplicate of it for write events, as watcher_t notices only one
	 * registration per descriptor, and can't change its events
	 */
	int wfd;

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

	/**
	 * TRUE after destroy_later()
	 */
	bool stopped;
};

CALLBACK(readable, bool,
	private_esptcp_watch_t *this, int fd, watcher_event_t event)
{
	this->on_readable(this->data, &this->public);
	return !this->stopped;
}

CALLBACK(writable, bool,
	private_esptcp_watch_t *this, int fd, watcher_event_t event)
{
	this->on_writable(this->data, &this->public);
	return FALSE;
}

METHOD(esptcp_watch_t, get_fd, int,
	private_esptcp_watch_t *this)
{
	return this->fd;
}

METHOD(esptcp_watch_t, read_, void,
	private_esptcp_watch_t *this)
{
	lib->watcher->add(lib->watcher, this->fd, WATCHER_READ, readable, this);
}

METHOD(esptcp_watch_t, write_, void,
	private_esptcp_watch_t *this)
{
	lib->watcher->add(lib->watcher, this->wfd, WATCHER_WRITE, writable, this);
}

/**
 * Let there be no more callbacks. Waits for them unless the daemon terminates.
 */
static void unwatch(private_esptcp_watch_t *this)
{
	lib->watcher->remove(lib->watcher, this->fd);
	lib->watcher->remove(lib->watcher, this->wfd);
}

/**
 * Free a watch that no callback uses any more.
 */
static void bury(private_esptcp_watch_t *this)
{
	close(this->wfd);
	close(this->fd);
	this->cleanup(this->data);
	free(this);
}

METHOD(esptcp_watch_t, destroy, void,
	private_esptcp_watch_t *this)
{
	unwatch(this);
	if (lib->watcher->get_state(lib->watcher) == WATCHER_STOPPED &&
		lib->processor->get_total_threads(lib->processor))
	{	/* callbacks use this until their threads end, and the process */
		return;
	}
	bury(this);
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
 * Clean up such a job. If the daemon terminates before it is executed, this is
 * called when there are no threads any more.
 */
static void cancelled(private_esptcp_watch_t **job)
{
	if (*job)
	{
		unwatch(*job);
		bury(*job);
	}
	free(job);
}

METHOD(esptcp_watch_t, destroy_later, void,
	private_esptcp_watch_t *this)
{
	private_esptcp_watch_t **job;

	this->stopped = TRUE;
	job = malloc_thing(private_esptcp_watch_t*);
	*job = this;
	lib->processor->queue_job(lib->processor,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)destroy_now,
				job, (void*)cancelled, NULL, JOB_PRIO_HIGH));
}

/*
 * Described in header
 */
esptcp_watch_t *esptcp_watch_create(int fd, esptcp_watch_cb_t on_readable,
									esptcp_watch_cb_t on_writable, void *data,
									void (*cleanup)(void *data))
{
	private_esptcp_watch_t *this;
	int wfd;

	wfd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (wfd == -1)
	{
		esptcp_tcp_fail(fd);
		return NULL;
	}

	INIT(this,
		.public = {
			.get_fd = _get_fd,
			.read = _read_,
			.write = _write_,
			.destroy = _destroy,
			.destroy_later = _destroy_later,
		},
		.fd = fd,
		.wfd = wfd,
		.on_readable = on_readable,
		.on_writable = on_writable,
		.data = data,
		.cleanup = cleanup,
	);

	return &this->public;
}
