/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_chooser.h"
#include "esptcp_config.h"
#include "esptcp_fallback.h"
#include "esptcp_framing.h"
#include "esptcp_jobs.h"
#include "esptcp_message.h"

#include <daemon.h>
#include <processing/jobs/callback_job.h>

/** Seconds from the first IKE_SA until all connections are loaded */
#define NAMES_DELAY 60

typedef struct private_esptcp_chooser_t private_esptcp_chooser_t;

/**
 * Private data of an esptcp_chooser_t object.
 */
struct private_esptcp_chooser_t {

	/**
	 * Public esptcp_chooser_t interface.
	 */
	esptcp_chooser_t public;

	/**
	 * Which IKE_SA uses which connection
	 */
	esptcp_sessions_t *sessions;

	/**
	 * IKE_SAs that may change from UDP to TCP
	 */
	esptcp_fallback_t *fallback;

	/**
	 * TRUE once the names of connections were checked
	 */
	bool checked;
};

/**
 * Check names of connections.
 */
static job_requeue_t check_names(void *unused)
{
	esptcp_config_check_names();
	return JOB_REQUEUE_NONE;
}

/**
 * Check names of connections later, as IKE_SAs of some may begin before others
 * have been loaded.
 */
static void schedule_names_check(private_esptcp_chooser_t *this)
{
	if (this->checked)
	{
		return;
	}
	this->checked = TRUE;
	lib->scheduler->schedule_job(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)check_names,
											NULL, NULL, NULL), NAMES_DELAY);
}

/**
 * Open the connection of an IKE_SA that we initiate.
 */
static esptcp_connection_t *open_connection(private_esptcp_chooser_t *this,
											ike_sa_t *ike_sa, uint16_t port)
{
	esptcp_connection_t *connection;
	host_t *local, *remote;

	local = ike_sa->get_my_host(ike_sa);
	remote = ike_sa->get_other_host(ike_sa);
	remote = remote->clone(remote);
	remote->set_port(remote, port);
	DBG1(DBG_IKE, "initiating IKE_SA %s[%d] over TCP to %#H",
		 ike_sa->get_name(ike_sa), ike_sa->get_unique_id(ike_sa), remote);
	connection = this->sessions->open(this->sessions, ike_sa, local, remote);
	remote->destroy(remote);
	return connection;
}

/**
 * Check if the request of an IKE_SA may be repeated on the connection it has,
 * with a COOKIE or another key exchange method. The peer would not accept one
 * that begins anew there (RFC 9329 section 6.1).
 */
static bool is_usable(private_esptcp_chooser_t *this, ike_sa_t *ike_sa,
					  esptcp_connection_t *connection)
{
	host_t *remote = connection->get_remote(connection);

	return connection->get_state(connection) != ESPTCP_CONNECTION_DOWN &&
		   !this->sessions->has_restarted(this->sessions, ike_sa) &&
		   remote->ip_equals(remote, ike_sa->get_other_host(ike_sa));
}

/**
 * Begin an IKE_SA over UDP.
 */
static void use_udp(private_esptcp_chooser_t *this, ike_sa_t *ike_sa,
					message_t *message, esptcp_path_t *path)
{
	this->sessions->assign(this->sessions, ike_sa, ESPTCP_UDP);
	esptcp_message_set_transport(message, ESPTCP_UDP);
	if (path->transport == ESPTCP_TRANSPORT_AUTO)
	{
		DBG1(DBG_IKE, "initiating IKE_SA %s[%d] over UDP, over TCP to port %u "
			 "if there is no response for %u s", ike_sa->get_name(ike_sa),
			 ike_sa->get_unique_id(ike_sa), path->port, path->threshold);
		this->fallback->watch(this->fallback, ike_sa, path->threshold);
	}
}

/**
 * Get what is configured for an IKE_SA, if that can be done.
 */
static bool get_path(ike_sa_t *ike_sa, esptcp_path_t *path)
{
	char *name = ike_sa->get_name(ike_sa);
	esptcp_framing_t framing;

	if (!esptcp_config_get_path(name, path))
	{
		return FALSE;
	}
	if (path->transport == ESPTCP_TRANSPORT_UDP)
	{
		if (esptcp_framing_get(name, &framing) && framing.fortinet)
		{
			DBG1(DBG_IKE, "connection '%s' uses UDP, where framing = fortinet "
				 "has no effect: set transport = tcp", name);
		}
		return TRUE;
	}
	if (!esptcp_framing_get(name, &framing))
	{
		return FALSE;
	}
	if (ike_sa->get_version(ike_sa) != IKEV2)
	{
		DBG1(DBG_IKE, "connection '%s' uses TCP, which needs IKEv2: set "
			 "version = 2", name);
		return FALSE;
	}
	return TRUE;
}

METHOD(esptcp_chooser_t, choose, esptcp_connection_t*,
	private_esptcp_chooser_t *this, ike_sa_t *ike_sa, message_t *message,
	esptcp_connection_t *connection)
{
	esptcp_path_t path;

	schedule_names_check(this);
	if (connection && is_usable(this, ike_sa, connection))
	{
		esptcp_message_set_hosts(message, ike_sa, connection);
		return connection;
	}
	DESTROY_IF(connection);

	if (!get_path(ike_sa, &path))
	{
		esptcp_message_set_transport(message, ESPTCP_NO_CONNECTION);
		esptcp_jobs_refuse(ike_sa);
		return NULL;
	}
	if (path.transport == ESPTCP_TRANSPORT_UDP ||
		(path.transport == ESPTCP_TRANSPORT_AUTO &&
		 !this->fallback->is_due(this->fallback)))
	{
		use_udp(this, ike_sa, message, &path);
		return NULL;
	}
	connection = open_connection(this, ike_sa, path.port);
	if (connection)
	{
		esptcp_message_set_hosts(message, ike_sa, connection);
	}
	else
	{	/* there may be a way to the peer when charon tries anew */
		esptcp_message_set_transport(message, ESPTCP_NO_CONNECTION);
	}
	return connection;
}

METHOD(esptcp_chooser_t, destroy, void,
	private_esptcp_chooser_t *this)
{
	this->fallback->destroy(this->fallback);
	free(this);
}

/*
 * Described in header
 */
esptcp_chooser_t *esptcp_chooser_create(esptcp_sessions_t *sessions)
{
	private_esptcp_chooser_t *this;

	INIT(this,
		.public = {
			.choose = _choose,
			.destroy = _destroy,
		},
		.sessions = sessions,
		.fallback = esptcp_fallback_create(),
	);

	return &this->public;
}
