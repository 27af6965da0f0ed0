/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_plugin.h"
#include "esptcp_acceptor.h"
#include "esptcp_config.h"
#include "esptcp_kernel.h"
#include "esptcp_keys.h"
#include "esptcp_listener.h"
#include "esptcp_resumer.h"
#include "esptcp_socket.h"
#include "esptcp_version.h"

#include <daemon.h>

/** MTU of routes that allow large packets, the largest */
#define LARGE_MTU "65535"

typedef struct private_esptcp_plugin_t private_esptcp_plugin_t;

/**
 * Private data of an esptcp_plugin_t object.
 */
struct private_esptcp_plugin_t {

	/**
	 * Public esptcp_plugin_t interface.
	 */
	esptcp_plugin_t public;

	/**
	 * Kernel module
	 */
	esptcp_netlink_t *netlink;

	/**
	 * Watches the sockets of connections
	 */
	esptcp_poller_t *poller;

	/**
	 * What was received over UDP and TCP
	 */
	esptcp_queue_t *queue;

	/**
	 * Counts what strangers do
	 */
	esptcp_counters_t *counters;

	/**
	 * SAs that are bound to connections
	 */
	esptcp_bindings_t *bindings;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;

	/**
	 * Which IKE_SA uses which
	 */
	esptcp_sessions_t *sessions;

	/**
	 * Continues IKE_SAs after their connection was lost
	 */
	esptcp_resumer_t *resumer;

	/**
	 * Follows the IKE_SAs
	 */
	esptcp_listener_t *listener;

	/**
	 * The socket, while charon uses it
	 */
	esptcp_socket_t *socket;

	/**
	 * Binds SAs to connections
	 */
	esptcp_kernel_t *kernel;

	/**
	 * Routes for large packets, while the socket is used
	 */
	esptcp_routes_t *routes;

	/**
	 * Listens for connections, while the socket is used
	 */
	esptcp_acceptor_t *acceptor;
};

/**
 * The instance, as charon passes nothing to the constructor of a socket.
 */
static private_esptcp_plugin_t *instance;

METHOD(plugin_t, get_name, char*,
	private_esptcp_plugin_t *this)
{
	return "esptcp";
}

/**
 * Constructor of the socket.
 */
static socket_t *create_socket()
{
	instance->socket = esptcp_socket_create(instance->connections,
											instance->sessions, instance->queue);
	return instance->socket ? &instance->socket->socket : NULL;
}

/**
 * Apply the settings, and say what is missing to carry them out.
 */
static void apply_settings(private_esptcp_plugin_t *this)
{
	bool ports, connections;

	esptcp_keys_check();
	connections = esptcp_config_check_connections();
	ports = this->acceptor->reload(this->acceptor);
	if (ports || connections)
	{
		this->netlink->check(this->netlink);
	}
}

/**
 * Register the socket, which charon creates unless it has got another one.
 */
static bool register_socket(private_esptcp_plugin_t *this)
{
	charon->socket->add_socket(charon->socket, create_socket);
	if (!this->socket)
	{
		DBG1(DBG_NET, "esptcp plugin is not used: no UDP socket, or one of "
			 "another plugin, whose 'load' is greater");
		charon->socket->remove_socket(charon->socket, create_socket);
		return FALSE;
	}
	return TRUE;
}

/**
 * Begin or cease to use TCP.
 */
static bool plugin_cb(private_esptcp_plugin_t *this,
					  plugin_feature_t *feature, bool reg, void *cb_data)
{
	if (reg)
	{
		if (!register_socket(this))
		{
			return FALSE;
		}
		/* not before: another charon here may have routes */
		this->routes = esptcp_routes_create(esptcp_config_has_large_packets());
		if (!this->routes)
		{
			charon->socket->remove_socket(charon->socket, create_socket);
			return FALSE;
		}
		this->kernel = esptcp_kernel_create(this->sessions, this->bindings,
											this->routes);
		charon->bus->add_listener(charon->bus, &this->listener->listener);
		charon->kernel->add_listener(charon->kernel,
									 &this->connections->listener);
		this->acceptor = esptcp_acceptor_create(this->connections,
												this->counters);
		apply_settings(this);
	}
	else
	{
		this->acceptor->destroy(this->acceptor);
		this->acceptor = NULL;
		charon->kernel->remove_listener(charon->kernel,
										&this->connections->listener);
		charon->bus->remove_listener(charon->bus, &this->listener->listener);
		this->kernel->destroy(this->kernel);
		this->routes->destroy(this->routes);
		charon->socket->remove_socket(charon->socket, create_socket);
	}
	return TRUE;
}

