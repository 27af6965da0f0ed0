// SPDX-License-Identifier: GPL-2.0
/*
 * Says what a capture shows: a table with a column for each direction, what is
 * not certain, and the options of a framing that does the same.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"
#include "lib/array.h"
#include "capture.h"
#include "lib/colour.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "options.h"

#define LABEL_WIDTH	15
#define CELL_WIDTH	31

/* Fewer ESP packets prove little. */
#define FEW_PACKETS	20

static const char * const side[] = { "originator", "responder" };

typedef void (*cell_fn)(const struct view *view, char *text, size_t size);

static void append_against(char *text, size_t size, const struct count *count)
{
	if (count->against)
		append(text, size, " (%zu not)", count->against);
}

static void choice_cell(const struct choice *choice, char *text, size_t size)
{
	append(text, size, "%s", policy_name(choice->policy));
	switch (choice->policy) {
	case POLICY_UNKNOWN:
		append(text, size, ": %zu values", choice->values);
		break;
	case POLICY_FIXED:
		append(text, size, ", first%+d", choice->offset);
		break;
	case POLICY_SNAPSHOT:
		if (choice->to_next)
			append(text, size, ", next%+d", choice->offset);
		if (choice->to_acked)
			append(text, size, ", acked%+d", choice->offset_acked);
		break;
	case POLICY_ADVANCING:
		append(text, size, ", span %u", choice->span);
		if (choice->restarts)
			append(text, size, " x %zu", choice->restarts + 1);
		break;
	default:
		break;
	}
	append_against(text, size, &choice->count);
}

static void packets_cell(const struct view *view, char *text, size_t size)
{
	const struct profile *profile = &view->profile;

	append(text, size, "%zu in %zu SA%s", view->way->count, profile->sas,
	       profile->sas == 1 ? "" : "s");
	if (profile->missing)
		append(text, size, ", %zu missing", profile->missing);
}

static void flags_cell(const struct view *view, char *text, size_t size)
{
	char names[FLAGS_SIZE];

	append(text, size, "%s", flags_text(names, view->profile.flags));
	append_against(text, size, &view->profile.flags_count);
}

static void seq_cell(const struct view *view, char *text, size_t size)
{
	choice_cell(&view->profile.seq, text, size);
}

static void ack_cell(const struct view *view, char *text, size_t size)
{
	if (view->profile.acknowledges)
		choice_cell(&view->profile.ack, text, size);
	else
		append(text, size, "none");
}

static void window_cell(const struct view *view, char *text, size_t size)
{
	const struct window *window = &view->profile.window;

	if (!window->known)
		append(text, size, "unknown");
	else if (window->follows)
		append(text, size, "snapshot");
	else
		append(text, size, "%u%s", window->value,
		       window->same ? ", IKE's too" : "");
	append_against(text, size, &window->count);
}

static void prefix_cell(const struct view *view, char *text, size_t size)
{
	append(text, size, "%s", !view->way->prefixed ? "no" :
	       view->profile.counts_itself ? "yes, counts itself" :
	       "yes, without itself");
}

static void timestamps_cell(const struct view *view, char *text, size_t size)
{
	const struct count ike = {
		.all = view->way->timestamps + view->way->bare,
		.against = view->way->bare,
	};

	append(text, size, "%s; IKE: %s",
	       yes_or_no(&view->profile.timestamps), yes_or_no(&ike));
}

/* Kinds of options; what has the highest bit is printed as its first kind. */
static void kinds_cell(const struct view *view, char *text, size_t size)
{
	const char *comma = "";
	int i;

	if (!view->profile.options)
		append(text, size, "none");
	for (i = 0; i < 64; i++) {
		if (!(view->profile.options & 1ULL << i))
			continue;
		append(text, size, i == 63 ? "%s%d or more" : "%s%d", comma, i);
		comma = ",";
	}
}

static void in_window_cell(const struct view *view, char *text, size_t size)
{
	size_t inside = view->way->count - view->profile.below;

	if (inside)
		append(text, size, "yes, %zu of %zu", inside, view->way->count);
	else
		append(text, size, "no, all are below");
}

static void ports_cell(const struct view *view, char *text, size_t size)
{
	if (view->way->elsewhere)
		append(text, size, "others (%zu)", view->way->elsewhere);
	else
		append(text, size, "IKE's");
}

static void largest_cell(const struct view *view, char *text, size_t size)
{
	append(text, size, "%u octets of IP", view->profile.largest);
}

