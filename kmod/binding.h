/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_BINDING_H
#define ESPTCP_BINDING_H

#include "types.h"

int esptcp_binding_init(void);
void esptcp_binding_exit(void);
void esptcp_binding_net_exit(struct esptcp_net *en);
void esptcp_binding_wait(void);

int esptcp_binding_add(struct esptcp_net *en, struct esptcp_conn *conn,
		       const struct esptcp_binding *spec);
int esptcp_binding_del(struct esptcp_net *en,
		       const struct esptcp_binding *spec);
void esptcp_binding_del_all(struct esptcp_net *en);
void esptcp_binding_move_all(struct esptcp_conn *from, struct esptcp_conn *to);
void esptcp_binding_sever(struct esptcp_conn *conn);

const struct esptcp_binding *
esptcp_binding_find_in(const struct esptcp_conn *conn, __be32 spi);
const struct esptcp_binding *
esptcp_binding_find_out(struct net *net, u16 family, const void *daddr,
			__be32 spi);
bool esptcp_binding_is_over(const struct esptcp_binding *b);
void esptcp_binding_release(struct net *net, const struct dst_entry *dst);

#endif /* ESPTCP_BINDING_H */
