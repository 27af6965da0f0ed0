// SPDX-License-Identifier: GPL-2.0
/*
 * Words for what a capture shows, and the options of a framing that does the
 * same. For both ways to print it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/array.h"
#include "options.h"

/**
 * append() - add to a text
 * @text: the text
 * @size: of the memory that it is in; what does not fit is left out
 * @format: as for printf()
 */
void append(char *text, size_t size, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, size - length, format, args);
	va_end(args);
}

/**
 * flags_text() - the names of TCP's flags
 * @text: memory for them
 * @flags: as in the header
 *
 * Return: the names, with commas
 */
const char *flags_text(char text[FLAGS_SIZE], __u8 flags)
{
	static const char * const names[] = {
		"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr",
	};
	size_t i;

	text[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & 1 << i))
			continue;
		if (*text)
			strcat(text, ",");
		strcat(text, names[i]);
	}

	return *text ? text : "none";
}

/**
 * yes_or_no() - how many have something, as a word
 * @count: the packets
 *
 * Return: yes, no, or some
 */
const char *yes_or_no(const struct count *count)
{
	if (!count->against)
		return "yes";

	return count->against == count->all ? "no" : "some";
}

/**
 * is_open() - see whether the capture does not decide between two policies
 * @choice: what is known
 * @policy: one of them, which was not chosen
 *
 * Return: true if it fits as well as the one that was
 */
bool is_open(const struct choice *choice, enum policy policy)
{
	return choice->fits[policy] && policy != choice->policy;
}

/**
 * flags_are_known() - see whether this host could send a direction's flags
 * @profile: the direction
 *
 * Return: true if it could
 */
bool flags_are_known(const struct profile *profile)
{
	return profile->flags && !(profile->flags & ~(TH_ACK | TH_PUSH));
}

/**
 * prefix_is_known() - see whether this host would take a direction's length
 * @view: the direction, which has a length in front
 *
 * Return: true if the length counts itself, and TCP's time stamps tell segments
 *	from the stream
 */
bool prefix_is_known(const struct view *view)
{
	const struct count *stamps = &view->profile.timestamps;

	return view->profile.counts_itself && view->way->timestamps &&
		stamps->against == stamps->all;
}

/**
 * options_text() - the options that would do the same
 * @view: the direction
 * @text: filled; each has a blank before it, what is not known is left out
 */
void options_text(const struct view *view, char text[OPTIONS_SIZE])
{
	const struct profile *profile = &view->profile;
	const struct window *window = &profile->window;
	char names[FLAGS_SIZE];

	text[0] = '\0';
	if (count_convinces(&profile->flags_count) && flags_are_known(profile))
		append(text, OPTIONS_SIZE, " flags %s",
		       flags_text(names, profile->flags));
	if (profile->seq.policy)
		append(text, OPTIONS_SIZE, " seq %s",
		       policy_name(profile->seq.policy));
	if (profile->ack.policy)
		append(text, OPTIONS_SIZE, " ack %s",
		       policy_name(profile->ack.policy));
	/* IKE's is what profiles have anyway; so if it fits, nothing is said */
	if (window->known && !window->follows && !window->same)
		append(text, OPTIONS_SIZE, " window %u", window->value);
	if (!view->way->prefixed || prefix_is_known(view))
		append(text, OPTIONS_SIZE, " length-prefix %s",
		       view->way->prefixed ? "yes" : "no");
	if (strcmp(yes_or_no(&profile->timestamps), "some"))
		append(text, OPTIONS_SIZE, " timestamps %s",
		       yes_or_no(&profile->timestamps));
	append(text, OPTIONS_SIZE, " in-window %s",
	       profile->below == view->way->count ? "no" : "yes");
}