static void fragment_cell(const struct view *view, char *text, size_t size)
{
	append(text, size, "%s", view->way->esp[0].segment->from.len == 16 ?
	       "IPv6" : yes_or_no(&view->profile.dont_fragment));
}

static void class_cell(const struct view *view, char *text, size_t size)
{
	const struct profile *profile = &view->profile;
	const char *comma = "";
	int i;

	for (i = 0; i < 64; i++) {
		if (!(profile->dscp & 1ULL << i))
			continue;
		append(text, size, "%s%d", comma, i);
		comma = ",";
	}
	append(text, size, "; ECN ");
	for (i = 0, comma = ""; i < 4; i++) {
		if (!(profile->ecn & 1 << i))
			continue;
		append(text, size, "%s%d", comma, i);
		comma = ",";
	}
}

static const struct {
	const char *label;
	cell_fn cell;
} rows[] = {
	{ "ESP packets", packets_cell },
	{ "flags", flags_cell },
	{ "seq", seq_cell },
	{ "ack", ack_cell },
	{ "window", window_cell },
	{ "length-prefix", prefix_cell },
	{ "timestamps", timestamps_cell },
	{ "other options", kinds_cell },
	{ "in-window", in_window_cell },
	{ "ports", ports_cell },
	{ "largest", largest_cell },
	{ "don't fragment", fragment_cell },
	{ "DSCP", class_cell },
};

static void print_row(const char *label, const struct view view[2], cell_fn fn)
{
	char text[2][64] = { "", "" };
	int way;

	for (way = 0; way < 2; way++) {
		if (view[way].way->count)
			fn(&view[way], text[way], sizeof(text[way]));
		else
			append(text[way], sizeof(text[way]), "-");
	}
	printf("%-*s%-*s%s\n", LABEL_WIDTH, label, CELL_WIDTH, text[0],
	       text[1]);
}

static void print_options(const struct view view[2])
{
	char text[2][OPTIONS_SIZE];
	int way;

	for (way = 0; way < 2; way++)
		options_text(&view[way], text[way]);
	if (view[0].way->count && view[1].way->count &&
	    !strcmp(text[0], text[1])) {
		printf("\noptions, both directions:\n %s\n", text[0]);
		return;
	}
	for (way = 0; way < 2; way++) {
		if (view[way].way->count)
			printf("\noptions, what the %s sends:\n %s\n",
			       side[way], text[way]);
	}
}

/* The first note has an empty line before it. */
static bool noted;

[[gnu::format(printf, 1, 2)]]
static void note(const char *format, ...)
{
	char *text;
	va_list args;

	if (!noted)
		putchar('\n');
	noted = true;

	va_start(args, format);
	text = memory_print(format, args);
	va_end(args);
	fputs("- ", stdout);
	print_wrapped(2, text);
	free(text);
}

static void note_choice(int way, const char *what, const struct choice *choice)
{
	char others[64] = "";
	enum policy i;

	if (choice->policy == POLICY_UNKNOWN) {
		note("%s of the %s follows no known policy: %zu values in %zu packets.",
		     what, side[way], choice->values, choice->count.all);
		return;
	}
	for (i = POLICY_FIXED; i < POLICIES; i++) {
		if (choice->fits[i] && i != choice->policy)
			append(others, sizeof(others), "%s%s",
			       *others ? " and " : "", policy_name(i));
	}
	if (*others)
		note("%s of the %s: %s fits as well as %s.", what, side[way],
		     others, policy_name(choice->policy));
	if (choice->count.against)
		note("%s of the %s: %zu of %zu packets contradict.", what,
		     side[way], choice->count.against, choice->count.all);
	if (choice->policy == POLICY_FIXED)
		note("%s of the %s is %u: if other connections have that, too, set %s-value.",
		     what, side[way], choice->value, what);
}

/* What one direction does that no option lets this host do */
static void note_impossible(int way, const struct view *view)
{
	const struct profile *profile = &view->profile;

	if (!flags_are_known(profile))
		note("This host cannot send the flags of the %s.", side[way]);
	if (profile->options)
		note("This host cannot send the other options of the %s.",
		     side[way]);
	if (view->way->prefixed && !profile->counts_itself)
		note("The length in front does not count itself: no option says so.");
	else if (view->way->prefixed && !prefix_is_known(view))
		note("Time stamps do not tell the %s's ESP from IKE: this host refuses a length.",
		     side[way]);
	if (view->way->elsewhere)
		note("%zu ESP packets of the %s have other ports, perhaps of an older connection.",
		     view->way->elsewhere, side[way]);
}

