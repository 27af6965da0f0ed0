// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the rules of nftables, for doctor; iptables-nft writes such, too.
 */
#include <json-c/json.h>
#include <nftables/libnftables.h>

#include "ruleset.h"

/**
 * ruleset_of_nftables() - read the rules of nftables
 *
 * Return: array of all objects, or NULL
 */
struct json_object *ruleset_of_nftables(void)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	struct json_object *all = NULL, *ruleset = NULL;

	if (!nft)
		return NULL;
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	if (!nft_run_cmd_from_buffer(nft, "list ruleset"))
		all = json_tokener_parse(nft_ctx_get_output_buffer(nft));
	nft_ctx_free(nft);
	if (all && json_object_object_get_ex(all, "nftables", &ruleset))
		json_object_get(ruleset);
	json_object_put(all);

	return ruleset;
}
