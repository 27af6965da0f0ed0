/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages and frames with a content that can be told again, the stream that
 * a peer writes, and what arrives at either end.
 *
 * What arrives is compared here; a difference is described on the standard
 * error and gives a non-zero result.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#define MAX_FRAME	65535
#define MAX_MESSAGE	(MAX_FRAME - 2)
#define MIN_IKE		32

/* Octets that a peer will write. */
struct stream {
	uint8_t *octets;
	size_t len;
};

void fill_ike(uint8_t *message, size_t len, unsigned int seed);

void add_octets(struct stream *s, const void *octets, size_t len);
void add_ike(struct stream *s, size_t len, unsigned int seed);
void add_esp(struct stream *s, size_t len, uint32_t spi);
void add_empty(struct stream *s);
void add_keepalive(struct stream *s);
void stream_free(struct stream *s);

int write_octets(int fd, const void *octets, size_t len);
int write_stream(int fd, struct stream *s);
int write_ike(int fd, size_t len, unsigned int seed);
int write_esp(int fd, size_t len, uint32_t spi);

int send_ike(int fd, size_t len, unsigned int seed, int flags);
int flood_ike(int fd, size_t len);
int expect_ike(int fd, size_t len, unsigned int seed);
int expect_wire(int fd, size_t len, unsigned int seed);
int expect_silence(int fd);
int expect_end(int fd);

#endif /* FRAME_H */
