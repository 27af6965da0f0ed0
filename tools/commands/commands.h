/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands, one file each. Each gets the arguments behind its name, in a
 * list that NULL ends, and returns the exit status.
 */
#ifndef ESPTCP_COMMANDS_H
#define ESPTCP_COMMANDS_H

int attach_main(char **args);
int bind_main(char **args);
int capture_main(char **args);
int doctor_main(char **args);
int drops_main(char **args);
int dump_main(char **args);
int gateways_main(char **args);
int metrics_main(char **args);
int monitor_main(char **args);
int set_main(char **args);
int show_main(char **args);
int sockets_main(char **args);
int stat_main(char **args);
int tunnels_main(char **args);
int unbind_main(char **args);

#endif /* ESPTCP_COMMANDS_H */
