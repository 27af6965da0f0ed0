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
#include "parse.h"
#include "report.h"

#define SA_ARGUMENTS	"(in | out) spi SPI daddr ADDRESS"

/**
 * struct command - what a user can ask for
 * @name: first argument
 * @function: gets the other arguments
 * @arguments: what they are, after a blank
 * @help: what it does
 */
struct command {
	const char *name;
	int (*function)(char **args);
	const char *arguments;
	const char *help;
};

static int help_main(char **args);

static const struct command commands[] = {
	{ "show", show_main, " [--json | -j]",
	  "Show connections, their bindings and counters, and the totals" },
	{ "stat", stat_main, " [--json | -j]",
	  "Show every counter of the network namespace by name" },
	{ "monitor", monitor_main, "",
	  "Print a line when a connection comes up or goes down, or an SA moves" },
	{ "attach", attach_main, " FD [replaces ID]",
	  "Attach the TCP socket that is open as FD, and print the connection's ID" },
	{ "bind", bind_main, " (conn ID | fd FD) " SA_ARGUMENTS,
	  "Let the ESP of an SA travel in a connection" },
	{ "unbind", unbind_main, " (all | " SA_ARGUMENTS ")",
	  "Forget the binding of an SA, or all bindings" },
	{ "help", help_main, "",
	  "Show this text" },
	{ }
};

static int help_main(char **args)
{
	const struct command *command;
	int status;

	status = take_end(args);
	if (status)
		return status;

	puts("usage: esptcp [COMMAND [ARGUMENTS]]\n");
	for (command = commands; command->name; command++)
		printf("  %s%s\n      %s\n", command->name,
		       command->arguments, command->help);
	puts("\nWithout a command: show. The manual page esptcp(8) says more.");

	return 0;
}

static const struct command *find_command(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++) {
		if (!strcmp(command->name, name))
			return command;
	}

	return NULL;
}

static int run(const struct command *command, char **args)
{
	bool help = next_is(args, "--help") || next_is(args, "-h");
	int status = help ? 0 : command->function(args);

	if (help || status == EXIT_USAGE)
		fprintf(help ? stdout : stderr, "usage: esptcp %s%s\n",
			command->name, command->arguments);

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
