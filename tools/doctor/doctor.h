/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What doctor knows and has found out. Each file examines what its name says.
 */
#ifndef ESPTCP_DOCTOR_H
#define ESPTCP_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/snapshot.h"

#define EXAMINED_PORTS	16

enum verdict {
	VERDICT_OK,
	VERDICT_SKIPPED,
	VERDICT_WARNING,
	VERDICT_PROBLEM,
};

/**
 * struct finding - a result of an examination
 * @verdict: how bad it is
 * @what: what was examined
 * @text: a sentence without its full stop
 * @remedy: what to do, or NULL
 */
struct finding {
	enum verdict verdict;
	const char *what;
	char *text;
	const char *remedy;
};

/**
 * struct doctor - what is examined, and the findings
 * @port: TCP ports that matter; doctor_port() fills in if the user named none
 * @ports: how many
 * @configured: charon is to listen on them
 * @unset: neither the user nor charon's settings name any
 * @listens: on which of them somebody listens; doctor_port() finds out
 * @alive: the module answers, @snapshot is valid
 * @snapshot: what the module says
 * @finding: findings so far
 * @findings: how many
 */
struct doctor {
	__u32 port[EXAMINED_PORTS];
	size_t ports;
	bool configured;
	bool unset;
	bool listens[EXAMINED_PORTS];
	bool alive;
	struct snapshot snapshot;
	struct finding *finding;
	size_t findings;
};

[[gnu::format(printf, 5, 6)]]
void doctor_add(struct doctor *doctor, enum verdict verdict,
		const char *what, const char *remedy, const char *format, ...);

struct kmod_ctx;

bool module_is_blacklisted(struct kmod_ctx *ctx, const char *name);

void doctor_module(struct doctor *doctor);
void doctor_esp(struct doctor *doctor);
void doctor_port(struct doctor *doctor);
void doctor_firewall(struct doctor *doctor);
void doctor_plugin(struct doctor *doctor);
void doctor_sas(struct doctor *doctor);
void doctor_framing(struct doctor *doctor);
void doctor_device(struct doctor *doctor);
void doctor_mtu(struct doctor *doctor);
void doctor_tcp(struct doctor *doctor);
void doctor_drops(struct doctor *doctor);

#endif /* ESPTCP_DOCTOR_H */
