// SPDX-License-Identifier: GPL-2.0
/*
 * Sequence numbers of an outbound SA, from which its nonces are made: taken out
 * of XFRM's own counters, under XFRM's own lock, so that XFRM and we can send
 * packets of one SA at the same time and none has another's number.
 *
 * What is near the end of 32 bits is left to XFRM, packet by packet.
 */
#include <net/xfrm.h>

#include "sequence.h"

/*
 * How far from the end XFRM is not given more than one packet at a time: each
 * of many CPUs may just now be in XFRM with one that has U16_MAX segments.
 */
#define WRAP_MARGIN	(1024 * U16_MAX)

static u32 *sequence_low(struct xfrm_state *x)
{
	return x->repl_mode == XFRM_REPLAY_MODE_LEGACY ? &x->replay.oseq :
							 &x->replay_esn->oseq;
}

static u32 sequence_high(const struct xfrm_state *x)
{
	return x->repl_mode == XFRM_REPLAY_MODE_ESN ? x->replay_esn->oseq_hi : 0;
}

/* Does what xfrm_output_one() does under the lock. */
static bool sequence_take(struct xfrm_state *x, unsigned int n, u64 *first)
{
	u32 *low = sequence_low(x);

	if (x->km.state != XFRM_STATE_VALID || xfrm_state_check_expire(x) ||
	    U32_MAX - *low < n)
		return false;
	*first = ((u64)sequence_high(x) << 32 | *low) + 1;
	*low += n;
	x->lastused = ktime_get_real_seconds();
	return true;
}

/**
 * esptcp_sequence_take() - take consecutive numbers for packets to be sent
 * @x: the SA, with a reference
 * @n: how many
 * @bytes: octets of these packets, as XFRM counts them for the SA's lifetime
 * @first: is set to the first number, 64 bits with ESN
 *
 * Bottom halves are disabled.
 *
 * Return: false if the SA may not be used any more, or XFRM has to say what
 *	follows the last 32-bit number
 */
bool esptcp_sequence_take(struct xfrm_state *x, unsigned int n,
			  unsigned int bytes, u64 *first)
{
	bool taken;

	spin_lock(&x->lock);
	taken = sequence_take(x, n, first);
	if (taken) {
		x->curlft.bytes += bytes;
		x->curlft.packets += n;
	}
	spin_unlock(&x->lock);
	return taken;
}

/**
 * esptcp_sequence_near_wrap() - whether the 32-bit number may start again soon
 * @x: the SA
 *
 * No lock is needed.
 *
 * Return: true if packets with many segments might come upon its end
 */
bool esptcp_sequence_near_wrap(struct xfrm_state *x)
{
	return READ_ONCE(*sequence_low(x)) >
	       U32_MAX - WRAP_MARGIN;
}
