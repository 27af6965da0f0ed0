// SPDX-License-Identifier: GPL-2.0
/*
 * Parses captured packets: the link layer, IPv4 or IPv6, and TCP. Called by
 * the capture's reader. What is read may be anything: every access is checked.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include <pcap/pcap.h>

#include "lib/memory.h"
#include "segment.h"

/* Two numbers that <net/ethernet.h> lacks */
#define ETHERTYPE_QINQ	0x88a8
#define ETHERTYPE_PPPOE	0x8864

#define MAX_TAGS	4
#define MAX_EXTENSIONS	8

/* Devices take larger packets than IP's to make segments of, but none so large. */
#define LARGEST_SEGMENT	(512 * 1024)

/**
 * struct view - the part of a packet that has not been parsed
 * @data: where it begins
 * @captured: octets that the capture has
 * @length: octets that it had on the wire
 */
struct view {
	const __u8 *data;
	__u32 captured;
	__u32 length;
};

static __u16 get16(const __u8 *data)
{
	return data[0] << 8 | data[1];
}

static __u32 get32(const __u8 *data)
{
	return (__u32)get16(data) << 16 | get16(data + 2);
}

static bool skip(struct view *view, __u32 octets)
{
	if (view->captured < octets)
		return false;
	view->data += octets;
	view->captured -= octets;
	view->length -= octets;

	return true;
}

/* The IP packet says where it ends; Ethernet may have added padding. */
static void limit(struct view *view, __u32 length)
{
	if (view->length > length)
		view->length = length;
	if (view->captured > length)
		view->captured = length;
}

/* Headers of the link layer: how long each is, and where it has the type of
 * what follows; -1 if it is IP whatever comes.
 */
static const struct {
	int link;
	__u32 length;
	int type;
} links[] = {
	{ DLT_EN10MB, 14, 12 },
	{ DLT_LINUX_SLL, 16, 14 },
	{ DLT_LINUX_SLL2, 20, 0 },
	{ DLT_NULL, 4, -1 },
	{ DLT_LOOP, 4, -1 },
	{ DLT_RAW, 0, -1 },
	{ DLT_IPV4, 0, -1 },
	{ DLT_IPV6, 0, -1 },
};

static int find_link(int link)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(links); i++) {
		if (links[i].link == link)
			return i;
	}

	return -1;
}

/**
 * segment_knows_link() - see whether packets of a link layer can be parsed
 * @link: one of libpcap's DLT_...
 *
 * Return: true if they can
 */
bool segment_knows_link(int link)
{
	return find_link(link) >= 0;
}

/* VLAN tags and PPPoE stand between Ethernet and IP. */
static enum segment_is skip_tags(struct view *view, __u16 type)
{
	int tags;

	for (tags = 0; tags < MAX_TAGS; tags++) {
		switch (type) {
		case ETHERTYPE_IP:
		case ETHERTYPE_IPV6:
			return SEGMENT_IS_TCP;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
			if (view->captured < 4)
				return SEGMENT_IS_CUT;
			type = get16(view->data + 2);
			skip(view, 4);
			break;
		case ETHERTYPE_PPPOE:
			if (view->captured < 8)
				return SEGMENT_IS_CUT;
			type = get16(view->data + 6);
			skip(view, 8);
			/* PPP's numbers of IPv4 and IPv6 */
			type = type == 0x21 ? ETHERTYPE_IP :
				type == 0x57 ? ETHERTYPE_IPV6 : 0;
			break;
		default:
			return SEGMENT_IS_OTHER;
		}
	}

	return SEGMENT_IS_OTHER;
}

static enum segment_is skip_link(struct view *view, int link)
{
	int i = find_link(link);
	const __u8 *header = view->data;

	if (i < 0)
		return SEGMENT_IS_OTHER;
	if (!skip(view, links[i].length))
		return SEGMENT_IS_CUT;
	if (links[i].type < 0)
		return SEGMENT_IS_TCP;

	return skip_tags(view, get16(header + links[i].type));
}

static void set_addresses(struct segment *segment, const __u8 *data, __u8 len)
{
	segment->from.len = len;
	segment->to.len = len;
	memcpy(segment->from.octets, data, len);
	memcpy(segment->to.octets, data + len, len);
}

static enum segment_is parse_ipv4(struct segment *segment, struct view *view)
{
	const __u8 *header = view->data;
	__u32 header_length, length;

