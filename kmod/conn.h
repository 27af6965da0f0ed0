/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_CONN_H
#define ESPTCP_CONN_H

#include "types.h"

/**
 * struct esptcp_attach - how a socket is attached
 * @role: enum esptcp_role
 * @framing: enum esptcp_framing
 * @profile: for the fortinet framing
 */
struct esptcp_attach {
	u8 role;
	u8 framing;
	struct esptcp_profile profile;
};

int esptcp_conn_attach(struct sock *sk, const struct esptcp_attach *how);
int esptcp_conn_set_segments(struct esptcp_net *en, struct esptcp_conn *conn,
			     const struct esptcp_profile *profile);
u16 esptcp_conn_family(const struct sock *sk);
bool esptcp_conn_attached(const struct sock *sk);
void esptcp_conn_detach(struct esptcp_conn *conn);
void esptcp_conn_put(struct esptcp_conn *conn);
struct esptcp_conn *esptcp_conn_of(const struct sock *sk);
struct esptcp_conn *esptcp_conn_find(const struct net *net, u32 id);
void esptcp_conn_check_end(struct esptcp_conn *conn);
void esptcp_conn_bad_length(struct esptcp_conn *conn);
int esptcp_conn_register_ulp(void);
void esptcp_conn_unregister_ulp(void);

#endif /* ESPTCP_CONN_H */
