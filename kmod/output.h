/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_OUTPUT_H
#define ESPTCP_OUTPUT_H

#include "types.h"

int esptcp_output_net_init(struct net *net);
void esptcp_output_net_exit(struct net *net);

#endif /* ESPTCP_OUTPUT_H */
