/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_fallback.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <threading/thread_value.h>

typedef struct private_esptcp_fallback_t private_esptcp_fallback_t;
typedef struct attempt_t attempt_t;

/**
 * Private data of an esptcp_fallback_t object.
 */
struct private_esptcp_fallback_t {

	/**
	 * Public esptcp_fallback_t interface.
	 */
	esptcp_fallback_t public;

	/**
	 * Set in the thread that lets an IKE_SA begin anew
	 */
	thread_value_t *due;
};

/**
 * An attempt over UDP.
 */
struct attempt_t {
	/** the instance */
	private_esptcp_fallback_t *this;
	/** unique ID of the IKE_SA */
	uint32_t unique_id;
	/** its SPI, which another attempt does not have */
	uint64_t spi;
	/** time without a response until it begins anew over TCP */
	u_int seconds;
};

static job_requeue_t check(attempt_t *attempt);

/**
 * Check later.
 */
static void schedule_check(attempt_t *attempt, u_int seconds)
{
	attempt_t *copy;

	INIT(copy);
	*copy = *attempt;
	lib->scheduler->schedule_job(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)check, copy,
											free, NULL), seconds);
}

/**
 * Check if an attempt still goes on, without a response to any message.
 *
 * @param wait			gets the time until there was none for long enough
 */
static bool is_pending(attempt_t *attempt, ike_sa_t *ike_sa, u_int *wait)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	time_t inbound, silent = attempt->seconds;

	inbound = ike_sa->get_statistic(ike_sa, STAT_INBOUND);
	if (inbound)
	{
		silent = time_monotonic(NULL) - inbound;
	}
	*wait = silent < attempt->seconds ? attempt->seconds - silent : 0;
	return ike_sa->get_state(ike_sa) == IKE_CONNECTING &&
		   id->get_initiator_spi(id) == attempt->spi;
}

/**
 * Let an IKE_SA begin anew over TCP.
 */
static status_t fall_back(attempt_t *attempt, ike_sa_t *ike_sa)
{
	private_esptcp_fallback_t *this = attempt->this;
	status_t status;

	DBG1(DBG_IKE, "no response over UDP within %u s, IKE_SA %s[%u] begins anew "
		 "over TCP", attempt->seconds, ike_sa->get_name(ike_sa),
		 attempt->unique_id);
	this->due->set(this->due, this);
	ike_sa->reset(ike_sa, TRUE);
	status = ike_sa->initiate(ike_sa, NULL, NULL);
	this->due->set(this->due, NULL);
	return status;
}

/**
 * Check if it is time for TCP.
 */
static job_requeue_t check(attempt_t *attempt)
{
	status_t status = SUCCESS;
	ike_sa_t *ike_sa;
	u_int wait;

	ike_sa = charon->ike_sa_manager->checkout_by_id(charon->ike_sa_manager,
													attempt->unique_id);
	if (!ike_sa)
	{
		return JOB_REQUEUE_NONE;
	}
	if (is_pending(attempt, ike_sa, &wait))
	{
		if (wait)
		{
			schedule_check(attempt, wait);
		}
		else
		{
			status = fall_back(attempt, ike_sa);
		}
	}
	if (status == DESTROY_ME)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
		return JOB_REQUEUE_NONE;
	}
	charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
	return JOB_REQUEUE_NONE;
}

METHOD(esptcp_fallback_t, watch, void,
	private_esptcp_fallback_t *this, ike_sa_t *ike_sa, u_int seconds)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);
	attempt_t attempt = {
		.this = this,
		.unique_id = ike_sa->get_unique_id(ike_sa),
		.spi = id->get_initiator_spi(id),
		.seconds = seconds,
	};

	schedule_check(&attempt, seconds);
}

METHOD(esptcp_fallback_t, is_due, bool,
	private_esptcp_fallback_t *this)
{
	return this->due->get(this->due) != NULL;
}

METHOD(esptcp_fallback_t, destroy, void,
	private_esptcp_fallback_t *this)
{
	this->due->destroy(this->due);
	free(this);
}

/*
 * Described in header
 */
esptcp_fallback_t *esptcp_fallback_create()
{
	private_esptcp_fallback_t *this;

	INIT(this,
		.public = {
			.watch = _watch,
			.is_due = _is_due,
			.destroy = _destroy,
		},
		.due = thread_value_create(NULL),
	);

	return &this->public;
}
