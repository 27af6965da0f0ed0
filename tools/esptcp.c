// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp: shows and controls IKE and ESP over TCP. Finds the command and lets
 * it work; "esptcp" alone means "esptcp show".
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "filter.h"
#include "parse.h"
#include "report.h"

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
	{ "show", show_main, FILTER_ARGUMENTS " [--brief]" JSON,
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
	  "Show every counter of the network namespace by name", "" },
	{ "drops", drops_main, JSON,
	  "Show which packets were dropped, why, and what to do", "" },
	{ "doctor", doctor_main, " [port PORT]..." JSON,
	  "Look for what keeps tunnels from working, and say what to do",
	  "Port 4500 is examined unless ports are given. Run it as root to have all\n"
	  "examined. The exit status is 3 if it finds a problem.\n\n"
	  "  esptcp doctor port 4500 port 443\n" },
	{ "gateways", gateways_main, JSON,
	  "Show charon's IKE_SAs: transport, SPIs, age",
	  "\"transport tcp\" names the connection, which \"esptcp show id\" shows.\n" },
	{ "tunnels", tunnels_main, JSON,
	  "Show charon's CHILD_SAs: SPIs, packets, bytes, transport", "" },
	{ "sockets", sockets_main, JSON,
	  "Show IKE's TCP sockets: those that listen, connections, processes", "" },
	{ "metrics", metrics_main, "",
	  "Show counters and connections for Prometheus",
	  "For the textfile collector of node_exporter:\n\n"
	  "  esptcp metrics > esptcp.prom.new && mv esptcp.prom.new esptcp.prom\n" },
	{ "monitor", monitor_main, JSON,
	  "Print a line when a connection comes up or goes down, or an SA moves",
	  "It runs until it is interrupted.\n" },
	{ "attach", attach_main, " FD [role originator|responder] [replaces ID]" JSON,
	  "Attach the TCP socket that is open as FD, print the connection's ID",
	  "The connection must be established and the prefix IKETCP sent or read.\n"
	  "It lasts as long as somebody has the socket open:\n\n"
	  "  exec 3<>/dev/tcp/192.0.2.1/4500\n"
	  "  printf IKETCP >&3\n"
	  "  id=$(esptcp attach 3 role originator)\n" },
	{ "bind", bind_main, " (conn ID | fd FD) " SA_ARGUMENTS,
	  "Let the ESP of an SA travel in a connection",
	  "Bind an SA before you add it, unbind it after you have deleted it:\n\n"
	  "  esptcp bind conn $id out spi 0xc0a80102 daddr 192.0.2.1\n"
	  "  ip xfrm state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0xc0a80102 ...\n" },
	{ "unbind", unbind_main, " (all | " SA_ARGUMENTS ")",
	  "Forget the binding of an SA, or all bindings",
	  "ESP of an SA that is not bound leaves as plain ESP: delete the SA first.\n" },
	{ "help", help_main, " [COMMAND]",
	  "Show this text, or more about a command", "" },
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

static void print_commands(void)
{
	const struct command *command;

	puts("usage: esptcp [COMMAND [ARGUMENTS]]\n");
	for (command = commands; command->name; command++)
		printf("  %-9s %s\n", command->name, command->help);
	puts("\nWithout a command: show. \"esptcp help COMMAND\" tells its arguments.\n\n"
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

	command = find_command(args[0]);
	if (!command)
		return usage_error("a command that \"esptcp help\" lists", args[0]);
	status = take_end(args + 1);
	if (!status)
		print_help(command);

	return status;
}

static int run(const struct command *command, char **args)
{
	int status;

	if (next_is(args, "--help") || next_is(args, "-h")) {
		print_help(command);
		return 0;
	}

	status = command->function(args);
	if (status == EXIT_USAGE)
		fprintf(stderr, "usage: esptcp %s%s\n", command->name,
			command->arguments);

	return status;
}

static int dispatch(char **args)
{
	const struct command *command;

	if (next_is(args, "--help") || next_is(args, "-h"))
		return help_main(args + 1);

	if (next_is(args, "--version") || next_is(args, "-V")) {
		puts("esptcp " VERSION);
		return 0;
	}

	/* an option without a command is one of show's */
	if (!args[0] || args[0][0] == '-')
		return run(&commands[0], args);

	command = find_command(args[0]);
	if (!command)
		return usage_error("a command that \"esptcp help\" lists", args[0]);

	return run(command, args + 1);
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
