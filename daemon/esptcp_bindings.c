/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_bindings.h"

#include <daemon.h>
#include <collections/hashtable.h>
#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>

#include <netinet/in.h>
#include <unistd.h>

/** Milliseconds that an outbound SA stays bound after its end */
#define UNBIND_DELAY 2000

/** The same when the daemon terminates, when nobody wants to wait */
#define UNBIND_DELAY_EXIT 200

typedef struct private_esptcp_bindings_t private_esptcp_bindings_t;
typedef struct binding_t binding_t;

/**
 * Private data of an esptcp_bindings_t object.
 */
struct private_esptcp_bindings_t {

	/**
	 * Public esptcp_bindings_t interface.
	 */
	esptcp_bindings_t public;

	/**
	 * binding_t => itself
	 */
	hashtable_t *bindings;

	/**
	 * Kernel module
	 */
	esptcp_netlink_t *netlink;

	/**
	 * Protects bindings, and keeps the kernel's in step with them
	 */
	mutex_t *mutex;
};

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
	/** number of the connection */
	uint32_t id;
	/** when the SA came to its end, 0 if it has not */
	timeval_t ended;
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
 * Check if the SA of a binding has ended.
 */
static bool has_ended(binding_t *this)
{
	return timerisset(&this->ended);
}

/**
 * Check if a binding is the one of an SA.
 */
static bool is_of(binding_t *this, kernel_ipsec_sa_id_t *sa)
{
	return sa->proto == IPPROTO_ESP && sa->if_id == this->if_id &&
		   sa->mark.value == this->mark.value &&
		   sa->mark.mask == this->mark.mask && !has_ended(this);
}

/**
 * Get the binding at a place, whosever it is.
 */
static binding_t *get_binding(private_esptcp_bindings_t *this, uint32_t spi,
							  host_t *dst)
{
	binding_t key = { .spi = spi, .dst = dst };

	return this->bindings->get(this->bindings, &key);
}

/**
 * Forget a binding, and let the kernel do so.
 */
static void forget(private_esptcp_bindings_t *this, binding_t *binding)
{
	this->bindings->remove(this->bindings, binding);
	this->netlink->unbind(this->netlink, binding->spi, binding->dst,
						  binding->inbound);
	binding_destroy(binding);
}

METHOD(esptcp_bindings_t, bind_, bool,
	private_esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa, host_t *dst,
	bool inbound, uint32_t id, uint32_t kernel_id)
{
	binding_t *binding;
	bool bound = FALSE;

	this->mutex->lock(this->mutex);
	binding = get_binding(this, sa->spi, dst);
	if (binding && !has_ended(binding))
	{
		DBG1(DBG_KNL, "SPI %.8x to %H is that of another SA over TCP",
			 ntohl(sa->spi), dst);
	}
	else if (this->netlink->bind(this->netlink, kernel_id, sa->spi, dst,
								 inbound))
	{
		if (!binding)
		{
			INIT(binding,
				.spi = sa->spi,
				.dst = dst->clone(dst),
			);
			this->bindings->put(this->bindings, binding, binding);
		}
		binding->mark = sa->mark;
		binding->if_id = sa->if_id;
		binding->inbound = inbound;
		binding->id = id;
		timerclear(&binding->ended);
		bound = TRUE;
	}
	this->mutex->unlock(this->mutex);
	return bound;
}

METHOD(esptcp_bindings_t, rebind, void,
	private_esptcp_bindings_t *this, uint32_t from, uint32_t to,
	uint32_t kernel_id)
{
	enumerator_t *enumerator;
	binding_t *binding;

	this->mutex->lock(this->mutex);
	enumerator = this->bindings->create_enumerator(this->bindings);
	while (enumerator->enumerate(enumerator, NULL, &binding))
	{
		/* if that fails, the SA stays bound, but to nothing */
		if (binding->id == from && !has_ended(binding))
		{
			binding->id = to;
			this->netlink->bind(this->netlink, kernel_id, binding->spi,
								binding->dst, binding->inbound);
		}
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_bindings_t, is_bound, bool,
	private_esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa, bool *inbound)
{
	binding_t *binding;
	bool bound;

	this->mutex->lock(this->mutex);
	binding = get_binding(this, sa->spi, sa->dst);
	bound = binding && is_of(binding, sa);
	if (bound)
	{
		*inbound = binding->inbound;
	}
	this->mutex->unlock(this->mutex);
	return bound;
}

/**
 * Unbind the SAs that ended long enough ago.
 */
static void sweep(private_esptcp_bindings_t *this, u_int delay)
{
	enumerator_t *enumerator;
	timeval_t now, age;
	binding_t *binding;

	this->mutex->lock(this->mutex);
	time_monotonic(&now);
	enumerator = this->bindings->create_enumerator(this->bindings);
	while (enumerator->enumerate(enumerator, NULL, &binding))
	{
		timersub(&now, &binding->ended, &age);
		if (has_ended(binding) &&
			age.tv_sec * 1000 + age.tv_usec / 1000 >= delay)
		{
			this->bindings->remove_at(this->bindings, enumerator);
			this->netlink->unbind(this->netlink, binding->spi, binding->dst,
								  binding->inbound);
			binding_destroy(binding);
		}
	}
	enumerator->destroy(enumerator);
	this->mutex->unlock(this->mutex);
}

/**
 * Job to do so.
 */
static job_requeue_t sweep_job(private_esptcp_bindings_t *this)
{
	sweep(this, UNBIND_DELAY);
	return JOB_REQUEUE_NONE;
}

METHOD(esptcp_bindings_t, unbind, void,
	private_esptcp_bindings_t *this, kernel_ipsec_sa_id_t *sa, host_t *dst)
{
	binding_t *binding;

	this->mutex->lock(this->mutex);
	binding = get_binding(this, sa->spi, dst);
	if (binding && is_of(binding, sa))
	{
		if (binding->inbound)
		{
			forget(this, binding);
		}
		else
		{
			time_monotonic(&binding->ended);
			lib->scheduler->schedule_job_ms(lib->scheduler,
				(job_t*)callback_job_create((callback_job_cb_t)sweep_job, this,
											NULL, NULL), UNBIND_DELAY + 1);
		}
	}
	this->mutex->unlock(this->mutex);
}

/**
 * Check if SAs are left that have ended.
 */
static bool is_sweep_due(private_esptcp_bindings_t *this)
{
	enumerator_t *enumerator;
	binding_t *binding;
	bool due = FALSE;

	enumerator = this->bindings->create_enumerator(this->bindings);
	while (enumerator->enumerate(enumerator, NULL, &binding))
	{
		due |= has_ended(binding);
	}
	enumerator->destroy(enumerator);
	return due;
}

METHOD(esptcp_bindings_t, destroy, void,
	private_esptcp_bindings_t *this)
{
	if (is_sweep_due(this))
	{
		usleep(UNBIND_DELAY_EXIT * 1000);
		sweep(this, 0);
	}
	this->bindings->destroy_function(this->bindings, (void*)binding_destroy);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_bindings_t *esptcp_bindings_create(esptcp_netlink_t *netlink)
{
	private_esptcp_bindings_t *this;

	INIT(this,
		.public = {
			.bind = _bind_,
			.rebind = _rebind,
			.is_bound = _is_bound,
			.unbind = _unbind,
			.destroy = _destroy,
		},
		.bindings = hashtable_create(binding_hash, binding_equals, 8),
		.netlink = netlink,
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	return &this->public;
}
