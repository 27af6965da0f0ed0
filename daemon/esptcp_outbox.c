/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_outbox.h"

#include <collections/linked_list.h>
#include <encoding/message.h>

#include <errno.h>
#include <sys/socket.h>

/** Messages that may be in an outbox */
#define MAX_MESSAGES 64

/** Retransmissions that are not sent, as TCP retransmits by itself */
#define IN_VAIN 1

/** Flags in an IKE header */
#define FLAG_INITIATOR 0x08
#define FLAG_RESPONSE 0x20

typedef struct private_esptcp_outbox_t private_esptcp_outbox_t;
typedef struct header_t header_t;
typedef struct entry_t entry_t;

/**
 * Private data of an esptcp_outbox_t object.
 */
struct private_esptcp_outbox_t {

	/**
	 * Public esptcp_outbox_t interface.
	 */
	esptcp_outbox_t public;

	/**
	 * Messages as entry_t, in the order they were added
	 */
	linked_list_t *entries;
};

/**
 * Start of an IKE message over TCP, behind the length.
 */
struct header_t {
	/** non-ESP marker */
	uint32_t marker;
	/** SPIs */
	uint64_t spi_i, spi_r;
	/** first payload */
	uint8_t next_payload;
	/** major and minor version */
	uint8_t version;
	/** type of the exchange */
	uint8_t exchange;
	/** flags */
	uint8_t flags;
	/** message ID */
	uint32_t mid;
} __attribute__((packed));

/**
 * A message.
 */
struct entry_t {
	/** the message */
	packet_t *packet;
	/** its header */
	header_t header;
	/** TRUE if it is a request that was sent */
	bool sent;
	/** how often charon has retransmitted it since */
	u_int repeated;
};

/**
 * Destroy an entry.
 */
static void entry_destroy(entry_t *this)
{
	this->packet->destroy(this->packet);
	free(this);
}

/**
 * Read the header of a message.
 */
static bool read_header(chunk_t message, header_t *header)
{
	if (message.len < sizeof(*header))
	{
		return FALSE;
	}
	memcpy(header, message.ptr, sizeof(*header));
	return TRUE;
}

/**
 * Check if a message is a request.
 */
static bool is_request(header_t *header)
{
	return !(header->flags & FLAG_RESPONSE);
}

/**
 * Check if a new request takes the place of an old one, as an IKE_SA waits for
 * one answer at a time. An IKE_SA that begins anew does so with another SPI.
 */
static bool supersedes(header_t *new, header_t *old)
{
	if (!is_request(new) || !is_request(old))
	{
		return FALSE;
	}
	if (new->exchange == IKE_SA_INIT && old->exchange == IKE_SA_INIT)
	{
		return TRUE;
	}
	return new->spi_i == old->spi_i && new->mid != old->mid &&
		   (new->flags & FLAG_INITIATOR) == (old->flags & FLAG_INITIATOR);
}

METHOD(esptcp_outbox_t, add, bool,
	private_esptcp_outbox_t *this, packet_t *packet)
{
	enumerator_t *enumerator;
	entry_t *current, *entry;
	header_t header = {};
	bool known = FALSE;

	read_header(packet->get_data(packet), &header);
	enumerator = this->entries->create_enumerator(this->entries);
	while (enumerator->enumerate(enumerator, &current))
	{
		if (chunk_equals(packet->get_data(packet),
						 current->packet->get_data(current->packet)))
		{
			known = TRUE;
			if (current->sent && ++current->repeated > IN_VAIN)
			{
				current->sent = FALSE;
			}
		}
		else if (supersedes(&header, &current->header))
		{
			this->entries->remove_at(this->entries, enumerator);
			entry_destroy(current);
		}
	}
	enumerator->destroy(enumerator);
	if (known || this->entries->get_count(this->entries) >= MAX_MESSAGES)
	{
		packet->destroy(packet);
		return known;
	}
	INIT(entry,
		.packet = packet,
		.header = header,
	);
	this->entries->insert_last(this->entries, entry);
	return TRUE;
}

