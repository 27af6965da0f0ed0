/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_kernel.h"
#include "esptcp_config.h"

#include <daemon.h>

#include <netinet/in.h>

/** How many SPIs to ask for until one does not look like IKE */
#define SPI_TRIES 16

typedef struct private_esptcp_kernel_t private_esptcp_kernel_t;

/**
 * Private data of an esptcp_kernel_t object.
 */
struct private_esptcp_kernel_t {

	/**
	 * Public esptcp_kernel_t interface.
	 */
	esptcp_kernel_t public;

	/**
	 * Original methods of charon's kernel interface
	 */
	struct {
		status_t (*get_spi)(kernel_interface_t *this, host_t *src, host_t *dst,
							uint8_t protocol, uint32_t *spi);
		status_t (*add_sa)(kernel_interface_t *this, kernel_ipsec_sa_id_t *id,
						   kernel_ipsec_add_sa_t *data);
		status_t (*update_sa)(kernel_interface_t *this,
							  kernel_ipsec_sa_id_t *id,
							  kernel_ipsec_update_sa_t *data);
		status_t (*del_sa)(kernel_interface_t *this, kernel_ipsec_sa_id_t *id,
						   kernel_ipsec_del_sa_t *data);
	} original;

	/**
	 * Which IKE_SA uses which connection
	 */
	esptcp_sessions_t *sessions;

	/**
	 * SAs that are bound to connections
	 */
	esptcp_bindings_t *bindings;

	/**
	 * Routes for large packets
	 */
	esptcp_routes_t *routes;
};

/**
 * The instance, as charon calls our methods with its own object.
 */
static private_esptcp_kernel_t *hooks;

/**
 * Get the connection of the IKE_SA that this thread handles.
 */
static esptcp_connection_t *get_connection(private_esptcp_kernel_t *this)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);

	return ike_sa ? this->sessions->get_connection(this->sessions, ike_sa)
				  : NULL;
}

/**
 * Check if the IKE_SA that this thread handles uses neither a connection nor
 * UDP: better no SA than one that sends in another way than expected.
 */
static bool has_no_transport(private_esptcp_kernel_t *this)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);

	return ike_sa && !this->sessions->uses_udp(this->sessions, ike_sa);
}

/**
 * Route the packets of an outbound SA as its connection needs it.
 */
static void add_route(private_esptcp_kernel_t *this,
					  esptcp_connection_t *connection, kernel_ipsec_sa_id_t *id,
					  char *name)
{
	esptcp_framing_t framing;

	if (connection->get_framing(connection, &framing) &&
		(framing.fortinet || esptcp_config_get_large_packets(name)))
	{
		this->routes->add(this->routes, id->spi, id->src, id->dst,
						  !framing.fortinet);
	}
}

/**
 * Install an SA that a connection carries, as plain ESP.
 */
static status_t add_sa_tcp(private_esptcp_kernel_t *this,
						   kernel_interface_t *kernel,
						   esptcp_connection_t *connection,
						   kernel_ipsec_sa_id_t *id,
						   kernel_ipsec_add_sa_t *data)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);
	kernel_ipsec_add_sa_t copy = *data;
	status_t status;

	if (id->proto != IPPROTO_ESP)
	{
		DBG1(DBG_KNL, "only ESP can be carried over TCP, SPI %.8x is not "
			 "installed", ntohl(id->spi));
		return NOT_SUPPORTED;
	}
	if (data->hw_offload != HW_OFFLOAD_NO)
	{	/* the hardware would send what the kernel module never sees */
		DBG1(DBG_KNL, "hw_offload is impossible over TCP, SPI %.8x is not "
			 "installed: set hw_offload = no for the CHILD_SA",
			 ntohl(id->spi));
		return NOT_SUPPORTED;
	}
	/* a responder knows only now whose connection it is */
	if (!connection->set_framing(connection, ike_sa->get_name(ike_sa)) ||
		!connection->bind(connection, id, id->dst, data->inbound))
	{
		DBG1(DBG_KNL, "SPI %.8x is not installed, as it is not bound to the "
			 "TCP connection", ntohl(id->spi));
		return FAILED;
	}
	copy.encap = FALSE;
	status = this->original.add_sa(kernel, id, &copy);
	if (status != SUCCESS)
	{
		this->bindings->unbind(this->bindings, id, id->dst);
	}
	else if (!data->inbound)
	{
		add_route(this, connection, id, ike_sa->get_name(ike_sa));
	}
	return status;
}

/**
 * Give an SPI back.
 */
static void release_spi(private_esptcp_kernel_t *this,
						kernel_interface_t *kernel, host_t *src, host_t *dst,
						uint8_t protocol, uint32_t spi)
{
	kernel_ipsec_sa_id_t id = {
		.src = src,
		.dst = dst,
		.spi = spi,
		.proto = protocol,
	};
	kernel_ipsec_del_sa_t data = {};

	this->original.del_sa(kernel, &id, &data);
}