METHOD(plugin_t, get_features, int,
	private_esptcp_plugin_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK((plugin_feature_callback_t)plugin_cb, NULL),
			PLUGIN_PROVIDE(CUSTOM, "socket"),
				PLUGIN_DEPENDS(CUSTOM, "kernel-ipsec"),
				PLUGIN_DEPENDS(HASHER, HASH_SHA1),
	};
	*features = f;
	return countof(f);
}

METHOD(plugin_t, reload, bool,
	private_esptcp_plugin_t *this)
{
	if (this->acceptor)
	{
		apply_settings(this);
		esptcp_config_check_names();
		this->counters->log(this->counters);
	}
	return TRUE;
}

METHOD(plugin_t, destroy, void,
	private_esptcp_plugin_t *this)
{
	DESTROY_IF(this->listener);
	DESTROY_IF(this->resumer);
	DESTROY_IF(this->sessions);
	DESTROY_IF(this->connections);
	DESTROY_IF(this->bindings);
	DESTROY_IF(this->counters);
	DESTROY_IF(this->queue);
	DESTROY_IF(this->poller);
	DESTROY_IF(this->netlink);
	instance = NULL;
	free(this);
}

/**
 * Have charon's routes for tunnels allow large packets, and keep it from taking
 * ours for its own packets. It reads that when its kernel interface starts.
 */
static void prepare_large_packets()
{
	char table[8];

	if (esptcp_config_has_large_packets())
	{
		snprintf(table, sizeof(table), "%d", ESPTCP_ROUTES_TABLE);
		lib->settings->set_default_str(lib->settings,
						"%s.plugins.kernel-netlink.mtu", LARGE_MTU, lib->ns);
		lib->settings->set_default_str(lib->settings,
						"%s.ignore_routing_tables", table, lib->ns);
	}
}

/**
 * Plugin constructor.
 */
#ifdef PLUGIN_DEFINE
PLUGIN_DEFINE(esptcp)
#else
plugin_t *esptcp_plugin_create()
#endif
{
	private_esptcp_plugin_t *this;

	if (!esptcp_version_check())
	{
		return NULL;
	}
	esptcp_config_init();
	if (!lib->caps->keep(lib->caps, CAP_NET_ADMIN))
	{
		DBG1(DBG_NET, "esptcp plugin requires CAP_NET_ADMIN capability");
		return NULL;
	}

	/* ports below 1024 may be opened when the settings are reloaded */
	if (!lib->caps->keep(lib->caps, CAP_NET_BIND_SERVICE))
	{
		DBG1(DBG_NET, "esptcp plugin has no CAP_NET_BIND_SERVICE capability, it "
			 "can't listen on ports below 1024");
	}

	INIT(this,
		.public = {
			.plugin = {
				.get_name = _get_name,
				.get_features = _get_features,
				.reload = _reload,
				.destroy = _destroy,
			},
		},
		.netlink = esptcp_netlink_create(),
		.poller = esptcp_poller_create(),
	);

	if (!this->netlink || !this->poller)
	{
		destroy(this);
		return NULL;
	}
	prepare_large_packets();
	this->queue = esptcp_queue_create();
	this->counters = esptcp_counters_create();
	this->bindings = esptcp_bindings_create(this->netlink);
	this->connections = esptcp_connections_create(this->poller, this->netlink,
												  this->bindings, this->queue,
												  this->counters);
	this->sessions = esptcp_sessions_create(this->connections);
	this->resumer = esptcp_resumer_create(this->connections, this->sessions);
	this->listener = esptcp_listener_create(this->connections, this->sessions);
	instance = this;
	return &this->public.plugin;
}
