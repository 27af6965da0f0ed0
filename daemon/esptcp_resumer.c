/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_resumer.h"
#include "esptcp_config.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>
#include <sa/ikev2/tasks/ike_dpd.h>

/** Milliseconds until requests are repeated on a new TCP connection, then twice
 * as many, and so on */
#define REPEAT_DELAY 500

typedef struct private_esptcp_resumer_t private_esptcp_resumer_t;
typedef struct resumption_t resumption_t;

/**
 * Private data of an esptcp_resumer_t object.
 */
struct private_esptcp_resumer_t {

	/**
	 * Public esptcp_resumer_t interface.
	 */
	esptcp_resumer_t public;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;

	/**
	 * Which IKE_SA uses which
	 */
	esptcp_sessions_t *sessions;
};

/**
 * A connection that is up again, the data of jobs.
 */
struct resumption_t {
	/** the instance */
	private_esptcp_resumer_t *this;
	/** number of the connection */
	uint32_t id;
	/** which of its TCP connections it is */
	u_int epoch;
	/** milliseconds between this job and the one before */
	u_int delay;
};

static void schedule(private_esptcp_resumer_t *this, uint32_t id, u_int epoch);

/**
 * Check if an IKE_SA is past its authentication and not on its way out.
 */
static bool is_established(ike_sa_t *ike_sa)
{
	switch (ike_sa->get_state(ike_sa))
	{
		case IKE_ESTABLISHED:
		case IKE_REKEYING:
			return TRUE;
		default:
			return FALSE;
	}
}

/**
 * Continue an IKE_SA on its connection. Requests that were not answered have
 * been sent again; after them, the peer is asked if it is there.
 */
static void resume(ike_sa_t *ike_sa, esptcp_connection_t *connection)
{
	status_t status = SUCCESS;
	host_t *local;

	local = connection->get_local(connection);
	ike_sa->update_hosts(ike_sa, local, connection->get_remote(connection),
						 UPDATE_HOSTS_FORCE_ADDRS);
	local->destroy(local);
	if (is_established(ike_sa))
	{
		ike_sa->queue_task(ike_sa, (task_t*)ike_dpd_create(TRUE));
		status = ike_sa->initiate(ike_sa, NULL, NULL);
	}
	if (status == DESTROY_ME)
	{
		charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager,
													ike_sa);
		return;
	}
	charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
}

/**
 * Continue all IKE_SAs of a connection.
 */
static job_requeue_t resume_all(resumption_t *job)
{
	private_esptcp_resumer_t *this = job->this;
	esptcp_connection_t *connection;
	uint32_t unique_id;
	ike_sa_t *ike_sa;
	array_t *ike_sas;
	bool confirmed;

	connection = this->connections->get(this->connections, job->id);
	if (!connection)
	{
		return JOB_REQUEUE_NONE;
	}
	schedule(this, job->id, connection->get_epoch(connection, &confirmed));
	ike_sas = this->sessions->get_ike_sas(this->sessions, job->id);
	while (array_remove(ike_sas, ARRAY_HEAD, &unique_id))
	{
		ike_sa = charon->ike_sa_manager->checkout_by_id(charon->ike_sa_manager,
														unique_id);
		if (ike_sa)
		{
			resume(ike_sa, connection);
		}
	}
	array_destroy(ike_sas);
	connection->destroy(connection);
	return JOB_REQUEUE_NONE;
}

/**
 * Establish an IKE_SA anew that the peer does not know any more, in the way
 * charon does it after its last retransmission.
 */
static void reestablish(uint32_t unique_id)
{
	ike_sa_t *ike_sa;

	ike_sa = charon->ike_sa_manager->checkout_by_id(charon->ike_sa_manager,
													unique_id);
	if (!ike_sa)
	{
		return;
	}
	if (!is_established(ike_sa))
	{
		charon->ike_sa_manager->checkin(charon->ike_sa_manager, ike_sa);
		return;
	}
	DBG1(DBG_IKE, "peer has accepted the TCP connection, but does not answer "
		 "for IKE_SA %s[%u], which ends", ike_sa->get_name(ike_sa), unique_id);
	ike_sa->reestablish(ike_sa);
	charon->bus->ike_updown(charon->bus, ike_sa, FALSE);
	charon->ike_sa_manager->checkin_and_destroy(charon->ike_sa_manager, ike_sa);
}

