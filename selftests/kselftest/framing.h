/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FRAMING_H
#define FRAMING_H

#include "genl.h"

/*
 * Reads "fortinet[,NAME[=NUMBER]]...", where a name is a profile or one of its
 * attributes. Returns the attributes of a request to attach, ended by a zero,
 * or NULL; the next call writes over them.
 */
const struct attr *framing_parse(char *text);

#endif /* FRAMING_H */
