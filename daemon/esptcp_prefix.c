/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_prefix.h"

#include <errno.h>
#include <sys/socket.h>

static const char prefix[ESPTCP_PREFIX_LEN] = { 'I', 'K', 'E', 'T', 'C', 'P' };

/*
 * Described in header
 */
bool esptcp_prefix_send(int fd)
{
	/* the buffer of a new connection has room for six octets */
	return send(fd, prefix, sizeof(prefix),
				MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(prefix);
}

/*
 * Described in header
 */
status_t esptcp_prefix_read(esptcp_prefix_t *this, int fd)
{
	ssize_t len;

	len = recv(fd, this->received + this->len, sizeof(prefix) - this->len,
			   MSG_DONTWAIT);
	if (len == -1)
	{
		return errno == EAGAIN || errno == EINTR ? NEED_MORE : FAILED;
	}
	this->len += len;
	if (len == 0 || !memeq(this->received, prefix, this->len))
	{
		return PARSE_ERROR;
	}
	return this->len == sizeof(prefix) ? SUCCESS : NEED_MORE;
}
