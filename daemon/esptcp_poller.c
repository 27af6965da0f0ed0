/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_poller.h"

#include <collections/hashtable.h>
#include <threading/condvar.h>
#include <threading/mutex.h>

#include <errno.h>
#include <unistd.h>
#include <sys/epoll.h>

/** Sockets that are looked at before others of charon have their turn */
#define EVENTS_MAX 64

/** Events of epoll for a socket that nothing is expected of: an error, which
 *  epoll always reports, is reported once */
#define NOTHING EPOLLONESHOT

typedef struct private_esptcp_poller_t private_esptcp_poller_t;
typedef struct entry_t entry_t;

/**
 * Private data of an esptcp_poller_t object.
 */
struct private_esptcp_poller_t {

	/**
	 * Public esptcp_poller_t interface.
	 */
	esptcp_poller_t public;

	/**
	 * Descriptor of epoll
	 */
	int epoll;

	/**
	 * Sockets that are not stopped, number => entry_t. Events have the number,
	 * as the entry may be gone when they are handled.
	 */
	hashtable_t *entries;

	/**
	 * Number of the last socket
	 */
	uintptr_t last_id;

	/**
	 * Number of the socket whose callback runs, 0 if none does
	 */
	uintptr_t current;

	/**
	 * Signals that a callback has returned
	 */
	condvar_t *returned;

	/**
	 * Protects all of this, not held during callbacks
	 */
	mutex_t *mutex;
};

/**
 * A socket.
 */
struct entry_t {
	/** number */
	uintptr_t id;
	/** descriptor */
	int fd;
	/** what is expected: EPOLLIN, EPOLLOUT */
	uint32_t events;
	/** callback */
	esptcp_poller_cb_t cb;
	/** data for it */
	void *data;
};

/**
 * Tell the kernel what is expected of a socket.
 */
static bool control(private_esptcp_poller_t *this, int operation,
					entry_t *entry)
{
	struct epoll_event event = {
		.events = entry->events ?: NOTHING,
		.data.u64 = entry->id,
	};

	return epoll_ctl(this->epoll, operation, entry->fd, &event) == 0;
}

METHOD(esptcp_poller_t, add, uintptr_t,
	private_esptcp_poller_t *this, int fd, esptcp_poller_cb_t cb, void *data)
{
	entry_t *entry;
	uintptr_t id = 0;

	INIT(entry,
		.fd = fd,
		.cb = cb,
		.data = data,
	);
	this->mutex->lock(this->mutex);
	entry->id = ++this->last_id;
	if (control(this, EPOLL_CTL_ADD, entry))
	{
		this->entries->put(this->entries, (void*)entry->id, entry);
		id = entry->id;
	}
	else
	{
		free(entry);
	}
	this->mutex->unlock(this->mutex);
	return id;
}

METHOD(esptcp_poller_t, expect, void,
	private_esptcp_poller_t *this, uintptr_t id, bool read, bool write)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->entries->get(this->entries, (void*)id);
	if (entry)
	{
		entry->events |= (read ? EPOLLIN : 0) | (write ? EPOLLOUT : 0);
		control(this, EPOLL_CTL_MOD, entry);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_poller_t, stop, void,
	private_esptcp_poller_t *this, uintptr_t id)
{
	entry_t *entry;

	this->mutex->lock(this->mutex);
	entry = this->entries->remove(this->entries, (void*)id);
	if (entry)
	{
		control(this, EPOLL_CTL_DEL, entry);
		free(entry);
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_poller_t, wait_, void,
	private_esptcp_poller_t *this, uintptr_t id)
{
	this->mutex->lock(this->mutex);
	while (this->current == id)
	{
		this->returned->wait(this->returned, this->mutex);
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Handle events of a socket, which may be stopped meanwhile.
 */
static void handle(private_esptcp_poller_t *this, uintptr_t id, uint32_t events)
{
	esptcp_poller_cb_t cb = NULL;
	bool readable, writable;
	entry_t *entry;
	void *data;

	if (events & (EPOLLERR | EPOLLHUP))
	{	/* reading and writing tell what it is */
		events |= EPOLLIN | EPOLLOUT;
	}
	this->mutex->lock(this->mutex);
	entry = this->entries->get(this->entries, (void*)id);
	if (entry && entry->events & events)
	{
		readable = entry->events & events & EPOLLIN;
		writable = entry->events & events & EPOLLOUT;
		if (writable)
		{
			entry->events &= ~EPOLLOUT;
			control(this, EPOLL_CTL_MOD, entry);
		}
		cb = entry->cb;
		data = entry->data;
		this->current = id;
	}
	this->mutex->unlock(this->mutex);
	if (!cb)
	{
		return;
	}
	cb(data, readable, writable);
	this->mutex->lock(this->mutex);
	this->current = 0;
	this->returned->broadcast(this->returned);
	this->mutex->unlock(this->mutex);
}

CALLBACK(on_events, bool,
	private_esptcp_poller_t *this, int fd, watcher_event_t event)
{
	struct epoll_event events[EVENTS_MAX];
	int i, count;

	/* more events than these make the descriptor readable again */
	count = epoll_wait(fd, events, EVENTS_MAX, 0);
	for (i = 0; i < count; i++)
	{
		handle(this, events[i].data.u64, events[i].events);
	}
	return TRUE;
}

METHOD(esptcp_poller_t, destroy, void,
	private_esptcp_poller_t *this)
{
	lib->watcher->remove(lib->watcher, this->epoll);
	close(this->epoll);
	this->entries->destroy(this->entries);
	this->returned->destroy(this->returned);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_poller_t *esptcp_poller_create()
{
	private_esptcp_poller_t *this;
	int epoll;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll == -1)
	{
		DBG1(DBG_NET, "creating a descriptor of epoll failed: %s",
			 strerror(errno));
		return NULL;
	}

	INIT(this,
		.public = {
			.add = _add,
			.expect = _expect,
			.stop = _stop,
			.wait = _wait_,
			.destroy = _destroy,
		},
		.epoll = epoll,
		.entries = hashtable_create(hashtable_hash_ptr, hashtable_equals_ptr, 8),
		.returned = condvar_create(CONDVAR_TYPE_DEFAULT),
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);
	lib->watcher->add(lib->watcher, epoll, WATCHER_READ, on_events, this);

	return &this->public;
}
