// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp: shows and controls IKE and ESP over TCP. Finds the command and lets
 * it work; "esptcp" alone means "esptcp show".
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "commands/commands.h"
#include "lib/framing.h"
#include "lib/filter.h"
#include "lib/args.h"
#include "lib/error.h"

#define SA_ARGUMENTS	"(in | out) spi SPI daddr ADDRESS"
#define JSON		" [--json]"

/**
 * struct command - what a user can ask for
 * @name: first argument
 * @function: gets the other arguments
 * @arguments: what they are, after a blank
 * @help: what it does, in a line
 * @more: what else is worth knowing, and an example
 */
struct command {
	const char *name;
	int (*function)(char **args);
	const char *arguments;
	const char *help;
	const char *more;
};

static int help_main(char **args);

static const struct command commands[] = {
	{ "show", show_main, FILTER_ARGUMENTS "\n       [--brief]" JSON,
	  "Show connections, their SAs and counters, TCP's view, and the totals",
	  "A connection that is down says why. An SA \"without a connection\" sends\n"
	  "nothing: its packets are dropped until the IKE daemon has reconnected.\n\n"
	  "  esptcp show --brief               one line for each connection\n"
	  "  esptcp show peer 192.0.2.0/24     those with these peers\n"
	  "  esptcp show state down            those that have ended\n" },
	{ "dump", dump_main, FILTER_ARGUMENTS,
	  "Show the same for scripts: records with tabs between their fields",
	  "The manual page names the fields. Their order never changes.\n\n"
	  "  esptcp dump | awk -F'\\t' '$1 == \"conn\" { print $10, $3 }'\n" },
	{ "stat", stat_main, JSON,
	  "Show every counter of the network namespace by name",
	  "The names are those of /proc/net/esptcp_stat; esptcp(7) explains each.\n" },
	{ "drops", drops_main, JSON,
	  "Show which packets were dropped, why, and what to do",
	  "The counters begin with the network namespace and are never reset.\n" },
	{ "doctor", doctor_main, " [port PORT]..." JSON,
	  "Look for what keeps tunnels from working, and say what to do",
	  "Unless ports are given, those of charon.plugins.esptcp.ports are examined, or\n"
	  "4500. Run it as root to have all examined. The exit status is 3 if it finds a\n"
	  "problem.\n\n"
	  "  esptcp doctor port 4500 port 443\n" },
	{ "gateways", gateways_main, JSON,
	  "Show charon's IKE_SAs: transport, SPIs, age",
	  "\"transport tcp\" names the connection, which \"esptcp show id\" shows.\n" },
	{ "tunnels", tunnels_main, JSON,
	  "Show charon's CHILD_SAs: SPIs, packets, bytes, transport",
	  "\"transport tcp\" names the connection that the outbound SA is bound to.\n" },
	{ "sockets", sockets_main, JSON,
	  "Show IKE's TCP sockets: those that listen, connections, processes",
	  "Processes of other users are shown to root only.\n" },
	{ "metrics", metrics_main, "",
	  "Show counters and connections for Prometheus",
	  "For the textfile collector of node_exporter:\n\n"
	  "  esptcp metrics > esptcp.prom.new && mv esptcp.prom.new esptcp.prom\n" },
	{ "monitor", monitor_main, JSON,
	  "Print a line when a connection comes up or goes down, or an SA moves",
	  "It runs until it is interrupted.\n" },
	{ "attach", attach_main,
	  " FD [role originator|responder] [replaces ID]\n"
	  "       [framing rfc9329|fortinet " FRAMING_OPTIONS "]" JSON,
	  "Attach the TCP socket that is open as FD, print the connection's ID",
	  "The connection must be established and the prefix IKETCP sent or read.\n"
	  "It lasts as long as somebody has the socket open. The kernel loads the module\n"
	  "if it is not loaded yet. With replaces, the SAs of an old connection move.\n\n"
	  "  exec 3<>/dev/tcp/192.0.2.1/4500\n"
	  "  printf IKETCP >&3\n"
	  "  id=$(esptcp attach 3 role originator)\n" },
	{ "set", set_main, " ID framing fortinet " FRAMING_OPTIONS,
	  "Have a connection put ESP behind TCP headers of its own",
	  "Both ends have to do it alike, before they bind SAs, and for good.\n"
	  "POLICY is fixed, sa, snapshot or advancing; FLAGS is ack, psh or psh,ack.\n"
	  "esptcp(8) says what they mean.\n\n"
	  "  esptcp set 3 framing fortinet profile advancing\n" },
	{ "bind", bind_main, " (conn ID | fd FD) " SA_ARGUMENTS,
	  "Let the ESP of an SA travel in a connection",
	  "ID is what attach has printed and show shows, ADDRESS the SA's destination.\n"
	  "SPI is hexadecimal after 0x, else decimal, as in \"ip xfrm\".\n"
	  "Bind an SA before you add it, unbind it after you have deleted it:\n\n"
	  "  esptcp bind conn $id out spi 0xc0a80102 daddr 192.0.2.1\n"
	  "  ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0xc0a80102 ...\n" },
	{ "unbind", unbind_main, " (all | " SA_ARGUMENTS ")",
	  "Forget the binding of an SA, or all bindings",
	  "ESP of an SA that is not bound leaves as plain ESP: delete the SA first.\n" },
	{ "capture", capture_main, " FILE" JSON,
	  "Say how ESP travels in a capture of IKE over TCP",
	  "For gateways whose framing is not documented. FILE is in pcap or pcapng format\n"
	  "and begins before IKE connects:\n\n"
	  "  tcpdump -i any -s 0 -w FILE 'host PEER and tcp and (port 4500 or port 443)'\n" },
	{ "help", help_main, " [COMMAND]",
	  "Show this text, or more about a command",
	  "\"esptcp COMMAND help\" does the same.\n" },
	{ }
};

