/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_OUTER_H
#define ESPTCP_OUTER_H

#include "types.h"

unsigned int esptcp_outer_len(const struct sk_buff *inner);
struct sk_buff *esptcp_outer_alloc(const struct sk_buff *inner,
				   unsigned int number);

#endif /* ESPTCP_OUTER_H */
