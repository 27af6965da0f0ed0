/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_counters.h"

#include <daemon.h>
#include <threading/mutex.h>

/** Seconds in which the same thing is logged once */
#define QUIET 10

typedef struct private_esptcp_counters_t private_esptcp_counters_t;

/**
 * Private data of an esptcp_counters_t object.
 */
struct private_esptcp_counters_t {

	/**
	 * Public esptcp_counters_t interface.
	 */
	esptcp_counters_t public;

	/**
	 * Values
	 */
	uint64_t values[ESPTCP_COUNTERS];

	/**
	 * When each was logged last
	 */
	time_t logged[ESPTCP_COUNTERS];

	/**
	 * Protects them
	 */
	mutex_t *mutex;
};

METHOD(esptcp_counters_t, add, bool,
	private_esptcp_counters_t *this, esptcp_counter_t counter)
{
	time_t now = time_monotonic(NULL);
	bool log;

	this->mutex->lock(this->mutex);
	log = !this->values[counter]++ || now - this->logged[counter] >= QUIET;
	if (log)
	{
		this->logged[counter] = now;
	}
	this->mutex->unlock(this->mutex);
	return log;
}

METHOD(esptcp_counters_t, log_, void,
	private_esptcp_counters_t *this)
{
	uint64_t values[ESPTCP_COUNTERS];

	this->mutex->lock(this->mutex);
	memcpy(values, this->values, sizeof(values));
	this->mutex->unlock(this->mutex);
	DBG1(DBG_NET, "TCP connections from peers: %llu accepted, %llu over "
		 "half_open_limit, %llu over half_open_limit_ip, %llu without "
		 "descriptors, %llu displaced, %llu without prefix, %llu with a wrong "
		 "prefix, %llu without IKE_SA, %llu without an established one",
		 values[ESPTCP_ACCEPTED], values[ESPTCP_REFUSED],
		 values[ESPTCP_REFUSED_IP],
		 values[ESPTCP_NO_DESCRIPTORS],
		 values[ESPTCP_DISPLACED] + values[ESPTCP_DISPLACED_DESCRIPTOR],
		 values[ESPTCP_NO_PREFIX], values[ESPTCP_WRONG_PREFIX],
		 values[ESPTCP_NO_IKE_SA], values[ESPTCP_NOT_ESTABLISHED]);
}

METHOD(esptcp_counters_t, destroy, void,
	private_esptcp_counters_t *this)
{
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_counters_t *esptcp_counters_create()
{
	private_esptcp_counters_t *this;

	INIT(this,
		.public = {
			.add = _add,
			.log = _log_,
			.destroy = _destroy,
		},
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	return &this->public;
}
