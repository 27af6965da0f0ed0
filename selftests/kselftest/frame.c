// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"

static void fill(uint8_t *octets, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		octets[i] = seed * 31 + i * 7 + (i >> 8);
}

/* A non-ESP marker and what the seed makes of the rest. */
void fill_ike(uint8_t *message, size_t len, unsigned int seed)
{
	memset(message, 0, len < 4 ? len : 4);
	if (len > 4)
		fill(message + 4, len - 4, seed);
}

void add_octets(struct stream *s, const void *octets, size_t len)
{
	s->octets = realloc(s->octets, s->len + len);
	if (!s->octets)
		abort();
	memcpy(s->octets + s->len, octets, len);
	s->len += len;
}

static void add_frame(struct stream *s, const uint8_t *message, size_t len)
{
	uint8_t head[2] = { (len + 2) >> 8, (len + 2) & 0xff };

	add_octets(s, head, sizeof(head));
	add_octets(s, message, len);
}

void add_ike(struct stream *s, size_t len, unsigned int seed)
{
	uint8_t message[MAX_MESSAGE];

	fill_ike(message, len, seed);
	add_frame(s, message, len);
}

void add_esp(struct stream *s, size_t len, uint32_t spi)
{
	uint8_t message[MAX_MESSAGE];
	size_t i;

	fill(message, len, spi);
	for (i = 0; i < 4 && i < len; i++)
		message[i] = spi >> (24 - 8 * i);
	add_frame(s, message, len);
}

void add_empty(struct stream *s)
{
	add_frame(s, (const uint8_t *)"", 0);
}

void add_keepalive(struct stream *s)
{
	add_frame(s, (const uint8_t *)"\xff", 1);
}

void stream_free(struct stream *s)
{
	free(s->octets);
	*s = (struct stream){ 0 };
}

int write_octets(int fd, const void *octets, size_t len)
{
	while (len) {
		ssize_t n = send(fd, octets, len, MSG_NOSIGNAL);

		if (n < 0) {
			perror("# the peer cannot write");
			return -1;
		}
		octets = (const uint8_t *)octets + n;
		len -= n;
	}
	return 0;
}

/* Write all of a stream and forget it. */
int write_stream(int fd, struct stream *s)
{
	int err = write_octets(fd, s->octets, s->len);

	stream_free(s);
	return err;
}

int write_ike(int fd, size_t len, unsigned int seed)
{
	struct stream s = { 0 };

	add_ike(&s, len, seed);
	return write_stream(fd, &s);
}

int write_esp(int fd, size_t len, uint32_t spi)
{
	struct stream s = { 0 };

	add_esp(&s, len, spi);
	return write_stream(fd, &s);
}

/* The owner sends a message; 0, or -1 and errno. */
int send_ike(int fd, size_t len, unsigned int seed, int flags)
{
	uint8_t message[MAX_MESSAGE];
	ssize_t n;

	fill_ike(message, len, seed);
	n = send(fd, message, len, flags);
	if (n >= 0 && (size_t)n != len) {
		fprintf(stderr, "# send() took %zd of %zu octets\n", n, len);
		errno = EPROTO;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

/*
 * Send messages with the seeds 0, 1 and so on until no more are taken, not
 * even after some time; how many were. errno says why.
 */
int flood_ike(int fd, size_t len)
{
	int count = 0, before;

	do {
		before = count;
		while (!send_ike(fd, len, count, MSG_DONTWAIT))
			count++;
		if (errno != EAGAIN)
			break;
		usleep(300 * 1000);
	} while (count > before);
	return count;
}

static int compare(const uint8_t *seen, const uint8_t *want, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (seen[i] == want[i])
			continue;
		fprintf(stderr, "# octet %zu of %zu is %02x, not %02x\n",
			i, len, seen[i], want[i]);
		return -1;
	}
	return 0;
}

/* The next message that the owner receives is this one. */
int expect_ike(int fd, size_t len, unsigned int seed)
{
	static uint8_t seen[MAX_MESSAGE + 1], want[MAX_MESSAGE];
	ssize_t n = recv(fd, seen, sizeof(seen), 0);

	if (n < 0 || (size_t)n != len) {
		fprintf(stderr, "# recv() gave %zd (%s), not %zu\n", n,
			n < 0 ? strerror(errno) : "octets", len);
		return -1;
	}
	fill_ike(want, len, seed);
	return compare(seen, want, len);
}

static int read_octets(int fd, uint8_t *octets, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = recv(fd, octets + at, len - at, 0);

		if (n <= 0) {
			fprintf(stderr, "# %zu of %zu octets, then %s\n", at,
				len, n ? strerror(errno) : "the end");
			return -1;
		}
		at += n;
	}
	return 0;
}

/* The next octets that the peer reads are this message's frame. */
int expect_wire(int fd, size_t len, unsigned int seed)
{
	static uint8_t seen[MAX_FRAME];
	struct stream want = { 0 };
	int err;

	add_ike(&want, len, seed);
	err = read_octets(fd, seen, want.len) ||
	      compare(seen, want.octets, want.len);
	stream_free(&want);
	return err;
}

/* Nothing can be read now. */
int expect_silence(int fd)
{
	uint8_t octet;
	ssize_t n = recv(fd, &octet, 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return 0;
	fprintf(stderr, "# recv() gave %zd (%s), not silence\n", n,
		n < 0 ? strerror(errno) : "octets");
	return -1;
}

/* The stream has ended well. */
int expect_end(int fd)
{
	uint8_t octet;
	ssize_t n = recv(fd, &octet, 1, 0);

	if (n == 0)
		return 0;
	fprintf(stderr, "# recv() gave %zd (%s), not the end\n", n,
		n < 0 ? strerror(errno) : "octets");
	return -1;
}
