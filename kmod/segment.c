// SPDX-License-Identifier: GPL-2.0
/*
 * Segments of the fortinet framing: what the TCP header in front of an ESP
 * packet says, as the connection's profile wants it.
 *
 * The numbers are made from those of the IKE connection beside, which are
 * read without its lock: they may be a moment old, as they would be on a
 * packet that was on its way for that moment. No sequence number that we
 * choose ourselves lies in the peer's window: a peer that does not know the
 * framing sees old data, which costs its stream nothing.
 */
#include <net/tcp.h>

#include "segment.h"

static unsigned int prefix_size(const struct esptcp_conn *conn)
{
	return conn->segments.profile.length_prefix ? sizeof(__be16) : 0;
}

/* Data below this was acknowledged, and a segment of the path's MTU fits. */
static u32 base_seq(const struct sock *sk)
{
	return READ_ONCE(tcp_sk(sk)->snd_una) -
	       READ_ONCE(inet_csk(sk)->icsk_pmtu_cookie);
}

static u32 base_ack(const struct sock *sk)
{
	return READ_ONCE(tcp_sk(sk)->rcv_nxt);
}

/* The next part of what lies below base_seq(), within the peer's window. */
static u32 advancing_seq(struct esptcp_conn *conn, unsigned int len)
{
	u32 span = max(READ_ONCE(tcp_sk(conn->sk)->max_window) / 2, 1U);
	u32 sent = atomic_fetch_add(len, &conn->segments.sent);

	return base_seq(conn->sk) - span + sent % span;
}

/* Nobody has verified what @peer_end says: it has to make sense. */
static u32 advancing_ack(const struct esptcp_conn *conn)
{
	u32 end = READ_ONCE(conn->segments.peer_end);
	u32 ack = base_ack(conn->sk);
	u32 room = READ_ONCE(tcp_sk(conn->sk)->rcv_wnd) + U16_MAX;

	return ack - end <= room ? end : ack;
}

static u32 policy_seq(struct esptcp_conn *conn, const struct esptcp_binding *b,
		      unsigned int len)
{
	const struct esptcp_segments *seg = &conn->segments;

	switch (seg->profile.seq) {
	case ESPTCP_POLICY_FIXED:
		return seg->seq;
	case ESPTCP_POLICY_SA:
		return READ_ONCE(b->seq);
	case ESPTCP_POLICY_ADVANCING:
		return advancing_seq(conn, len);
	default:
		return base_seq(conn->sk);
	}
}

/* The path's MTU may have grown since the number was taken. */
static u32 segment_seq(struct esptcp_conn *conn,
		       const struct esptcp_binding *b, unsigned int len)
{
	u32 seq, una;

	if (conn->segments.profile.has_seq_value)
		return conn->segments.profile.seq_value;
	seq = policy_seq(conn, b, len);
	una = READ_ONCE(tcp_sk(conn->sk)->snd_una);
	return after(seq + len, una) ? una - len : seq;
}

static u32 segment_ack(const struct esptcp_conn *conn,
		       const struct esptcp_binding *b)
{
	const struct esptcp_segments *seg = &conn->segments;

	switch (seg->profile.ack) {
	case ESPTCP_POLICY_FIXED:
		return seg->profile.has_ack_value ? seg->profile.ack_value :
						    seg->ack;
	case ESPTCP_POLICY_SA:
		return READ_ONCE(b->ack);
	case ESPTCP_POLICY_ADVANCING:
		return advancing_ack(conn);
	default:
		return base_ack(conn->sk);
	}
}

static u16 segment_window(const struct esptcp_conn *conn)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);

	if (conn->segments.profile.has_window)
		return conn->segments.profile.window;
	return min_t(u32, READ_ONCE(tp->rcv_wnd) >> tp->rx_opt.rcv_wscale,
		     U16_MAX);
}

static bool has_timestamps(const struct esptcp_conn *conn)
{
	return conn->segments.profile.timestamps &&
	       tcp_sk(conn->sk)->rx_opt.tstamp_ok;
}

