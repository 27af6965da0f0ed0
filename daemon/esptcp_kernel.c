/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_kernel.h"

#include <daemon.h>
#include <collections/hashtable.h>
#include <threading/mutex.h>

#include <netinet/in.h>

typedef struct private_esptcp_kernel_t private_esptcp_kernel_t;
typedef struct binding_t binding_t;

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
		status_t (*add_sa)(kernel_interface_t *this, kernel_ipsec_sa_id_t *id,
						   kernel_ipsec_add_sa_t *data);
		status_t (*update_sa)(kernel_interface_t *this,
							  kernel_ipsec_sa_id_t *id,
							  kernel_ipsec_update_sa_t *data);
		status_t (*del_sa)(kernel_interface_t *this, kernel_ipsec_sa_id_t *id,
						   kernel_ipsec_del_sa_t *data);
	} original;

	/**
	 * SAs that are bound, binding_t => itself
	 */
	hashtable_t *bindings;

	/**
	 * TCP connections
	 */
	esptcp_connections_t *connections;

	/**
	 * Kernel module
	 */
	esptcp_netlink_t *netlink;

	/**
	 * Protects bindings
	 */
	mutex_t *mutex;
};

/**
 * The instance, as charon calls our methods with its own object.
 */
static private_esptcp_kernel_t *hooks;

/**
 * An SA that is bound to a connection.
 */
struct binding_t {
	/** SPI in network order, with dst the key */
	uint32_t spi;
	/** destination address */
	host_t *dst;
	/** mark that tells the SA from others with this key */
	mark_t mark;
	/** interface ID that does so */
	uint32_t if_id;
	/** TRUE for an inbound SA */
	bool inbound;
};

/**
 * Hash of a binding's key.
 */
static u_int binding_hash(const void *key)
{
	const binding_t *this = key;

	return chunk_hash_inc(this->dst->get_address(this->dst),
						  chunk_hash(chunk_from_thing(this->spi)));
}

/**
 * Compare the keys of two bindings.
 */
static bool binding_equals(const void *key, const void *other_key)
{
	const binding_t *this = key, *other = other_key;

	return this->spi == other->spi &&
		   this->dst->ip_equals(this->dst, other->dst);
}

/**
 * Destroy a binding.
 */
static void binding_destroy(binding_t *this)
{
	this->dst->destroy(this->dst);
	free(this);
}

/**
 * Get the connection of the IKE_SA that this thread handles.
 */
static esptcp_connection_t *get_connection(private_esptcp_kernel_t *this)
{
	ike_sa_t *ike_sa = charon->bus->get_sa(charon->bus);

	return ike_sa ? this->connections->get_by_ike_sa(this->connections, ike_sa)
				  : NULL;
}

/**
 * Find the binding of an SA, with the mutex held. One of another SA with the
 * same SPI and destination is none of its business.
 */
static binding_t *find_binding(private_esptcp_kernel_t *this,
							   kernel_ipsec_sa_id_t *id, host_t *dst)
{
	binding_t key = { .spi = id->spi, .dst = dst }, *binding;

	binding = this->bindings->get(this->bindings, &key);
	if (binding && id->proto == IPPROTO_ESP && id->if_id == binding->if_id &&
		id->mark.value == binding->mark.value &&
		id->mark.mask == binding->mark.mask)
	{
		return binding;
	}
	return NULL;
}

/**
 * Note the binding of an SA, unless there is one with its SPI and destination.
 */
static bool add_binding(private_esptcp_kernel_t *this,
						kernel_ipsec_sa_id_t *id, host_t *dst, bool inbound)
{
	binding_t *binding;
	bool taken;

	INIT(binding,
		.spi = id->spi,
		.dst = dst->clone(dst),
		.mark = id->mark,
		.if_id = id->if_id,
		.inbound = inbound,
	);
	this->mutex->lock(this->mutex);
	taken = this->bindings->get(this->bindings, binding) != NULL;
	if (!taken)
	{
		this->bindings->put(this->bindings, binding, binding);
	}
	this->mutex->unlock(this->mutex);
	if (taken)
	{
		DBG1(DBG_KNL, "SPI %.8x to %H is that of another SA over TCP",
			 ntohl(id->spi), dst);
		binding_destroy(binding);
	}
	return !taken;
}

