// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of the compatibility layer that are more than a few lines.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

#define OPS_MAX	16

static struct genl_ops joined[OPS_MAX];

/**
 * esptcp_compat_genl_register() - register a family with split operations
 * @family: the family; its operations are sorted by command
 *
 * Return: 0 or a negative errno
 */
int esptcp_compat_genl_register(struct genl_family *family)
{
	const struct genl_ops *op = family->ops;
	const struct genl_ops *end = op + family->n_ops;
	struct genl_ops *to = joined;

	for (; op < end; op++) {
		if (to > joined && to[-1].cmd == op->cmd) {
			to[-1].dumpit = op->dumpit;
			continue;
		}
		if (WARN_ON(to == joined + OPS_MAX))
			return -ENOSPC;
		*to++ = *op;
	}
	family->ops = joined;
	family->n_ops = to - joined;
	return genl_register_family(family);
}

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

/**
 * esptcp_compat_send_pages() - have TCP take pages by reference
 * @sk: the socket, locked
 * @msg: flags of tcp_sendmsg()
 * @v: the pages
 * @count: how many
 * @bytes: octets in them
 *
 * Return: octets taken, or a negative errno
 */
int esptcp_compat_send_pages(struct sock *sk, struct msghdr *msg,
			     const struct bio_vec *v, unsigned int count,
			     size_t bytes)
{
	int sent = 0, err = 0, flags;
	unsigned int i;

	/* Else it would go by the operations that the socket has not got. */
	if (!(sk->sk_route_caps & NETIF_F_SG)) {
		iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, v, count, bytes);
		return tcp_sendmsg_locked(sk, msg, bytes);
	}
	for (i = 0; i < count; i++) {
		flags = msg->msg_flags;
		if (i + 1 < count)
			flags |= MSG_SENDPAGE_NOTLAST;
		err = tcp_sendpage_locked(sk, v[i].bv_page, v[i].bv_offset,
					  v[i].bv_len, flags);
		if (err > 0)
			sent += err;
		if (err != v[i].bv_len)
			break;
	}
	return sent ?: err;
}

#endif
