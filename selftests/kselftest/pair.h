/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of connected TCP sockets: the owner's end, which tests attach, and
 * the peer's, a plain socket that writes frames and reads octets.
 *
 * Every test has a network namespace of its own, so that its counters begin
 * at zero and no other test's traffic is in them.
 */
#ifndef PAIR_H
#define PAIR_H

#include <sys/types.h>

/* Which kind of socket the owner has, and whether it connects or accepts. */
enum family {
	IPV4,
	IPV6,
	MAPPED,			/* IPv6 socket, IPv4 address; connects */
	MAPPED_ACCEPTED,	/* the same; accepted by an IPv6 listener */
};

/* Receiving gives up after this, so that a lost message fails its test. */
#define PATIENCE_SECONDS 15

struct pair {
	int owner;
	int peer;
};

int net_enter(void);
int pair_listen(enum family family);
int pair_connect(int listener);
int pair_open(struct pair *p, enum family family);
void pair_close(struct pair *p);
int pair_attach(int fd);

void close_fd(int *fd);
int reset_fd(int *fd);
void set_timeout(int fd, int option, unsigned int ms);
int set_int(int fd, int level, int option, int value);
void blackhole(int fd);
void interrupt_in(unsigned int ms, int flags);

#endif /* PAIR_H */
