/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_TUPLE_H
#define ESPTCP_TUPLE_H

#include "types.h"

int esptcp_tuple_init(void);
void esptcp_tuple_exit(void);
int esptcp_tuple_add(struct esptcp_conn *conn);
void esptcp_tuple_del(struct esptcp_conn *conn);
struct esptcp_conn *esptcp_tuple_find(const struct esptcp_tuple *tuple,
				      const struct net_device *dev);

#endif /* ESPTCP_TUPLE_H */
