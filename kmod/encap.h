/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_ENCAP_H
#define ESPTCP_ENCAP_H

#include "types.h"

bool esptcp_encap(struct esptcp_conn *conn, struct sk_buff *skb,
		  int (*okfn)(struct net *net, struct sock *sk,
			      struct sk_buff *skb));
void esptcp_encap_exit(void);

#endif /* ESPTCP_ENCAP_H */
