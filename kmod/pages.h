/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_PAGES_H
#define ESPTCP_PAGES_H

#include "types.h"

/**
 * struct esptcp_pages - pages that are being filled
 * @skb: holds them as its fragments, and has no other data
 * @frag: index of the fragment that is written next
 * @pos: position in that
 */
struct esptcp_pages {
	struct sk_buff *skb;
	int frag;
	unsigned int pos;
};

bool esptcp_pages_alloc(struct esptcp_pages *p, unsigned int len);
void esptcp_pages_skip(struct esptcp_pages *p, unsigned int len);
void esptcp_pages_write(struct esptcp_pages *p, const void *data,
			unsigned int len);
void esptcp_pages_copy(struct esptcp_pages *p, const struct sk_buff *from,
		       unsigned int offset, unsigned int len, __wsum *csum);

#endif /* ESPTCP_PAGES_H */
