/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What doctor found out: by its examinations, each in a file examine_NAME.c.
 */
#ifndef ESPTCP_FINDING_H
#define ESPTCP_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"

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
 * struct patient - what is examined, and the findings
 * @port: TCP ports that matter; examine_ports() fills in if the user named none
 * @ports: how many
 * @configured: charon is to listen on them
 * @unset: neither the user nor charon's settings name any
 * @listens: on which of them somebody listens; examine_ports() finds out
 * @alive: the module answers, @snapshot is valid
 * @snapshot: what the module says
 * @finding: findings so far
 * @findings: how many
 */
struct patient {
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
void finding_add(struct patient *patient, enum verdict verdict,
		 const char *what, const char *remedy, const char *format, ...);

void examine_module(struct patient *patient);
void examine_esp(struct patient *patient);
void examine_ports(struct patient *patient);
void examine_firewall(struct patient *patient);
void examine_plugin(struct patient *patient);
void examine_sas(struct patient *patient);
void examine_framing(struct patient *patient);
void examine_device(struct patient *patient);
void examine_path(struct patient *patient);
void examine_tcp(struct patient *patient);
void examine_drops(struct patient *patient);

#endif /* ESPTCP_FINDING_H */
