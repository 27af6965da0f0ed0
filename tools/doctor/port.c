// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: who listens on the ports where peers expect IKE? Unless the user
 * names some, those are the ports that charon is to listen on, or the usual one.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "lib/args.h"
#include "lib/process.h"
#include "lib/vici.h"

/* Which addresses a socket is for, where other programs have sockets as well */
static const char *family_text(const struct tcp *tcp, bool shared)
{
	if (!shared)
		return "";

	return tcp->local.len == sizeof(struct in_addr) ? " (IPv4)" : " (IPv6)";
}

static void examine_silence(struct doctor *doctor, __u32 port)
{
	if (doctor->configured)
		doctor_add(doctor, VERDICT_PROBLEM, "port",
			   "start strongSwan, or run swanctl --reload-settings; its log says why it does not listen",
			   "nothing listens on TCP port %u, where charon.plugins.esptcp.ports wants charon to",
			   port);
	else if (doctor->unset)
		doctor_add(doctor, VERDICT_OK, "port",
			   "on a responder, set charon.plugins.esptcp.ports; a host that only originates needs nothing",
			   "nothing listens on TCP port %u, and charon.plugins.esptcp.ports names no port",
			   port);
	else
		doctor_add(doctor, VERDICT_WARNING, "port",
			   "on a responder, set charon.plugins.esptcp.ports; a host that only originates needs nothing",
			   "nothing listens on TCP port %u: peers cannot connect to this host",
			   port);
}

static void examine_socket(struct doctor *doctor, const struct tcp *tcp,
			   const struct process *process, bool shared)
{
	const char *family = family_text(tcp, shared);

	if (!process)
		doctor_add(doctor, VERDICT_SKIPPED, "port",
			   "run doctor as root",
			   "a process of user %u listens on TCP port %u%s; whose socket it is, only root may see",
			   tcp->uid, tcp->local_port, family);
	else if (process->is_charon)
		doctor_add(doctor, VERDICT_OK, "port", NULL,
			   "%s (process %d) listens on TCP port %u%s",
			   process->name, process->pid, tcp->local_port,
			   family);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "port",
			   "give that program another port, or charon (charon.plugins.esptcp.ports, and tcp_port at the peers)",
			   "TCP port %u%s is held by %s (process %d), %s",
			   tcp->local_port, family, process->name,
			   process->pid,
			   strncmp(process->name, "charon", strlen("charon")) ?
				    "not by charon" :
				    "which is not strongSwan's program");
}

/* Also true of two processes of which nothing may be seen */
static bool same_process(const struct process *a, const struct process *b)
{
	return a == b || (a && b && a->pid == b->pid);
}

/* Return: the first socket on the port from *i on, behind which *i is then */
static const struct tcp *next_socket(const struct tcp_list *tcps, size_t *i,
				     __u32 port)
{
	while (*i < tcps->count) {
		const struct tcp *tcp = &tcps->item[(*i)++];

		if (tcp->local_port == port)
			return tcp;
	}

	return NULL;
}

static bool is_shared(__u32 port, const struct tcp_list *tcps,
		      const struct process_list *processes)
{
	const struct process *first;
	const struct tcp *tcp;
	size_t i = 0;

	tcp = next_socket(tcps, &i, port);
	if (!tcp)
		return false;
	first = process_find(processes, tcp->inode);
	while ((tcp = next_socket(tcps, &i, port))) {
		if (!same_process(process_find(processes, tcp->inode), first))
			return true;
	}

	return false;
}

static bool examine_port(struct doctor *doctor, __u32 port,
			 const struct tcp_list *tcps,
			 const struct process_list *processes)
{
	bool shared = is_shared(port, tcps, processes);
	const struct process *process, *last = NULL;
	const struct tcp *tcp;
	bool any = false;
	size_t i = 0;

	while ((tcp = next_socket(tcps, &i, port))) {
		/* a program often has a socket for IPv4 and one for IPv6 */
		process = process_find(processes, tcp->inode);
		if (any && same_process(process, last))
			continue;
		examine_socket(doctor, tcp, process, shared);
		last = process;
		any = true;
	}
	if (!any)
		examine_silence(doctor, port);

	return any;
}

static bool has_port(const struct doctor *doctor, __u32 port)
{
	size_t i;

	for (i = 0; i < doctor->ports; i++) {
		if (doctor->port[i] == port)
			return true;
	}

	return false;
}

/* Commas or blanks stand between the ports. */
static void add_configured(struct doctor *doctor, char *text)
{
	char *word, *rest, *end;
	unsigned long port;

	for (word = strtok_r(text, ", \t", &rest); word;
	     word = strtok_r(NULL, ", \t", &rest)) {
		port = strtoul(word, &end, 10);
		if (*end || !port || port > 65535)
			doctor_add(doctor, VERDICT_PROBLEM, "port",
				   "correct it in strongswan.conf or /etc/strongswan.d/charon/esptcp.conf",
				   "'%s' in charon.plugins.esptcp.ports is no port",
				   word);
		else if (doctor->ports < EXAMINED_PORTS &&
			 !has_port(doctor, port))
			doctor->port[doctor->ports++] = port;
	}
}

static void choose_ports(struct doctor *doctor)
{
	char *setting, *complaint;

	if (doctor->ports)
		return;
	setting = vici_setting("plugins.esptcp.ports", &complaint);
	if (!setting && !(complaint && *complaint)) {
		free(complaint);
		setting = vici_setting("plugins.esptcp!.ports", &complaint);
	}
	if (complaint && *complaint)
		doctor_add(doctor, VERDICT_PROBLEM, "port",
			   "correct it: charon does not start with it",
			   "strongswan.conf cannot be read: %s", complaint);
	else if (setting)
		add_configured(doctor, setting);
	else
		doctor->unset = true;
	free(complaint);
	free(setting);
	doctor->configured = doctor->ports;
	if (!doctor->ports)
		doctor->port[doctor->ports++] = IKE_PORT;
}

void doctor_port(struct doctor *doctor)
{
	struct process_list processes;
	struct tcp_list tcps = { };
	const char *error;
	size_t i;

	choose_ports(doctor);
	error = tcp_dump(TCP_STATES_LISTENING, &tcps);
	if (error) {
		doctor_add(doctor, VERDICT_SKIPPED, "port",
			   "modprobe tcp_diag",
			   "the kernel does not list its sockets: %s", error);
	} else {
		process_list_take(&processes);
		for (i = 0; i < doctor->ports; i++)
			doctor->listens[i] = examine_port(doctor,
							  doctor->port[i],
							  &tcps, &processes);
		free(processes.item);
	}
	free(tcps.item);
}