	if (view->captured < 20)
		return SEGMENT_IS_CUT;
	header_length = (header[0] & 0x0f) * 4;
	/* 0 where the device makes segments out of what is captured here */
	length = get16(header + 2);
	if (!length)
		length = view->length;
	if (header_length < 20 || length < header_length)
		return SEGMENT_IS_OTHER;
	limit(view, length);
	if (header[9] != IPPROTO_TCP)
		return SEGMENT_IS_OTHER;
	/* more fragments follow, or this is not the first one */
	if (get16(header + 6) & 0x3fff)
		return SEGMENT_IS_FRAGMENT;

	segment->packet = view->length;
	segment->traffic_class = header[1];
	segment->dont_fragment = header[6] & 0x40;
	set_addresses(segment, header + 12, 4);

	return skip(view, header_length) ? SEGMENT_IS_TCP : SEGMENT_IS_CUT;
}

static enum segment_is skip_extensions(struct view *view, __u8 next)
{
	int extensions;

	for (extensions = 0; extensions < MAX_EXTENSIONS; extensions++) {
		switch (next) {
		case IPPROTO_TCP:
			return SEGMENT_IS_TCP;
		case IPPROTO_FRAGMENT:
			return SEGMENT_IS_FRAGMENT;
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			if (view->captured < 2)
				return SEGMENT_IS_CUT;
			next = view->data[0];
			if (!skip(view, (view->data[1] + 1) * 8))
				return SEGMENT_IS_CUT;
			break;
		default:
			return SEGMENT_IS_OTHER;
		}
	}

	return SEGMENT_IS_OTHER;
}

static enum segment_is parse_ipv6(struct segment *segment, struct view *view)
{
	const __u8 *header = view->data;
	__u32 length;

	if (view->captured < 40)
		return SEGMENT_IS_CUT;
	length = get16(header + 4);
	if (length)
		limit(view, 40 + length);
	segment->packet = view->length;
	segment->traffic_class = get16(header) >> 4;
	segment->dont_fragment = true;
	set_addresses(segment, header + 8, 16);
	skip(view, 40);

	return skip_extensions(view, header[6]);
}

/* The kinds of TCP options, a bit for each */
static __u64 option_kinds(const __u8 *option, __u32 length)
{
	__u64 kinds = 0;

	while (length && option[0] != TCPOPT_EOL) {
		__u32 size = 1;

		if (option[0] != TCPOPT_NOP) {
			if (length < 2 || option[1] < 2 || option[1] > length)
				return kinds;
			kinds |= 1ULL << (option[0] < 63 ? option[0] : 63);
			size = option[1];
		}
		option += size;
		length -= size;
	}

	return kinds;
}

static enum segment_is parse_tcp(struct segment *segment, struct view *view)
{
	const __u8 *header = view->data;
	__u32 length;

	if (view->captured < 20)
		return view->length < 20 ? SEGMENT_IS_OTHER : SEGMENT_IS_CUT;
	length = (header[12] >> 4) * 4;
	if (length < 20 || length > view->length ||
	    view->length > LARGEST_SEGMENT)
		return SEGMENT_IS_OTHER;
	segment->from_port = get16(header);
	segment->to_port = get16(header + 2);
	segment->seq = get32(header + 4);
	segment->ack = get32(header + 8);
	segment->flags = header[13];
	segment->window = get16(header + 14);
	if (!skip(view, length))
		return SEGMENT_IS_CUT;
	segment->options = option_kinds(header + 20, length - 20);
	segment->timestamps = segment->options & 1ULL << TCPOPT_TIMESTAMP;
	segment->options &= ~(1ULL << TCPOPT_TIMESTAMP);
	segment->payload = view->data;
	segment->captured = view->captured;
	segment->length = view->length;

	return SEGMENT_IS_TCP;
}

/**
 * segment_parse() - find the TCP segment in a captured packet
 * @segment: filled; its payload points into @data
 * @link: link layer, one of libpcap's DLT_...
 * @data: the packet
 * @captured: octets of @data
 * @length: octets that the packet had on the wire
 *
 * Return: what it is; @segment is valid for SEGMENT_IS_TCP only
 */
enum segment_is segment_parse(struct segment *segment, int link,
			      const __u8 *data, __u32 captured, __u32 length)
{
	struct view view = { data, captured, length };
	enum segment_is is;

	/* who wrote the file may have written nonsense */
	limit(&view, length);
	memset(segment, 0, sizeof(*segment));
	is = skip_link(&view, link);
	if (is != SEGMENT_IS_TCP)
		return is;
	if (!view.captured)
		return SEGMENT_IS_CUT;
	switch (view.data[0] >> 4) {
	case 4:
		is = parse_ipv4(segment, &view);
		break;
	case 6:
		is = parse_ipv6(segment, &view);
		break;
	default:
		return SEGMENT_IS_OTHER;
	}

	return is == SEGMENT_IS_TCP ? parse_tcp(segment, &view) : is;
}
