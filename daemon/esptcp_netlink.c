/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_netlink.h"

#include <daemon.h>
#include <threading/mutex.h>

#include <errno.h>
#include <linux/esptcp.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>
#include <netlink/genl/ctrl.h>

/** Seconds to wait for an answer, which the kernel always has at once */
#define ANSWER_TIMEOUT 5

typedef struct private_esptcp_netlink_t private_esptcp_netlink_t;
typedef struct answer_t answer_t;

/**
 * Private data of an esptcp_netlink_t object.
 */
struct private_esptcp_netlink_t {

	/**
	 * Public esptcp_netlink_t interface.
	 */
	esptcp_netlink_t public;

	/**
	 * Generic netlink socket
	 */
	struct nl_sock *sock;

	/**
	 * Number of the family, which changes only when the module is loaded again:
	 * not while connections are attached
	 */
	int family;

	/**
	 * One request at a time uses the socket
	 */
	mutex_t *mutex;
};

/**
 * What came back for a request.
 */
struct answer_t {
	/** the kernel has answered */
	bool done;
	/** errno, 0 if it succeeded */
	int error;
	/** number of the connection, if the answer has one */
	uint32_t id;
	/** what the kernel says about the error, or "" */
	char message[200];
};

/**
 * Reply of the kernel, an acknowledgement follows.
 */
static int on_reply(struct nl_msg *msg, void *data)
{
	struct nlattr *attrs[ESPTCP_A_CONN_MAX + 1];
	answer_t *answer = data;

	if (genlmsg_parse(nlmsg_hdr(msg), 0, attrs, ESPTCP_A_CONN_MAX, NULL) == 0 &&
		attrs[ESPTCP_A_CONN_ID])
	{
		answer->id = nla_get_u32(attrs[ESPTCP_A_CONN_ID]);
	}
	return NL_OK;
}

/**
 * The request was carried out.
 */
static int on_ack(struct nl_msg *msg, void *data)
{
	answer_t *answer = data;

	answer->done = TRUE;
	return NL_STOP;
}

/**
 * The request was refused.
 */
static int on_error(struct sockaddr_nl *addr, struct nlmsgerr *err, void *data)
{
	struct nlmsghdr *hdr = (void*)((char*)err - NLMSG_HDRLEN);
	answer_t *answer = data;
	struct nlattr *attr = NULL;
	int skip = sizeof(*err);

	/* its words follow the request's payload, unless that was left out */
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
	{
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
	}
	if (hdr->nlmsg_flags & NLM_F_ACK_TLVS)
	{
		attr = nla_find(nlmsg_attrdata(hdr, skip), nlmsg_attrlen(hdr, skip),
						NLMSGERR_ATTR_MSG);
	}
	if (attr)
	{
		nla_strlcpy(answer->message, attr, sizeof(answer->message));
	}
	answer->error = -err->error;
	answer->done = TRUE;
	return NL_STOP;
}

/**
 * What an answer says about an error, for the log.
 */
static const char *reason(answer_t *answer, int error)
{
	return answer->message[0] ? answer->message : strerror(error);
}

/**
 * Open the socket, in place of one on which an answer was lost: what is read
 * there may belong to former requests.
 */
static bool open_socket(private_esptcp_netlink_t *this)
{
	struct timeval timeout = { .tv_sec = ANSWER_TIMEOUT };
	struct nl_sock *sock;
	int status, on = 1;

	sock = nl_socket_alloc();
	status = sock ? genl_connect(sock) : -NLE_NOMEM;
	if (status < 0)
	{
		DBG1(DBG_KNL, "esptcp: opening a netlink socket failed: %s",
			 nl_geterror(status));
		nl_socket_free(sock);
		return FALSE;
	}
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &on,
			   sizeof(on));
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &timeout,
			   sizeof(timeout));
	nl_socket_free(this->sock);
	this->sock = sock;
	return TRUE;
}

/**
 * Find the family.
 */
static bool find_family(private_esptcp_netlink_t *this)
{
	this->family = genl_ctrl_resolve(this->sock, ESPTCP_FAMILY_NAME);
	if (this->family < 0)
	{
		DBG1(DBG_KNL, "esptcp: the kernel module is not loaded, run "
			 "'modprobe esptcp'");
		open_socket(this);
	}
	return this->family >= 0;
}

/**
 * Start a request.
 */
static struct nl_msg *request_create(private_esptcp_netlink_t *this,
									 uint8_t cmd)
{
	struct nl_msg *msg;

	msg = nlmsg_alloc();
	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, this->family, 0, 0,
							cmd, ESPTCP_FAMILY_VERSION))
	{
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/**
 * Send a request, wait for the answer and destroy the request.
 *
 * @param complete		FALSE if there was no room for some of it
 * @return				errno, 0 if it succeeded
 */
static int request_send(private_esptcp_netlink_t *this, struct nl_msg *msg,
						bool complete, answer_t *answer)
{
	struct nl_cb *cb = NULL;
	int status;

	if (complete)
	{
		cb = nl_cb_alloc(NL_CB_DEFAULT);
	}
	if (!cb)
	{
		nlmsg_free(msg);
		return ENOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_reply, answer);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, answer);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, answer);

	status = nl_send_auto(this->sock, msg);
	while (status >= 0 && !answer->done)
	{
		status = nl_recvmsgs(this->sock, cb);
	}
	nl_cb_put(cb);
	nlmsg_free(msg);
	if (!answer->done)
	{
		DBG1(DBG_KNL, "esptcp: netlink failed: %s", nl_geterror(status));
		open_socket(this);
		return EIO;
	}
	return answer->error;
}

