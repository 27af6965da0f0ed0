// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for frames that TCP takes by reference: pages that nobody else has,
 * in as few pieces as the kernel can give.
 *
 * Whoever fills them has them alone. Any context; no locks.
 */
#include <net/checksum.h>

#include "pages.h"

/* A page of this order, or of a lower one, to which @order is set then. */
static struct page *alloc_part(unsigned int *order)
{
	struct page *page;

	for (; *order; --*order) {
		page = alloc_pages(GFP_NOWAIT | __GFP_COMP | __GFP_NOWARN |
				   __GFP_NORETRY, *order);
		if (page)
			return page;
	}
	return alloc_page(GFP_ATOMIC | __GFP_NOWARN);
}

static bool add_part(struct sk_buff *skb, unsigned int *order, unsigned int len)
{
	int i = skb_shinfo(skb)->nr_frags;
	struct page *page;

	if (i == MAX_SKB_FRAGS)
		return false;
	*order = min_t(unsigned int, *order, get_order(len));
	page = alloc_part(order);
	if (!page)
		return false;

	len = min_t(unsigned int, len, PAGE_SIZE << *order);
	skb_fill_page_desc(skb, i, page, 0, len);
	skb->len += len;
	skb->data_len += len;
	skb->truesize += PAGE_SIZE << *order;
	return true;
}

/**
 * esptcp_pages_alloc() - get pages
 * @p: is initialised
 * @len: octets, at least 1; all of them have to be filled
 *
 * Return: whether there was memory for them, in MAX_SKB_FRAGS pieces
 */
bool esptcp_pages_alloc(struct esptcp_pages *p, unsigned int len)
{
	unsigned int order = PAGE_ALLOC_COSTLY_ORDER;
	struct sk_buff *skb;

	skb = alloc_skb(0, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return false;
	while (skb->len < len) {
		if (!add_part(skb, &order, len - skb->len)) {
			consume_skb(skb);
			return false;
		}
	}
	*p = (struct esptcp_pages){ .skb = skb };
	return true;
}

/**
 * esptcp_pages_skip() - go on behind some octets
 * @p: the pages
 * @len: how many octets
 */
void esptcp_pages_skip(struct esptcp_pages *p, unsigned int len)
{
	const struct skb_shared_info *shinfo = skb_shinfo(p->skb);

	p->pos += len;
	while (p->frag < shinfo->nr_frags &&
	       p->pos >= skb_frag_size(&shinfo->frags[p->frag]))
		p->pos -= skb_frag_size(&shinfo->frags[p->frag++]);
}

/* Where to write; @len is lowered to how many octets fit in there. */
static void *room(const struct esptcp_pages *p, unsigned int *len)
{
	const skb_frag_t *frag = &skb_shinfo(p->skb)->frags[p->frag];

	*len = min(*len, skb_frag_size(frag) - p->pos);
	return skb_frag_address(frag) + p->pos;
}

/**
 * esptcp_pages_write() - write octets, and go on behind them
 * @p: the pages, with as much room left
 * @data: the octets
 * @len: how many
 */
void esptcp_pages_write(struct esptcp_pages *p, const void *data,
			unsigned int len)
{
	unsigned int n;
	void *to;

	for (; len; len -= n) {
		n = len;
		to = room(p, &n);
		memcpy(to, data, n);
		data += n;
		esptcp_pages_skip(p, n);
	}
}

/**
 * esptcp_pages_copy() - write octets of a packet, and go on behind them
 * @p: the pages, with as much room left
 * @from: the packet
 * @offset: where they are, from its data
 * @len: how many
 * @csum: their checksum is stored there, unless it is NULL
 */
void esptcp_pages_copy(struct esptcp_pages *p, const struct sk_buff *from,
		       unsigned int offset, unsigned int len, __wsum *csum)
{
	unsigned int done, n;
	__wsum part;
	void *to;

	if (csum)
		*csum = 0;
	for (done = 0; done < len; done += n) {
		n = len - done;
		to = room(p, &n);
		if (csum) {
			part = skb_copy_and_csum_bits(from, offset + done, to, n);
			*csum = csum_block_add(*csum, part, done);
		} else {
			skb_copy_bits(from, offset + done, to, n);
		}
		esptcp_pages_skip(p, n);
	}
}
