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
