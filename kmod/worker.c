// SPDX-License-Identifier: GPL-2.0
/*
 * The workers: run what connections have to do in softirq, receiving and
 * sending, each as a struct esptcp_work.
 *
 * There is one NAPI instance for each CPU, with a list of works. A work runs
 * where it was kicked, on one CPU at a time. Receiving and sending are works
 * of their own, so that packets for XFRM stay on the CPU to which the network
 * device steers the connection, whichever CPU sends: XFRM's queues are per CPU
 * and would reorder them otherwise.
 */
#include <linux/netdevice.h>
#include <linux/sched/clock.h>

#include "conn.h"
#include "worker.h"

/* No turn begins later than this after the first. */
#define POLL_NS		NSEC_PER_MSEC

/**
 * struct esptcp_worker - what one CPU does for us
 * @napi: runs it
 * @lock: guards @works
 * @works: what is to be run, each with a reference to its connection
 */
struct esptcp_worker {
	struct napi_struct napi;
	spinlock_t lock; /* see above */
	struct list_head works;
};

static struct esptcp_worker __percpu *workers;
static struct net_device *napi_dev;

static void worker_add(struct esptcp_worker *w, struct esptcp_work *work)
{
	spin_lock_bh(&w->lock);
	list_add_tail(&work->node, &w->works);
	spin_unlock_bh(&w->lock);
}

static struct esptcp_work *worker_next(struct esptcp_worker *w)
{
	struct esptcp_work *work;

	spin_lock_bh(&w->lock);
	work = list_first_entry_or_null(&w->works, struct esptcp_work, node);
	if (work)
		list_del_init(&work->node);
	spin_unlock_bh(&w->lock);
	return work;
}

/**
 * esptcp_worker_kick() - have a work run
 * @work: the work; the caller holds a reference to its connection or is
 *	under RCU
 *
 * Any context but hard interrupts. Cheap if it has been kicked already.
 */
void esptcp_worker_kick(struct esptcp_work *work)
{
	struct esptcp_worker *w;

	if (atomic_inc_return(&work->kicks) != 1)
		return;
	/* The last reference has gone: there is nothing left to do. */
	if (!refcount_inc_not_zero(&work->conn->refs))
		return;

	local_bh_disable();
	w = this_cpu_ptr(workers);
	worker_add(w, work);
	napi_schedule(&w->napi);
	local_bh_enable();
}

static void worker_run(struct esptcp_worker *w, struct esptcp_work *work,
		       int budget, int *done)
{
	int kicks = atomic_read(&work->kicks);

	/* Kicks that arrive from here on are seen below. */
	if (work->run(work->conn, &w->napi, budget, done) ||
	    atomic_sub_return(kicks, &work->kicks))
		worker_add(w, work);
	else
		esptcp_conn_put(work->conn);
}

static int worker_poll(struct napi_struct *napi, int budget)
{
	struct esptcp_worker *w = container_of(napi, struct esptcp_worker, napi);
	u64 end = local_clock() + POLL_NS;
	struct esptcp_work *work;
	int done = 0, turns = 0;

	/*
	 * A turn costs as much as a frame, and time is looked at as well: one
	 * in which much is sent, or decrypted without the CPU's help, is long.
	 */
	while (done + turns < budget && local_clock() < end) {
		work = worker_next(w);
		if (!work) {
			napi_complete_done(napi, done);
			return done;
		}
		worker_run(w, work, budget - done - turns, &done);
		turns++;
	}
	return budget;
}

/**
 * esptcp_worker_init() - make the workers
 *
 * Return: 0 or -ENOMEM
 */
int esptcp_worker_init(void)
{
	int cpu;

	workers = alloc_percpu(struct esptcp_worker);
	if (!workers)
		return -ENOMEM;
	napi_dev = alloc_netdev_dummy(0);
	if (!napi_dev) {
		free_percpu(workers);
		return -ENOMEM;
	}

	for_each_possible_cpu(cpu) {
		struct esptcp_worker *w = per_cpu_ptr(workers, cpu);

		spin_lock_init(&w->lock);
		INIT_LIST_HEAD(&w->works);
		netif_napi_add(napi_dev, &w->napi, worker_poll);
		napi_enable(&w->napi);
	}
	return 0;
}

/**
 * esptcp_worker_exit() - end the workers
 *
 * Every socket has been closed, so what is still in a list has nothing to do.
 */
void esptcp_worker_exit(void)
{
	struct esptcp_work *work;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esptcp_worker *w = per_cpu_ptr(workers, cpu);

		napi_disable(&w->napi);
		netif_napi_del(&w->napi);
		while ((work = worker_next(w)))
			esptcp_conn_put(work->conn);
	}
	free_netdev_dummy(napi_dev);
	free_percpu(workers);
}
