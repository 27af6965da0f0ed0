/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_jobs.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>

/** Milliseconds until an IKE_SA is restarted that we don't know */
#define RESTART_DELAY 500

/**
 * Create a job for an IKE_SA.
 */
static job_t *create_job(job_requeue_t (*cb)(ike_sa_id_t*), ike_sa_id_t *id)
{
	return (job_t*)callback_job_create((callback_job_cb_t)cb, id->clone(id),
									   (void*)id->destroy, NULL);
}

/**
 * Destroy an IKE_SA that can't be initiated.
 */
static job_requeue_t destroy_ike_sa(ike_sa_id_t *id)
{
	ike_sa_t *ike_sa;

	ike_sa = charon->ike_sa_manager->checkout(charon->ike_sa_manager, id);
	if (ike_sa)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
	}
	return JOB_REQUEUE_NONE;
}

/*
 * Described in header
 */
void esptcp_jobs_refuse(ike_sa_t *ike_sa)
{
	lib->processor->queue_job(lib->processor,
					create_job(destroy_ike_sa, ike_sa->get_id(ike_sa)));
}

/**
 * Let an IKE_SA begin anew.
 */
static job_requeue_t restart_ike_sa(ike_sa_id_t *id)
{
	ike_sa_t *ike_sa;

	ike_sa = charon->ike_sa_manager->checkout(charon->ike_sa_manager, id);
	if (!ike_sa)
	{
		return JOB_REQUEUE_NONE;
	}
	ike_sa->reset(ike_sa, TRUE);
	if (ike_sa->initiate(ike_sa, NULL, NULL) == DESTROY_ME)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
	}
	else
	{
		charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
	}
	return JOB_REQUEUE_NONE;
}

/*
 * Described in header
 */
void esptcp_jobs_restart(ike_sa_id_t *id)
{
	lib->scheduler->schedule_job_ms(lib->scheduler,
					create_job(restart_ike_sa, id), RESTART_DELAY);
}
