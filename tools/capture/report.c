// SPDX-License-Identifier: GPL-2.0
/*
 * Words for what a capture shows, and the options of a framing that does the
 * same. For both ways to print it.
 */
#include <string.h>

#include "lib/text.h"
#include "report.h"

/**
 * count_text() - how many have something, as a word
 * @count: the packets
 *
 * Return: yes, no, or some
 */
const char *count_text(const struct count *count)
{
	if (!count->against)
		return "yes";

	return count->against == count->all ? "no" : "some";
}

/**
 * choice_is_open() - see whether the capture does not decide between two policies
 * @choice: what is known
 * @policy: one of them, which was not chosen
 *
 * Return: true if it fits as well as the one that was
 */
bool choice_is_open(const struct choice *choice, enum policy policy)
{
	return choice->fits[policy] && policy != choice->policy;
}

/**
 * profile_flags_known() - see whether this host could send a direction's flags
 * @profile: the direction
 *
 * Return: true if it could
 */
bool profile_flags_known(const struct profile *profile)
{
	return profile->flags && !(profile->flags & ~(TH_ACK | TH_PUSH));
}

/**
 * profile_prefix_known() - see whether this host would take a direction's length
 * @profile: the direction, which has a length in front
 *
 * Return: true if the length counts itself, and TCP's time stamps tell segments
 *	from the stream
 */
bool profile_prefix_known(const struct profile *profile)
{
	const struct count *stamps = &profile->timestamps;

	return profile->counts_itself && profile->way->timestamps &&
		stamps->against == stamps->all;
}

/**
 * profile_options() - the options that would do the same
 * @profile: the direction
 * @text: filled; each has a blank before it, what is not known is left out
 */
void profile_options(const struct profile *profile, char text[OPTIONS_SIZE])
{
	const struct window *window = &profile->window;
	char names[FLAGS_STRLEN];

	text[0] = '\0';
	if (count_convinces(&profile->flags_count) && profile_flags_known(profile))
		text_append(text, OPTIONS_SIZE, " flags %s",
			    text_flags(names, profile->flags));
	if (profile->seq.policy)
		text_append(text, OPTIONS_SIZE, " seq %s",
			    policy_text(profile->seq.policy));
	if (profile->ack.policy)
		text_append(text, OPTIONS_SIZE, " ack %s",
			    policy_text(profile->ack.policy));
	/* IKE's is what profiles have anyway; so if it fits, nothing is said */
	if (window->known && !window->follows && !window->same)
		text_append(text, OPTIONS_SIZE, " window %u", window->value);
	if (!profile->way->prefixed || profile_prefix_known(profile))
		text_append(text, OPTIONS_SIZE, " length-prefix %s",
			    profile->way->prefixed ? "yes" : "no");
	if (strcmp(count_text(&profile->timestamps), "some"))
		text_append(text, OPTIONS_SIZE, " timestamps %s",
			    count_text(&profile->timestamps));
	text_append(text, OPTIONS_SIZE, " in-window %s",
		    profile->below == profile->way->count ? "no" : "yes");
}
