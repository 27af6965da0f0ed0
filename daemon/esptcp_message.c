/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "esptcp_message.h"
#include "esptcp_queue.h"

#include <daemon.h>
#include <encoding/payloads/notify_payload.h>

/*
 * Described in header
 */
void esptcp_message_set_transport(message_t *message, int id)
{
	message->set_metadata(message, ESPTCP_METADATA,
						  lib->metadata->create(lib->metadata,
												METADATA_TYPE_INT, id));
}

/*
 * Described in header
 */
int esptcp_message_get_origin(message_t *message)
{
	metadata_t *metadata;
	int id = ESPTCP_UDP;

	metadata = message->get_metadata(message, ESPTCP_METADATA);
	if (metadata)
	{
		metadata->get(metadata, &id);
	}
	return id;
}

/*
 * Described in header
 */
bool esptcp_message_is_initial(message_t *message)
{
	switch (message->get_exchange_type(message))
	{
		case IKE_SA_INIT:
			return message->get_request(message);
		case ID_PROT:
		case AGGRESSIVE:
			return message->get_responder_spi(message) == 0;
		default:
			return FALSE;
	}
}

/**
 * Replace the hash in a NAT detection notify:
 * SHA1(SPIi | SPIr | address | port) of a host.
 */
static void set_natd_hash(message_t *message, notify_type_t type, host_t *host)
{
	notify_payload_t *notify;
	hasher_t *hasher;
	uint64_t spi_i, spi_r;
	uint16_t port;
	chunk_t data, hash;

	notify = message->get_notify(message, type);
	if (!notify)
	{
		return;
	}
	hasher = lib->crypto->create_hasher(lib->crypto, HASH_SHA1);
	if (!hasher)
	{
		return;
	}
	spi_i = message->get_initiator_spi(message);
	spi_r = message->get_responder_spi(message);
	port = htons(host->get_port(host));
	data = chunk_cata("cccc", chunk_from_thing(spi_i), chunk_from_thing(spi_r),
					  host->get_address(host), chunk_from_thing(port));
	if (hasher->allocate_hash(hasher, data, &hash))
	{
		notify->set_notification_data(notify, hash);
		chunk_free(&hash);
	}
	hasher->destroy(hasher);
}

/*
 * Described in header
 */
void esptcp_message_set_hosts(message_t *message, ike_sa_t *ike_sa,
							  esptcp_connection_t *connection)
{
	host_t *local, *remote;

	local = connection->get_local(connection);
	remote = connection->get_remote(connection);
	ike_sa->set_my_host(ike_sa, local->clone(local));
	ike_sa->set_other_host(ike_sa, remote->clone(remote));
	message->set_destination(message, remote->clone(remote));
	set_natd_hash(message, NAT_DETECTION_SOURCE_IP, local);
	set_natd_hash(message, NAT_DETECTION_DESTINATION_IP, remote);
	message->set_source(message, local);
}

/*
 * Described in header
 */
void esptcp_message_forget_fragmentation(message_t *message)
{
	notify_payload_t *notify;
	enumerator_t *enumerator;
	payload_t *payload;

	enumerator = message->create_payload_enumerator(message);
	while (enumerator->enumerate(enumerator, &payload))
	{
		if (payload->get_type(payload) != PLV2_NOTIFY)
		{
			continue;
		}
		notify = (notify_payload_t*)payload;
		if (notify->get_notify_type(notify) == FRAGMENTATION_SUPPORTED)
		{
			message->remove_payload_at(message, enumerator);
			payload->destroy(payload);
		}
	}
	enumerator->destroy(enumerator);
}

/*
 * Described in header
 */
void esptcp_message_ignore(message_t *message)
{
	message->set_exchange_type(message, EXCHANGE_TYPE_UNDEFINED);
}
