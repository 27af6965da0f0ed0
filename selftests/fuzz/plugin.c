/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What peers send to the plugin: the stream prefix, and IKE messages on their
 * way through outbox, inbox and queue to charon, up to what we change in them.
 *
 * The first octet of the input says what is tried; each message stands behind
 * its length in two octets, the higher one first. There is no module: a pair of
 * sockets that keep messages apart is what an attached socket is.
 */
#include <assert.h>
#include <sys/socket.h>
#include <sys/ioctl.h>

#include <daemon.h>

#include "esptcp_inbox.h"
#include "esptcp_message.h"
#include "esptcp_outbox.h"
#include "esptcp_prefix.h"
#include "esptcp_queue.h"
#include "fuzz.h"

/** What the first octet means */
#define TRY_PREFIX 0x01
#define IKE_PORT 0x02
#define CHARON_SENDS 0x04

/** As many as an inbox reads at once, so that one call reads all */
#define MAX_MESSAGES 16

/** Number of the connection */
#define ID 7

/** A marker, SPIs, next payload: then comes the version */
#define VERSION_OFFSET (4 + 8 + 8 + 1)

static host_t *local[2], *remote;

/**
 * Prefix in pieces of up to three octets: each octet is looked at as it comes,
 * and none behind the prefix is taken.
 */
static void try_prefix(chunk_t stream)
{
	static const char want[] = "IKETCP";
	esptcp_prefix_t prefix = {};
	status_t status = NEED_MORE, expected;
	size_t at = 0, given = 0, taken, piece;
	int fds[2], left;

	assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	stream.len = min(stream.len, 64);
	while (given < stream.len && status == NEED_MORE)
	{
		piece = min(1 + stream.ptr[given] % 3, stream.len - given);
		assert(send(fds[1], stream.ptr + given, piece, 0) == piece);
		given += piece;
		taken = min(given, 6);
		expected = memeq(stream.ptr, want, taken) ?
						taken == 6 ? SUCCESS : NEED_MORE : PARSE_ERROR;
		status = esptcp_prefix_read(&prefix, fds[0]);
		assert(status == expected);
		assert(ioctl(fds[0], FIONREAD, &left) == 0);
		assert(left == given - taken);
		at = taken;
	}
	assert(prefix.len == at);
	close(fds[1]);
	close(fds[0]);
}

/**
 * Take the next message.
 */
static bool take(chunk_t *input, chunk_t *message)
{
	size_t len;

	if (input->len < 2)
	{
		return FALSE;
	}
	len = untoh16(input->ptr);
	*input = chunk_skip(*input, 2);
	*message = chunk_create(input->ptr, min(len, input->len));
	*input = chunk_skip(*input, message->len);
	return TRUE;
}

/**
 * What the plugin does with a message that charon has parsed.
 */
static void handle(packet_t *packet)
{
	message_t *message;

	message = message_create_from_packet(packet);
	if (message->parse_header(message) == SUCCESS)
	{
		assert(esptcp_message_get_origin(message) == ID);
		esptcp_message_is_initial(message);
		if (message->get_exchange_type(message) == IKE_SA_INIT &&
			message->parse_body(message, NULL) == SUCCESS)
		{
			esptcp_message_forget_fragmentation(message);
			assert(!message->get_notify(message, FRAGMENTATION_SUPPORTED));
		}
		esptcp_message_ignore(message);
	}
	message->destroy(message);
}

/**
 * Check that the next packet in the queue is this message: with the marker
 * unless it is from charon's IKE port.
 */
static void expect(esptcp_queue_t *queue, chunk_t message, bool ike_port)
{
	packet_t *packet;

	packet = queue->get(queue);
	assert(chunk_equals(packet->get_data(packet),
						ike_port ? chunk_skip(message, 4) : message));
	handle(packet);
}

/**
 * Let charon send messages before those of the peer come.
 */
static void fill_outbox(esptcp_outbox_t *outbox, chunk_t *input, int fd,
						bool ike_port)
{
	chunk_t message;
	int i;

	for (i = 0; i < 4 && take(input, &message); i++)
	{
		outbox->add(outbox, packet_create_from_data(
							local[ike_port]->clone(local[ike_port]),
							remote->clone(remote), chunk_clone(message)));
		if (i == 2)
		{
			outbox->rewind(outbox);
		}
		outbox->flush(outbox, fd);
	}
}

/**
 * Let the peer's messages through.
 */
static void try_messages(chunk_t input, bool ike_port, bool charon_sends)
{
	esptcp_outbox_t *outbox;
	esptcp_inbox_t *inbox;
	esptcp_queue_t *queue;
	chunk_t message[MAX_MESSAGES];
	int fds[2], count = 0, i;
	packet_t *packet;

	assert(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	queue = esptcp_queue_create();
	outbox = esptcp_outbox_create();
	inbox = esptcp_inbox_create(ID, remote, queue);
	if (charon_sends)
	{
		fill_outbox(outbox, &input, fds[0], ike_port);
	}
	while (count < MAX_MESSAGES - 1 && take(&input, &message[count]))
	{	/* the module passes on what has a header of IKE */
		if (message[count].len >= 32)
		{
			assert(send(fds[1], message[count].ptr, message[count].len,
						MSG_DONTWAIT) == message[count].len);
			count++;
		}
	}
	assert(inbox->fill(inbox, fds[0], local[ike_port], outbox) == SUCCESS);
	for (i = 0; i < count; i++)
	{
		if (message[i].ptr[VERSION_OFFSET] >> 4 != 1)
		{
			expect(queue, message[i], ike_port);
		}
	}
	while ((packet = outbox->take(outbox)))
	{
		inbox->is_answer(inbox, packet, local[ike_port]);
		packet->destroy(packet);
	}
	inbox->destroy(inbox);
	outbox->destroy(outbox);
	queue->destroy(queue);
	close(fds[1]);
	close(fds[0]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	dbg_default_set_level(-1);
	library_init(NULL, "charon");
	libcharon_init();
	local[0] = host_create_from_string("192.0.2.1", 4500);
	local[1] = host_create_from_string("192.0.2.1", 500);
	remote = host_create_from_string("192.0.2.2", 4500);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t len)
{
	chunk_t input = chunk_create((u_char*)octets, len);
	uint8_t what;

	if (len)
	{
		what = *input.ptr;
		input = chunk_skip(input, 1);
		if (what & TRY_PREFIX)
		{
			try_prefix(input);
		}
		else
		{
			try_messages(input, what & IKE_PORT, what & CHARON_SENDS);
		}
	}
	return 0;
}