static void put_timestamps(const struct esptcp_conn *conn, __be32 *option)
{
	const struct tcp_sock *tp = tcp_sk(conn->sk);

	option[0] = htonl(TCPOPT_NOP << 24 | TCPOPT_NOP << 16 |
			  TCPOPT_TIMESTAMP << 8 | TCPOLEN_TIMESTAMP);
	option[1] = htonl(esptcp_compat_tcp_now(tp) + tp->tsoffset);
	option[2] = htonl(READ_ONCE(tp->rx_opt.ts_recent));
}

/**
 * esptcp_segment_init() - prepare a connection for segments
 * @conn: the connection, which has its profile, and whose socket the caller
 *	has locked
 *
 * What it allocates is freed with the connection.
 *
 * Return: 0 or -ENOMEM
 */
int esptcp_segment_init(struct esptcp_conn *conn)
{
	struct esptcp_segments *seg = &conn->segments;

	seg->overhead = sizeof(struct tcphdr) +
			(has_timestamps(conn) ? TCPOLEN_TSTAMP_ALIGNED : 0) +
			prefix_size(conn);
	seg->seq = base_seq(conn->sk);
	seg->ack = base_ack(conn->sk);
	seg->mtu = inet_csk(conn->sk)->icsk_pmtu_cookie;
	/* An attempt that failed behind this may have left one. */
	return seg->route.cache ? 0 :
				  dst_cache_init(&seg->route, GFP_KERNEL_ACCOUNT);
}

/**
 * esptcp_segment_bind() - take the numbers for the policy sa
 * @b: the binding, under esptcp_net.lock
 * @conn: the connection to which it moves
 */
void esptcp_segment_bind(struct esptcp_binding *b,
			 const struct esptcp_conn *conn)
{
	WRITE_ONCE(b->seq, base_seq(conn->sk));
	WRITE_ONCE(b->ack, base_ack(conn->sk));
}

/**
 * esptcp_segment_told_apart() - whether IKE is told from ESP without its SPI
 * @conn: the connection
 *
 * Return: true if a segment of the stream is always recognised as such,
 *	whatever it holds
 */
bool esptcp_segment_told_apart(const struct esptcp_conn *conn)
{
	const struct esptcp_profile *profile = &conn->segments.profile;

	return !profile->timestamps && tcp_sk(conn->sk)->rx_opt.tstamp_ok;
}

/**
 * esptcp_segment_spi_like_ike() - whether an SPI can be mistaken for IKE
 * @spi: the SPI
 *
 * In the stream, IKE begins with its length and two octets of the marker.
 *
 * Return: true if it looks like that
 */
bool esptcp_segment_spi_like_ike(__be32 spi)
{
	return !(ntohl(spi) & U16_MAX);
}

/**
 * esptcp_segment_header() - write the TCP header, options and length prefix
 * @conn: the connection
 * @b: the SA's binding
 * @th: where to, esptcp_segments.overhead octets; the checksum is left 0
 * @esp_len: octets of the ESP packet
 */
void esptcp_segment_header(struct esptcp_conn *conn,
			   const struct esptcp_binding *b,
			   struct tcphdr *th, unsigned int esp_len)
{
	struct esptcp_segments *seg = &conn->segments;
	unsigned int prefix = prefix_size(conn);
	unsigned int size = seg->overhead - prefix;
	u32 seq = segment_seq(conn, b, prefix + esp_len);
	__be16 len = htons(prefix + esp_len);

	if (READ_ONCE(seg->last_seq) != seq)
		WRITE_ONCE(seg->last_seq, seq);
	memset(th, 0, sizeof(*th));
	th->source = seg->tuple.local_port;
	th->dest = seg->tuple.remote_port;
	th->seq = htonl(seq);
	th->ack_seq = htonl(segment_ack(conn, b));
	th->doff = size / 4;
	((u8 *)th)[13] = seg->profile.flags;
	th->window = htons(segment_window(conn));
	if (size > sizeof(*th))
		put_timestamps(conn, (__be32 *)(th + 1));
	if (prefix)
		memcpy((u8 *)th + size, &len, sizeof(len));
}
