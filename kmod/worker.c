// SPDX-License-Identifier: GPL-2.0
/*
 * The worker: takes connections that have something to receive or to send
 * through rx.c and tx.c, in softirq.
 *
 * There is one NAPI instance for each CPU, with a list of connections. A
 * connection is worked on where it was kicked, by one CPU at a time, so that
 * packets keep their order. While a process holds the socket lock the worker
 * does not wait: it leaves a mark, and releasing the lock kicks it again.
 */
#include <linux/netdevice.h>

#include "conn.h"
#include "rx.h"
#include "tx.h"
#include "worker.h"

/**
 * struct esptcp_worker - what one CPU does for us
 * @napi: runs it
 * @lock: guards @conns
 * @conns: connections to look at, each with a reference
 */
struct esptcp_worker {
	struct napi_struct napi;
	spinlock_t lock; /* see above */
	struct list_head conns;
};

static struct esptcp_worker __percpu *workers;
static struct net_device *napi_dev;

static void worker_add(struct esptcp_worker *w, struct esptcp_conn *conn)
{
	spin_lock_bh(&w->lock);
	list_add_tail(&conn->work_node, &w->conns);
	spin_unlock_bh(&w->lock);
}

static struct esptcp_conn *worker_next(struct esptcp_worker *w)
{
	struct esptcp_conn *conn;

	spin_lock_bh(&w->lock);
	conn = list_first_entry_or_null(&w->conns, struct esptcp_conn,
					work_node);
	if (conn)
		list_del_init(&conn->work_node);
	spin_unlock_bh(&w->lock);
	return conn;
}

/**
 * esptcp_worker_kick() - have a connection looked at
 * @conn: the connection; the caller holds a reference or is under RCU
 *
 * Any context but hard interrupts. Cheap if it has been kicked already.
 */
void esptcp_worker_kick(struct esptcp_conn *conn)
{
	struct esptcp_worker *w;

	if (atomic_inc_return(&conn->work_kicks) != 1)
		return;
	/* The last reference has gone: there is nothing left to do. */
	if (!refcount_inc_not_zero(&conn->refs))
		return;

	local_bh_disable();
	w = this_cpu_ptr(workers);
	worker_add(w, conn);
	napi_schedule(&w->napi);
	local_bh_enable();
}

/* Return: whether there is more to do at once; *done counts frames received. */
static bool conn_work(struct esptcp_conn *conn, int budget, int *done)
{
	struct sock *sk = conn->sk;
	struct sk_buff_head esp;
	bool more = false;
	int n = 0;

	__skb_queue_head_init(&esp);
	bh_lock_sock(sk);
	if (sock_owned_by_user(sk)) {
		set_bit(ESPTCP_F_DEFERRED, &conn->flags);
	} else if (!test_bit(ESPTCP_F_DETACHED, &conn->flags)) {
		n = esptcp_rx_read(conn, budget, &esp);
		more = esptcp_tx_flush(conn) || n >= budget;
		if (!more)
			esptcp_conn_check_end(conn);
	}
	bh_unlock_sock(sk);

	esptcp_rx_deliver(conn, &esp);
	*done += n;
	return more;
}

static void worker_run(struct esptcp_worker *w, struct esptcp_conn *conn,
		       int budget, int *done)
{
	int kicks = atomic_read(&conn->work_kicks);

	/* Kicks that arrive from here on are seen below. */
	if (conn_work(conn, budget, done) ||
	    atomic_sub_return(kicks, &conn->work_kicks))
		worker_add(w, conn);
	else
		esptcp_conn_put(conn);
}

static int worker_poll(struct napi_struct *napi, int budget)
{
	struct esptcp_worker *w = container_of(napi, struct esptcp_worker, napi);
	struct esptcp_conn *conn;
	int done = 0, turns = 0;

	/*
	 * A turn costs as much as a frame, so that a list of connections that
	 * only send cannot hold the CPU for longer than the budget allows.
	 */
	while (done + turns < budget) {
		conn = worker_next(w);
		if (!conn) {
			napi_complete_done(napi, done);
			return done;
		}
		worker_run(w, conn, budget - done - turns, &done);
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
		INIT_LIST_HEAD(&w->conns);
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
	struct esptcp_conn *conn;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esptcp_worker *w = per_cpu_ptr(workers, cpu);

		napi_disable(&w->napi);
		netif_napi_del(&w->napi);
		while ((conn = worker_next(w)))
			esptcp_conn_put(conn);
	}
	free_netdev_dummy(napi_dev);
	free_percpu(workers);
}
