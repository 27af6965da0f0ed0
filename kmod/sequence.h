/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_SEQUENCE_H
#define ESPTCP_SEQUENCE_H

#include "types.h"

bool esptcp_sequence_take(struct xfrm_state *x, unsigned int n,
			  unsigned int bytes, u64 *first);
bool esptcp_sequence_near_wrap(struct xfrm_state *x);

#endif /* ESPTCP_SEQUENCE_H */
