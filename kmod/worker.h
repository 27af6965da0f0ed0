/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_WORKER_H
#define ESPTCP_WORKER_H

#include "types.h"

int esptcp_worker_init(void);
void esptcp_worker_exit(void);
void esptcp_worker_kick(struct esptcp_work *work);

#endif /* ESPTCP_WORKER_H */