static const struct command *find_command(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++) {
		if (!strcmp(command->name, name))
			return command;
	}

	return NULL;
}

static void print_help(const struct command *command)
{
	printf("usage: esptcp %s%s\n\n%s.\n", command->name,
	       command->arguments, command->help);
	if (*command->more)
		printf("%s", command->more);
}

/* How many letters have to be changed, added or taken out to make one word of
 * another; -1 if the words are too long.
 */
static int distance(const char *from, const char *to)
{
	int row[32], diagonal, above;
	size_t length = strlen(to);
	size_t i, j;

	if (length >= ARRAY_SIZE(row))
		return -1;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 0; from[i]; i++) {
		diagonal = row[0]++;
		for (j = 1; j <= length; j++) {
			above = row[j];
			row[j] = diagonal + (from[i] != to[j - 1]);
			if (row[j] > above + 1)
				row[j] = above + 1;
			if (row[j] > row[j - 1] + 1)
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}

	return row[length];
}

/* The command that somebody may have meant, or NULL */
static const struct command *nearest_command(const char *name)
{
	const struct command *command, *nearest = NULL;
	int best = 3;

	for (command = commands; command->name; command++) {
		int far = distance(command->name, name);

		if (*name && !strncmp(command->name, name, strlen(name)))
			far = 0;
		if (far < 0 || far >= best || far >= (int)strlen(name))
			continue;
		best = far;
		nearest = command;
	}

	return nearest;
}

static int no_command(const char *name)
{
	const struct command *nearest = nearest_command(name);

	fprintf(stderr, "esptcp: there is no command '%s'\n", name);
	if (nearest)
		fprintf(stderr, "  did you mean '%s'? ", nearest->name);
	else
		fputs("  ", stderr);
	fputs("\"esptcp help\" lists the commands\n", stderr);

	return EXIT_USAGE;
}

static void print_commands(void)
{
	const struct command *command;

	puts("usage: esptcp [COMMAND [ARGUMENTS]]\n");
	for (command = commands; command->name; command++)
		printf("  %-9s %s\n", command->name, command->help);
	puts("\nWithout a command: show. \"esptcp help COMMAND\" tells its arguments. Options\n"
	     "may stand anywhere. A frame is what the TCP stream is made of: a length and an\n"
	     "ESP packet or an IKE message. Looking changes nothing: it does not load the\n"
	     "module either.\n\n"
	     "When a tunnel does not come up:\n\n"
	     "  esptcp doctor     is the host set up for it?\n"
	     "  esptcp show       is there a connection, and if it is down, why?\n"
	     "  esptcp drops      are packets dropped, and why?\n"
	     "  esptcp monitor    what happens while the daemon tries?\n\n"
	     "The manual pages esptcp(8) and esptcp(7) say more.");
}

static int help_main(char **args)
{
	const struct command *command;
	int status;

	if (!args[0]) {
		print_commands();
		return 0;
	}

	if (args_is_option(args[0]))
		return args_end(args);

	command = find_command(args[0]);
	if (!command)
		return no_command(args[0]);
	status = args_end(args + 1);
	if (!status)
		print_help(command);

	return status;
}

static int run(const struct command *command, char **args)
{
	int status;

	if (args_next_is(args, "help")) {
		print_help(command);
		return 0;
	}

	status = command->function(args);
	if (status == EXIT_USAGE)
		fprintf(stderr, "usage: esptcp %s%s\n", command->name,
			command->arguments);

	return status;
}

/* Take the command out of the arguments. Options may stand before it; alone,
 * or before a filter, they are show's.
 */
static const struct command *take_command(char **args)
{
	const struct command *command;

	while (*args && **args == '-')
		args++;
	if (!*args || filter_begins(*args))
		return &commands[0];

	command = find_command(*args);
	if (!command)
		no_command(*args);
	for (; command && *args; args++)
		args[0] = args[1];

	return command;
}

/* For --help, whatever stands beside it: help on the command, if there is one */
static int help_on(char **args)
{
	char *const *word = args;
	const struct command *command;

	while (*word && **word == '-')
		word++;
	if (!*word) {
		print_commands();
		return 0;
	}

	command = take_command(args);
	if (command)
		print_help(command);

	return command ? 0 : EXIT_USAGE;
}

static int dispatch(char **args)
{
	const struct command *command;

	if (args_option(args, "--help", "-h"))
		return help_on(args);

	if (args_option(args, "--version", "-V")) {
		puts("esptcp " VERSION);
		return 0;
	}

	command = take_command(args);

	return command ? run(command, args) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int status = dispatch(argv + (argc > 0));

	if (fflush(stdout) || ferror(stdout)) {
		perror("esptcp: cannot write the output");
		return status ? status : EXIT_FAILURE;
	}

	return status;
}