static void note_way(int way, const struct view *view)
{
	const struct profile *profile = &view->profile;

	if (view->way->strays)
		note("%zu segments of the %s are neither IKE's stream nor of a known SA.",
		     view->way->strays, side[way]);
	if (view->way->repeated)
		note("%zu ESP packets of the %s were captured more than once, and counted once.",
		     view->way->repeated, side[way]);
	if (!stream_is_complete(&view->way->stream))
		note("Octets of the %s's IKE stream are missing: snapshot is not reliable.",
		     side[way]);
	if (!view->way->count)
		return;
	if (view->way->count < FEW_PACKETS)
		note("The %s has sent %zu ESP packets only: let more traffic pass.",
		     side[way], view->way->count);
	note_choice(way, "seq", &profile->seq);
	if (profile->acknowledges)
		note_choice(way, "ack", &profile->ack);
	note_impossible(way, view);
	if (!profile->window.known)
		note("window of the %s is neither one value nor IKE's.",
		     side[way]);
	if (!count_convinces(&profile->flags_count))
		note("flags of the %s differ from packet to packet.",
		     side[way]);
}

/* How a better capture would decide what this one leaves open */
static void note_remedies(const struct view view[2])
{
	bool sa = false, snapshot = false;
	int way;

	for (way = 0; way < 2; way++) {
		const struct profile *profile = &view[way].profile;

		sa |= is_open(&profile->seq, POLICY_SA) ||
			is_open(&profile->ack, POLICY_SA);
		snapshot |= is_open(&profile->seq, POLICY_SNAPSHOT) ||
			is_open(&profile->ack, POLICY_SNAPSHOT);
	}
	if (sa)
		note("A rekey of the tunnel while ESP flows would decide about sa.");
	if (snapshot)
		note("IKE messages while ESP flows (a rekey) would decide about snapshot.");
}

static void print_notes(const struct capture *capture,
			const struct view view[2])
{
	int way;

	noted = false;
	for (way = 0; way < 2; way++)
		note_way(way, &view[way]);
	note_remedies(view);
	if (capture->cut || capture->short_packets)
		note("%zu packets were captured in part only: capture with tcpdump -s 0.",
		     capture->cut + capture->short_packets);
	if (capture->fragments)
		note("%zu fragments of IP packets were left out.",
		     capture->fragments);
	if (*capture->ends_early)
		note("The file cannot be read to its end: %s.",
		     capture->ends_early);
}

static void print_stream(const struct way way[2])
{
	int i;

	printf("prefix IKETCP: %s\n", way[0].frames.prefix ? "yes" : "no");
	for (i = 0; i < 2; i++)
		printf("%s's stream: %zu IKE messages, %zu ESP packets%s\n",
		       side[i], way[i].frames.ike, way[i].frames.esp,
		       way[i].frames.bad ? ", then what is no frame" : "");
}

/**
 * capture_print() - print a connection for people
 * @capture: the capture
 * @connection: one of IKE's connections in it
 */
void capture_print(const struct capture *capture,
		   const struct connection *connection)
{
	const struct segment *syn = connection->syn;
	struct view view[2];
	char from[ADDRESS_ENDPOINT_SIZE], to[ADDRESS_ENDPOINT_SIZE];
	size_t i;
	int way;

	colour_on(COLOUR_BOLD);
	printf("connection from %s to %s\n",
	       address_endpoint(from, &syn->from, syn->from_port),
	       address_endpoint(to, &syn->to, syn->to_port));
	colour_off();
	print_stream(connection->way);
	for (way = 0; way < 2; way++) {
		view[way].way = &connection->way[way];
		profile_infer(&view[way].profile, &connection->way[way],
			      &connection->way[!way]);
	}
	if (!view[0].way->count && !view[1].way->count) {
		puts("\nESP travels in the stream, as RFC 9329 says: framing rfc9329");
		print_notes(capture, view);
		return;
	}
	puts("\nESP travels beside the stream, each packet behind a TCP header of its own:\n");
	colour_on(COLOUR_BOLD);
	printf("%-*s%-*s%s\n", LABEL_WIDTH, "", CELL_WIDTH, "originator sends",
	       "responder sends");
	colour_off();
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		print_row(rows[i].label, view, rows[i].cell);
	print_notes(capture, view);
	print_options(view);
}