/**
 * Find the first entry that was not sent.
 */
static entry_t *find_unsent(private_esptcp_outbox_t *this)
{
	enumerator_t *enumerator;
	entry_t *entry, *found = NULL;

	enumerator = this->entries->create_enumerator(this->entries);
	while (!found && enumerator->enumerate(enumerator, &entry))
	{
		if (!entry->sent)
		{
			found = entry;
		}
	}
	enumerator->destroy(enumerator);
	return found;
}

/**
 * Note that an entry was sent. This destroys it if nobody is going to answer
 * it.
 */
static void note_sent(private_esptcp_outbox_t *this, entry_t *entry)
{
	if (is_request(&entry->header))
	{
		entry->sent = TRUE;
		return;
	}
	this->entries->remove(this->entries, entry, NULL);
	entry_destroy(entry);
}

METHOD(esptcp_outbox_t, flush, status_t,
	private_esptcp_outbox_t *this, int fd)
{
	entry_t *entry;
	chunk_t data;

	while ((entry = find_unsent(this)))
	{
		data = entry->packet->get_data(entry->packet);
		if (send(fd, data.ptr, data.len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		{
			switch (errno)
			{
				case EAGAIN:
					return NEED_MORE;
				case EINTR:
					continue;
				case EINVAL:
				case EMSGSIZE:
					/* only this message */
					DBG1(DBG_NET, "message of %zu bytes can't be sent over TCP "
						 "to %#H: %s", data.len,
						 entry->packet->get_destination(entry->packet),
						 strerror(errno));
					break;
				default:
					return FAILED;
			}
		}
		note_sent(this, entry);
	}
	return SUCCESS;
}

METHOD(esptcp_outbox_t, answered, void,
	private_esptcp_outbox_t *this, chunk_t message)
{
	enumerator_t *enumerator;
	header_t answer;
	entry_t *entry;

	if (!read_header(message, &answer) || is_request(&answer))
	{
		return;
	}
	enumerator = this->entries->create_enumerator(this->entries);
	while (enumerator->enumerate(enumerator, &entry))
	{
		if (entry->sent && entry->header.spi_i == answer.spi_i &&
			entry->header.mid == answer.mid &&
			(entry->header.flags ^ answer.flags) & FLAG_INITIATOR)
		{
			this->entries->remove_at(this->entries, enumerator);
			entry_destroy(entry);
		}
	}
	enumerator->destroy(enumerator);
}

METHOD(esptcp_outbox_t, rewind_, void,
	private_esptcp_outbox_t *this)
{
	enumerator_t *enumerator;
	entry_t *entry;

	enumerator = this->entries->create_enumerator(this->entries);
	while (enumerator->enumerate(enumerator, &entry))
	{
		if (is_request(&entry->header))
		{
			entry->sent = FALSE;
			entry->repeated = 0;
		}
		else
		{
			this->entries->remove_at(this->entries, enumerator);
			entry_destroy(entry);
		}
	}
	enumerator->destroy(enumerator);
}

METHOD(esptcp_outbox_t, take, packet_t*,
	private_esptcp_outbox_t *this)
{
	packet_t *packet = NULL;
	entry_t *entry;

	if (this->entries->remove_first(this->entries, (void**)&entry) == SUCCESS)
	{
		packet = entry->packet;
		free(entry);
	}
	return packet;
}

METHOD(esptcp_outbox_t, destroy, void,
	private_esptcp_outbox_t *this)
{
	this->entries->destroy_function(this->entries, (void*)entry_destroy);
	free(this);
}

/*
 * Described in header
 */
esptcp_outbox_t *esptcp_outbox_create()
{
	private_esptcp_outbox_t *this;

	INIT(this,
		.public = {
			.add = _add,
			.flush = _flush,
			.answered = _answered,
			.rewind = _rewind_,
			.take = _take,
			.destroy = _destroy,
		},
		.entries = linked_list_create(),
	);

	return &this->public;
}