METHOD(kernel_interface_t, get_spi, status_t,
	kernel_interface_t *kernel, host_t *src, host_t *dst, uint8_t protocol,
	uint32_t *spi)
{
	private_esptcp_kernel_t *this = hooks;
	esptcp_connection_t *connection = get_connection(this);
	status_t status;
	int tries = 0;

	if (!connection || protocol != IPPROTO_ESP)
	{
		DESTROY_IF(connection);
		return this->original.get_spi(kernel, src, dst, protocol, spi);
	}
	connection->destroy(connection);
	/* the module does not bind an SPI that looks like IKE to a connection on
	 * which nothing else tells them apart */
	while (TRUE)
	{
		status = this->original.get_spi(kernel, src, dst, protocol, spi);
		if (status != SUCCESS || ntohl(*spi) & 0xffff || ++tries == SPI_TRIES)
		{
			return status;
		}
		release_spi(this, kernel, src, dst, protocol, *spi);
	}
}

METHOD(kernel_interface_t, add_sa, status_t,
	kernel_interface_t *kernel, kernel_ipsec_sa_id_t *id,
	kernel_ipsec_add_sa_t *data)
{
	private_esptcp_kernel_t *this = hooks;
	esptcp_connection_t *connection;
	status_t status;

	connection = get_connection(this);
	if (!connection && has_no_transport(this))
	{
		DBG1(DBG_KNL, "SPI %.8x is not installed, its IKE_SA has lost its "
			 "transport", ntohl(id->spi));
		return FAILED;
	}
	if (!connection)
	{
		return this->original.add_sa(kernel, id, data);
	}
	status = add_sa_tcp(this, kernel, connection, id, data);
	connection->destroy(connection);
	return status;
}

/**
 * Move an SA to other addresses, and with its IKE_SA to another connection.
 */
static status_t update_sa_tcp(private_esptcp_kernel_t *this,
							  kernel_interface_t *kernel,
							  esptcp_connection_t *connection,
							  kernel_ipsec_sa_id_t *id,
							  kernel_ipsec_update_sa_t *data, bool inbound)
{
	kernel_ipsec_update_sa_t copy = *data;
	bool same_dst = id->dst->ip_equals(id->dst, data->new_dst);
	status_t status;

	if (same_dst && id->src->ip_equals(id->src, data->new_src))
	{	/* other ports only, of which a plain ESP SA knows nothing, and whose
		 * connection has got the binding already */
		return SUCCESS;
	}
	if (!same_dst &&
		!connection->bind(connection, id, data->new_dst, inbound))
	{
		return FAILED;
	}
	copy.encap = copy.new_encap = FALSE;
	status = this->original.update_sa(kernel, id, &copy);
	if (status == SUCCESS)
	{
		this->routes->move(this->routes, id, data->new_src, data->new_dst);
	}
	if (!same_dst)
	{
		this->bindings->unbind(this->bindings, id,
							   status == SUCCESS ? id->dst : data->new_dst);
	}
	return status;
}

METHOD(kernel_interface_t, update_sa, status_t,
	kernel_interface_t *kernel, kernel_ipsec_sa_id_t *id,
	kernel_ipsec_update_sa_t *data)
{
	private_esptcp_kernel_t *this = hooks;
	esptcp_connection_t *connection;
	status_t status;
	bool bound, inbound;

	bound = this->bindings->is_bound(this->bindings, id, &inbound);
	connection = get_connection(this);
	if (bound && connection)
	{
		status = update_sa_tcp(this, kernel, connection, id, data, inbound);
	}
	else if (bound || connection)
	{	/* the IKE_SA has changed its transport, for which the CHILD_SA gets
		 * rekeyed */
		status = NOT_SUPPORTED;
	}
	else
	{
		status = this->original.update_sa(kernel, id, data);
	}
	DESTROY_IF(connection);
	return status;
}

METHOD(kernel_interface_t, del_sa, status_t,
	kernel_interface_t *kernel, kernel_ipsec_sa_id_t *id,
	kernel_ipsec_del_sa_t *data)
{
	private_esptcp_kernel_t *this = hooks;
	status_t status;

	status = this->original.del_sa(kernel, id, data);
	if (status != FAILED)
	{	/* an SA that the kernel still has would send plain ESP */
		this->bindings->unbind(this->bindings, id, id->dst);
		this->routes->remove(this->routes, id);
	}
	return status;
}

METHOD(esptcp_kernel_t, destroy, void,
	private_esptcp_kernel_t *this)
{
	charon->kernel->get_spi = this->original.get_spi;
	charon->kernel->add_sa = this->original.add_sa;
	charon->kernel->update_sa = this->original.update_sa;
	charon->kernel->del_sa = this->original.del_sa;
	hooks = NULL;
	free(this);
}

/*
 * Described in header
 */
esptcp_kernel_t *esptcp_kernel_create(esptcp_sessions_t *sessions,
									  esptcp_bindings_t *bindings,
									  esptcp_routes_t *routes)
{
	private_esptcp_kernel_t *this;

	INIT(this,
		.public = {
			.destroy = _destroy,
		},
		.original = {
			.get_spi = charon->kernel->get_spi,
			.add_sa = charon->kernel->add_sa,
			.update_sa = charon->kernel->update_sa,
			.del_sa = charon->kernel->del_sa,
		},
		.sessions = sessions,
		.bindings = bindings,
		.routes = routes,
	);

	hooks = this;
	charon->kernel->get_spi = _get_spi;
	charon->kernel->add_sa = _add_sa;
	charon->kernel->update_sa = _update_sa;
	charon->kernel->del_sa = _del_sa;
	return &this->public;
}
