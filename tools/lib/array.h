/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The length of arrays, for everybody.
 */
#ifndef ESPTCP_ARRAY_H
#define ESPTCP_ARRAY_H

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#endif /* ESPTCP_ARRAY_H */