/**
 * Repeat requests. The peer may have had one of them twice, from the TCP
 * connection that has ended and from the new one, at the same time: charon
 * leaves the second one alone while it is about the first, and the first one
 * when its TCP connection is gone.
 */
static job_requeue_t repeat(resumption_t *job)
{
	private_esptcp_resumer_t *this = job->this;
	esptcp_connection_t *connection;
	bool waiting;

	connection = this->connections->get(this->connections, job->id);
	if (!connection)
	{
		return JOB_REQUEUE_NONE;
	}
	waiting = connection->repeat(connection, job->epoch);
	connection->destroy(connection);
	if (!waiting)
	{
		return JOB_REQUEUE_NONE;
	}
	job->delay *= 2;
	return JOB_RESCHEDULE_MS(job->delay);
}

/**
 * Give IKE_SAs up if the peer has not answered on their new TCP connection.
 */
static job_requeue_t check_answer(resumption_t *job)
{
	private_esptcp_resumer_t *this = job->this;
	esptcp_connection_t *connection;
	uint32_t unique_id;
	array_t *ike_sas;
	bool confirmed;
	u_int epoch;

	connection = this->connections->get(this->connections, job->id);
	if (!connection)
	{
		return JOB_REQUEUE_NONE;
	}
	epoch = connection->get_epoch(connection, &confirmed);
	if (epoch == job->epoch && !confirmed &&
		connection->get_state(connection) == ESPTCP_CONNECTION_UP)
	{
		ike_sas = this->sessions->get_ike_sas(this->sessions, job->id);
		while (array_remove(ike_sas, ARRAY_HEAD, &unique_id))
		{
			reestablish(unique_id);
		}
		array_destroy(ike_sas);
	}
	connection->destroy(connection);
	return JOB_REQUEUE_NONE;
}

/**
 * Create a job for a connection.
 */
static job_t *create_job(private_esptcp_resumer_t *this, uint32_t id,
						 u_int epoch, u_int delay, void *cb)
{
	resumption_t *resumption;

	INIT(resumption,
		.this = this,
		.id = id,
		.epoch = epoch,
		.delay = delay,
	);
	return (job_t*)callback_job_create(cb, resumption, free, NULL);
}

/**
 * See later if the peer has answered.
 */
static void schedule(private_esptcp_resumer_t *this, uint32_t id, u_int epoch)
{
	lib->scheduler->schedule_job_ms(lib->scheduler,
					create_job(this, id, epoch, REPEAT_DELAY, repeat),
					REPEAT_DELAY);
	lib->scheduler->schedule_job(lib->scheduler,
					create_job(this, id, epoch, 0, check_answer),
					esptcp_config_get_answer_timeout());
}

/**
 * A connection is up again. It holds locks, so that a job does the rest.
 */
static void resumed(private_esptcp_resumer_t *this, uint32_t id)
{
	lib->processor->queue_job(lib->processor,
							  create_job(this, id, 0, 0, resume_all));
}

METHOD(esptcp_resumer_t, destroy, void,
	private_esptcp_resumer_t *this)
{
	free(this);
}

/*
 * Described in header
 */
esptcp_resumer_t *esptcp_resumer_create(esptcp_connections_t *connections,
										esptcp_sessions_t *sessions)
{
	private_esptcp_resumer_t *this;

	INIT(this,
		.public = {
			.destroy = _destroy,
		},
		.connections = connections,
		.sessions = sessions,
	);

	connections->set_resumed(connections, (void*)resumed, this);
	return &this->public;
}
