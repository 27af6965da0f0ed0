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
	 * TRUE after stop()
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

METHOD(esptcp_watch_t, stop, void,
	private_esptcp_watch_t *this)
{
	this->stopped = TRUE;
}

METHOD(esptcp_watch_t, destroy, void,
	private_esptcp_watch_t *this)
{
	lib->watcher->remove(lib->watcher, this->fd);
	lib->watcher->remove(lib->watcher, this->wfd);
	close(this->wfd);
	close(this->fd);
	this->cleanup(this->data);
	free(this);
}

/**
 * Job without work, see below.
 */
static job_requeue_t no_work(private_esptcp_watch_t *this)
{
	return JOB_REQUEUE_NONE;
}

METHOD(esptcp_watch_t, destroy_later, void,
	private_esptcp_watch_t *this)
{
	this->stopped = TRUE;
	/* in the cleanup of a job, as that also comes if the daemon terminates
	 * before it executes the job */
	lib->processor->queue_job(lib->processor,
		(job_t*)callback_job_create_with_prio((callback_job_cb_t)no_work, this,
				(void*)_destroy, NULL, JOB_PRIO_HIGH));
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
			.stop = _stop,
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