/**
 * Add what identifies an SA to a request.
 */
static bool add_sa(struct nl_msg *msg, uint32_t spi, host_t *dst, bool inbound)
{
	chunk_t addr = dst->get_address(dst);

	return nla_put_u32(msg, ESPTCP_A_BINDING_DIR,
					   inbound ? ESPTCP_DIR_IN : ESPTCP_DIR_OUT) == 0 &&
		   nla_put_u32(msg, ESPTCP_A_BINDING_SPI, spi) == 0 &&
		   nla_put(msg, ESPTCP_A_BINDING_DADDR, addr.len, addr.ptr) == 0;
}

METHOD(esptcp_netlink_t, check, bool,
	private_esptcp_netlink_t *this)
{
	bool found;

	this->mutex->lock(this->mutex);
	found = find_family(this);
	this->mutex->unlock(this->mutex);
	return found;
}

METHOD(esptcp_netlink_t, attach, bool,
	private_esptcp_netlink_t *this, int fd, bool originator, uint32_t *id)
{
	answer_t answer = {};
	struct nl_msg *msg = NULL;
	int error = ENOMEM, role;
	bool complete;

	role = originator ? ESPTCP_ROLE_ORIGINATOR : ESPTCP_ROLE_RESPONDER;
	this->mutex->lock(this->mutex);
	if (find_family(this))
	{
		msg = request_create(this, ESPTCP_CMD_ATTACH);
	}
	if (msg)
	{
		complete = nla_put_u32(msg, ESPTCP_A_CONN_FD, fd) == 0 &&
				   nla_put_u32(msg, ESPTCP_A_CONN_ROLE, role) == 0;
		error = request_send(this, msg, complete, &answer);
		if (error)
		{
			DBG1(DBG_KNL, "esptcp: attaching a TCP connection failed: %s",
				 reason(&answer, error));
		}
	}
	this->mutex->unlock(this->mutex);
	*id = answer.id;
	return !error;
}

METHOD(esptcp_netlink_t, set_framing, bool,
	private_esptcp_netlink_t *this, uint32_t id, esptcp_framing_t *framing)
{
	answer_t answer = {};
	struct nl_msg *msg;
	int error = ENOMEM;
	bool complete;

	this->mutex->lock(this->mutex);
	msg = request_create(this, ESPTCP_CMD_CONN_SET);
	if (msg)
	{
		complete = nla_put_u32(msg, ESPTCP_A_CONN_ID, id) == 0 &&
				   esptcp_framing_put(framing, msg);
		error = request_send(this, msg, complete, &answer);
		if (error)
		{
			DBG1(DBG_KNL, "esptcp: the fortinet framing of TCP connection %u "
				 "failed: %s", id, reason(&answer, error));
		}
	}
	this->mutex->unlock(this->mutex);
	return !error;
}

METHOD(esptcp_netlink_t, bind_, bool,
	private_esptcp_netlink_t *this, uint32_t id, uint32_t spi, host_t *dst,
	bool inbound)
{
	answer_t answer = {};
	struct nl_msg *msg;
	int error = ENOMEM;
	bool complete;

	this->mutex->lock(this->mutex);
	msg = request_create(this, ESPTCP_CMD_BIND);
	if (msg)
	{
		complete = nla_put_u32(msg, ESPTCP_A_BINDING_CONN_ID, id) == 0 &&
				   add_sa(msg, spi, dst, inbound);
		error = request_send(this, msg, complete, &answer);
		if (error)
		{
			DBG1(DBG_KNL, "esptcp: binding SPI %.8x to TCP connection %u "
				 "failed: %s", ntohl(spi), id, reason(&answer, error));
		}
	}
	this->mutex->unlock(this->mutex);
	return !error;
}

METHOD(esptcp_netlink_t, unbind, void,
	private_esptcp_netlink_t *this, uint32_t spi, host_t *dst, bool inbound)
{
	answer_t answer = {};
	struct nl_msg *msg;
	int error;

	this->mutex->lock(this->mutex);
	msg = request_create(this, ESPTCP_CMD_UNBIND);
	if (msg)
	{
		error = request_send(this, msg, add_sa(msg, spi, dst, inbound), &answer);
		if (error && error != ENOENT)
		{
			DBG1(DBG_KNL, "esptcp: unbinding SPI %.8x failed: %s", ntohl(spi),
				 reason(&answer, error));
		}
	}
	this->mutex->unlock(this->mutex);
}

METHOD(esptcp_netlink_t, destroy, void,
	private_esptcp_netlink_t *this)
{
	nl_socket_free(this->sock);
	this->mutex->destroy(this->mutex);
	free(this);
}

/*
 * Described in header
 */
esptcp_netlink_t *esptcp_netlink_create()
{
	private_esptcp_netlink_t *this;

	INIT(this,
		.public = {
			.check = _check,
			.attach = _attach,
			.set_framing = _set_framing,
			.bind = _bind_,
			.unbind = _unbind,
			.destroy = _destroy,
		},
		.mutex = mutex_create(MUTEX_TYPE_DEFAULT),
	);

	if (!open_socket(this))
	{
		destroy(this);
		return NULL;
	}
	return &this->public;
}