/**
 * Unbind an SA, if it is bound.
 */
static void unbind_sa(private_esptcp_kernel_t *this, kernel_ipsec_sa_id_t *id,
					  host_t *dst)
{
	binding_t *binding;

	this->mutex->lock(this->mutex);
	binding = find_binding(this, id, dst);
	if (binding)
	{
		this->bindings->remove(this->bindings, binding);
	}
	this->mutex->unlock(this->mutex);
	if (binding)
	{
		this->netlink->unbind(this->netlink, id->spi, dst, binding->inbound);
		binding_destroy(binding);
	}
}

/**
 * Bind an SA that is not bound yet. The peer chooses the SPI of an outbound SA,
 * and must not get that of another peer behind the same NAT.
 */
static bool bind_sa(private_esptcp_kernel_t *this,
					esptcp_connection_t *connection, kernel_ipsec_sa_id_t *id,
					host_t *dst, bool inbound)
{
	if (!add_binding(this, id, dst, inbound))
	{
		return FALSE;
	}
	if (!connection->bind(connection, id->spi, dst, inbound))
	{
		unbind_sa(this, id, dst);
		return FALSE;
	}
	return TRUE;
}

/**
 * Check if an SA is bound.
 */
static bool is_bound(private_esptcp_kernel_t *this, kernel_ipsec_sa_id_t *id,
					 bool *inbound)
{
	binding_t *binding;

	this->mutex->lock(this->mutex);
	binding = find_binding(this, id, id->dst);
	if (binding)
	{
		*inbound = binding->inbound;
	}
	this->mutex->unlock(this->mutex);
	return binding != NULL;
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
	if (!bind_sa(this, connection, id, id->dst, data->inbound))
	{
		DBG1(DBG_KNL, "SPI %.8x is not installed, as it is not bound to the "
			 "TCP connection", ntohl(id->spi));
		return FAILED;
	}
	copy.encap = FALSE;
	status = this->original.add_sa(kernel, id, &copy);
	if (status != SUCCESS)
	{
		unbind_sa(this, id, id->dst);
	}
	return status;
}

METHOD(kernel_interface_t, add_sa, status_t,
	kernel_interface_t *kernel, kernel_ipsec_sa_id_t *id,
	kernel_ipsec_add_sa_t *data)
{
	private_esptcp_kernel_t *this = hooks;
	esptcp_connection_t *connection;
	status_t status;

	connection = get_connection(this);
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

	if (same_dst ? !connection->bind(connection, id->spi, id->dst, inbound)
				 : !bind_sa(this, connection, id, data->new_dst, inbound))
	{
		return FAILED;
	}
	if (same_dst && id->src->ip_equals(id->src, data->new_src))
	{	/* other ports only, of which a plain ESP SA knows nothing */
		return SUCCESS;
	}
	copy.encap = copy.new_encap = FALSE;
	status = this->original.update_sa(kernel, id, &copy);
	if (!same_dst)
	{
		unbind_sa(this, id, status == SUCCESS ? id->dst : data->new_dst);
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

	bound = is_bound(this, id, &inbound);
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
		unbind_sa(this, id, id->dst);
	}
	return status;
}

METHOD(esptcp_kernel_t, destroy, void,
	private_esptcp_kernel_t *this)
{
	charon->kernel->add_sa = this->original.add_sa;
	charon->kernel->update_sa = this->original.update_sa;
	charon->kernel->del_sa = this->original.del_sa;
	hooks = NULL;
	this->bindings->destroy_function(this->bindings, (void*)binding_destroy);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_kernel_t *esptcp_kernel_create(esptcp_connections_t *connections,
									  esptcp_netlink_t *netlink)
{
	private_esptcp_kernel_t *this;

	INIT(this,
		.public = {
			.destroy = _destroy,
		},
		.original = {
			.add_sa = charon->kernel->add_sa,
			.update_sa = charon->kernel->update_sa,
			.del_sa = charon->kernel->del_sa,
		},
		.bindings = hashtable_create(binding_hash, binding_equals, 8),
		.connections = connections,
		.netlink = netlink,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	hooks = this;
	charon->kernel->add_sa = _add_sa;
	charon->kernel->update_sa = _update_sa;
	charon->kernel->del_sa = _del_sa;
	return &this->public;
}
