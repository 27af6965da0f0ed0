/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_SOCKET_H
#define ESPTCP_SOCKET_H

#include "types.h"

void esptcp_socket_init(void);
int esptcp_socket_supported(const struct sock *sk);
void esptcp_socket_attach(struct sock *sk);
void esptcp_socket_detach(struct sock *sk, const struct esptcp_conn *conn);

#endif /* ESPTCP_SOCKET_H */
