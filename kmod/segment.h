/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ESPTCP_SEGMENT_H
#define ESPTCP_SEGMENT_H

#include "types.h"

int esptcp_segment_init(struct esptcp_conn *conn);
void esptcp_segment_bind(struct esptcp_binding *b,
			 const struct esptcp_conn *conn);
bool esptcp_segment_told_apart(const struct esptcp_conn *conn);
bool esptcp_segment_spi_like_ike(__be32 spi);
void esptcp_segment_header(struct esptcp_conn *conn,
			   const struct esptcp_binding *b,
			   struct tcphdr *th, unsigned int esp_len);

#endif /* ESPTCP_SEGMENT_H */
