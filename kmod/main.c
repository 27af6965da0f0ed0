// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading the module, and what it keeps for each network
 * namespace.
 *
 * The module can be removed when no socket is attached and no SA bound: each
 * holds a reference. After that only workers, RCU callbacks, asynchronous
 * encryptions, retired bindings and the esptcp devices are left, which go here.
 */
#include <linux/module.h>
#include <net/netns/generic.h>
#include <net/tcp.h>

#include "binding.h"
#include "conn.h"
#include "device.h"
#include "encap.h"
#include "netlink.h"
#include "output.h"
#include "proc.h"
#include "socket.h"
#include "stats.h"
#include "tuple.h"
#include "tx.h"
#include "worker.h"

static unsigned int esptcp_net_id __read_mostly;

/**
 * esptcp_net() - what the module keeps for a namespace
 * @net: the namespace
 *
 * Return: it, never NULL while the namespace is alive
 */
struct esptcp_net *esptcp_net(const struct net *net)
{
	return net_generic(net, esptcp_net_id);
}

static int __net_init main_net_init(struct net *net)
{
	struct esptcp_net *en = esptcp_net(net);
	int err;

	en->net = net;
	mutex_init(&en->lock);
	xa_init_flags(&en->conns, XA_FLAGS_ALLOC1);
	INIT_LIST_HEAD(&en->bindings);
	INIT_LIST_HEAD(&en->retired);
	en->mib = alloc_percpu(struct esptcp_mib);
	if (!en->mib)
		return -ENOMEM;
	err = esptcp_proc_net_init(net);
	if (err)
		goto err_mib;
	err = esptcp_output_net_init(net);
	if (err)
		goto err_proc;
	return 0;

err_proc:
	esptcp_proc_net_exit(net);
err_mib:
	free_percpu(en->mib);
	return err;
}

static void __net_exit main_net_exit(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list) {
		esptcp_proc_net_exit(net);
		esptcp_output_net_exit(net);
		esptcp_device_net_exit(esptcp_net(net));
		esptcp_binding_net_exit(esptcp_net(net));
	}
	/* Packets may still be in the hooks. */
	synchronize_net();
	list_for_each_entry(net, nets, exit_list) {
		xa_destroy(&esptcp_net(net)->conns);
		free_percpu(esptcp_net(net)->mib);
	}
}

/*
 * A subsystem: its exit runs when the namespace has no network devices any
 * more, but still XFRM, so that nothing gets past the hooks while it dies.
 */
static struct pernet_operations main_net_ops = {
	.init = main_net_init,
	.exit_batch = main_net_exit,
	.id = &esptcp_net_id,
	.size = sizeof(struct esptcp_net),
};

/*
 * Without it TCP on this host makes small packets for an SA, and one that is
 * added before stays so. Nothing depends on it. What it does wrong, gso.c
 * prevents as long as this module is there. Not esp6_offload, which would use
 * nonces of any tunnel twice when this module is gone.
 */
static void __init main_request_offload(void)
{
	request_module("xfrm-offload-%d-%d", AF_INET, IPPROTO_ESP);
}

static int __init main_init(void)
{
	int err;

	main_request_offload();
	esptcp_socket_init();
	err = esptcp_tx_module_init();
	if (err)
		return err;
	err = esptcp_binding_init();
	if (err)
		goto err_tx;
	err = esptcp_tuple_init();
	if (err)
		goto err_binding;
	err = esptcp_worker_init();
	if (err)
		goto err_tuple;
	err = register_pernet_subsys(&main_net_ops);
	if (err)
		goto err_worker;
	err = esptcp_device_init();
	if (err)
		goto err_net;
	err = esptcp_nl_init();
	if (err)
		goto err_device;
	err = esptcp_conn_register_ulp();
	if (err)
		goto err_nl;
	return 0;

err_nl:
	esptcp_nl_exit();
err_device:
	esptcp_device_exit();
err_net:
	unregister_pernet_subsys(&main_net_ops);
err_worker:
	esptcp_worker_exit();
err_tuple:
	esptcp_tuple_exit();
err_binding:
	esptcp_binding_exit();
err_tx:
	esptcp_tx_module_exit();
	return err;
}

static void __exit main_exit(void)
{
	esptcp_conn_unregister_ulp();
	esptcp_nl_exit();
	esptcp_binding_wait();
	esptcp_encap_exit();
	esptcp_device_exit();
	unregister_pernet_subsys(&main_net_ops);
	esptcp_worker_exit();
	esptcp_tuple_exit();
	esptcp_binding_exit();
	esptcp_tx_module_exit();
	/* The last connections are freed by code of ours. */
	rcu_barrier();
}

module_init(main_init);
module_exit(main_exit);

MODULE_DESCRIPTION("IKE and ESP over TCP (RFC 9329, fortinet-esp)");
MODULE_LICENSE("GPL");
MODULE_VERSION(ESPTCP_VERSION);
MODULE_ALIAS_TCP_ULP("esptcp");
MODULE_ALIAS_GENL_FAMILY("esptcp");
MODULE_SOFTDEP("pre: esp4_offload");
