// SPDX-License-Identifier: GPL-2.0
/*
 * Says what a capture shows: a table with a column for each direction, what is
 * not certain, and the options of a framing that does the same.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/text.h"
#include "report.h"

#define LABEL_WIDTH	15
#define CELL_WIDTH	31

/* Fewer ESP packets prove little. */
#define FEW_PACKETS	20

static const char * const side[] = { "originator", "responder" };

/* The table's rows */
enum row {
	ROW_PACKETS, ROW_FLAGS, ROW_SEQ, ROW_ACK, ROW_WINDOW, ROW_PREFIX,
	ROW_TIMESTAMPS, ROW_OPTIONS, ROW_IN_WINDOW, ROW_PORTS, ROW_LARGEST,
	ROW_FRAGMENT, ROW_CLASS, ROWS,
};

static const char * const labels[ROWS] = {
	"ESP packets", "flags", "seq", "ack", "window", "length-prefix",
	"timestamps", "other options", "in-window", "ports", "largest",
	"don't fragment", "DSCP",
};

/* A direction's column */
struct column {
	char cell[ROWS][64];
};

/* Add to a cell. */
[[gnu::format(printf, 3, 4)]]
static void add(struct column *column, enum row row, const char *format, ...)
{
	char *cell = column->cell[row];
	size_t length = strlen(cell);
	va_list args;

	va_start(args, format);
	vsnprintf(cell + length, sizeof(column->cell[row]) - length, format,
		  args);
	va_end(args);
}

static void add_against(struct column *column, enum row row,
			const struct count *count)
{
	if (count->against)
		add(column, row, " (%zu not)", count->against);
}

static void add_choice(struct column *column, enum row row,
		       const struct choice *choice)
{
	add(column, row, "%s", policy_text(choice->policy));
	if (choice->policy == POLICY_UNKNOWN)
		add(column, row, ": %zu values", choice->values);
	if (choice->policy == POLICY_FIXED)
		add(column, row, ", first%+d", choice->offset);
	if (choice->policy == POLICY_SNAPSHOT && choice->to_next)
		add(column, row, ", next%+d", choice->offset);
	if (choice->policy == POLICY_SNAPSHOT && choice->to_acked)
		add(column, row, ", acked%+d", choice->offset_acked);
	if (choice->policy == POLICY_ADVANCING)
		add(column, row, ", span %u", choice->span);
	if (choice->policy == POLICY_ADVANCING && choice->restarts)
		add(column, row, " x %zu", choice->restarts + 1);
	add_against(column, row, &choice->count);
}

static void add_window(struct column *column, const struct window *window)
{
	if (!window->known)
		add(column, ROW_WINDOW, "unknown");
	else if (window->follows)
		add(column, ROW_WINDOW, "snapshot");
	else
		add(column, ROW_WINDOW, "%u%s", window->value,
		    window->same ? ", IKE's too" : "");
	add_against(column, ROW_WINDOW, &window->count);
}

/* The numbers of bits; the highest one stands for all from there on. */
static void add_bits(struct column *column, enum row row, __u64 bits)
{
	const char *comma = "";
	int i;

	for (i = 0; i < 64; i++) {
		if (!(bits & 1ULL << i))
			continue;
		add(column, row, "%s%d%s", comma, i, i == 63 ? " or more" : "");
		comma = ",";
	}
}

/* What is chosen by who makes the TCP header */
static void add_numbers(struct column *column, const struct profile *profile)
{
	const struct way *way = profile->way;
	char names[FLAGS_STRLEN];

	add(column, ROW_PACKETS, "%zu in %zu SA%s", way->count, profile->sas,
	    profile->sas == 1 ? "" : "s");
	if (profile->missing)
		add(column, ROW_PACKETS, ", %zu missing", profile->missing);
	add(column, ROW_FLAGS, "%s", text_flags(names, profile->flags));
	add_against(column, ROW_FLAGS, &profile->flags_count);
	add_choice(column, ROW_SEQ, &profile->seq);
	if (profile->acknowledges)
		add_choice(column, ROW_ACK, &profile->ack);
	else
		add(column, ROW_ACK, "none");
	add_window(column, &profile->window);
}

/* What else the packets are like */
static void add_rest(struct column *column, const struct profile *profile)
{
	const struct way *way = profile->way;
	const struct count ike = { way->timestamps + way->bare, way->bare };
	size_t inside = way->count - profile->below;

	add(column, ROW_PREFIX, "%s", !way->prefixed ? "no" :
	    profile->counts_itself ? "yes, counts itself" :
	    "yes, without itself");
	add(column, ROW_TIMESTAMPS, "%s; IKE: %s",
	    count_text(&profile->timestamps), count_text(&ike));
	add_bits(column, ROW_OPTIONS, profile->options);
	if (!profile->options)
		add(column, ROW_OPTIONS, "none");
	if (inside)
		add(column, ROW_IN_WINDOW, "yes, %zu of %zu", inside,
		    way->count);
	else
		add(column, ROW_IN_WINDOW, "no, all are below");
	if (way->elsewhere)
		add(column, ROW_PORTS, "others (%zu)", way->elsewhere);
	else
		add(column, ROW_PORTS, "IKE's");
	add(column, ROW_LARGEST, "%u octets of IP", profile->largest);
	add(column, ROW_FRAGMENT, "%s",
	    way->esp[0].segment->from.len == 16 ? "IPv6" :
	    count_text(&profile->dont_fragment));
	add_bits(column, ROW_CLASS, profile->dscp);
	add(column, ROW_CLASS, "; ECN ");
	add_bits(column, ROW_CLASS, profile->ecn);
}

static void print_table(const struct profile profiles[2])
{
	struct column columns[2] = { };
	enum row row;
	int way;

	for (way = 0; way < 2; way++) {
		if (!profiles[way].way->count)
			continue;
		add_numbers(&columns[way], &profiles[way]);
		add_rest(&columns[way], &profiles[way]);
	}
	print_coloured(COLOUR_BOLD, "%-*s%-*s%s\n", LABEL_WIDTH, "",
		       CELL_WIDTH, "originator sends", "responder sends");
	for (row = 0; row < ROWS; row++)
		printf("%-*s%-*s%s\n", LABEL_WIDTH, labels[row], CELL_WIDTH,
		       *columns[0].cell[row] ? columns[0].cell[row] : "-",
		       *columns[1].cell[row] ? columns[1].cell[row] : "-");
}

static void print_options(const struct profile profiles[2])
{
	char text[2][OPTIONS_SIZE];
	int way;

	for (way = 0; way < 2; way++)
		profile_options(&profiles[way], text[way]);
	if (profiles[0].way->count && profiles[1].way->count &&
	    !strcmp(text[0], text[1])) {
		printf("\noptions, both directions:\n %s\n", text[0]);
		return;
	}
	for (way = 0; way < 2; way++) {
		if (profiles[way].way->count)
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
		if (choice_is_open(choice, i))
			text_append(others, sizeof(others), "%s%s",
				    *others ? " and " : "", policy_text(i));
	}
	if (*others)
		note("%s of the %s: %s fits as well as %s.", what, side[way],
		     others, policy_text(choice->policy));
	if (choice->count.against)
		note("%s of the %s: %zu of %zu packets contradict.", what,
		     side[way], choice->count.against, choice->count.all);
	if (choice->policy == POLICY_FIXED)
		note("%s of the %s is %u: if other connections have that, too, set %s-value.",
		     what, side[way], choice->value, what);
}

/* What one direction does that no option lets this host do */
static void note_impossible(int way, const struct profile *profile)
{
	if (!profile_flags_known(profile))
		note("This host cannot send the flags of the %s.", side[way]);
	if (profile->options)
		note("This host cannot send the other options of the %s.",
		     side[way]);
	if (profile->way->prefixed && !profile->counts_itself)
		note("The length in front does not count itself: no option says so.");
	else if (profile->way->prefixed && !profile_prefix_known(profile))
		note("Time stamps do not tell the %s's ESP from IKE: this host refuses a length.",
		     side[way]);
	if (profile->way->elsewhere)
		note("%zu ESP packets of the %s have other ports, perhaps of an older connection.",
		     profile->way->elsewhere, side[way]);
}

static void note_way(int way, const struct profile *profile)
{
	if (profile->way->strays)
		note("%zu segments of the %s are neither IKE's stream nor of a known SA.",
		     profile->way->strays, side[way]);
	if (profile->way->repeated)
		note("%zu ESP packets of the %s were captured more than once, and counted once.",
		     profile->way->repeated, side[way]);
	if (!stream_is_complete(&profile->way->stream))
		note("Octets of the %s's IKE stream are missing: snapshot is not reliable.",
		     side[way]);
	if (!profile->way->count)
		return;
	if (profile->way->count < FEW_PACKETS)
		note("The %s has sent %zu ESP packets only: let more traffic pass.",
		     side[way], profile->way->count);
	note_choice(way, "seq", &profile->seq);
	if (profile->acknowledges)
		note_choice(way, "ack", &profile->ack);
	note_impossible(way, profile);
	if (!profile->window.known)
		note("window of the %s is neither one value nor IKE's.",
		     side[way]);
	if (!count_convinces(&profile->flags_count))
		note("flags of the %s differ from packet to packet.",
		     side[way]);
}

/* How a better capture would decide what this one leaves open */
static void note_remedies(const struct profile profiles[2])
{
	bool sa = false, snapshot = false;
	int way;

	for (way = 0; way < 2; way++) {
		const struct profile *profile = &profiles[way];

		sa |= choice_is_open(&profile->seq, POLICY_SA) ||
			choice_is_open(&profile->ack, POLICY_SA);
		snapshot |= choice_is_open(&profile->seq, POLICY_SNAPSHOT) ||
			choice_is_open(&profile->ack, POLICY_SNAPSHOT);
	}
	if (sa)
		note("A rekey of the tunnel while ESP flows would decide about sa.");
	if (snapshot)
		note("IKE messages while ESP flows (a rekey) would decide about snapshot.");
}

static void print_notes(const struct capture *capture,
			const struct profile profiles[2])
{
	int way;

	noted = false;
	for (way = 0; way < 2; way++)
		note_way(way, &profiles[way]);
	note_remedies(profiles);
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
 * report_print() - print a connection for people
 * @capture: the capture
 * @connection: one of IKE's connections in it
 */
void report_print(const struct capture *capture,
		  const struct connection *connection)
{
	const struct segment *syn = connection->syn;
	struct profile profiles[2];
	char from[ENDPOINT_STRLEN], to[ENDPOINT_STRLEN];
	int way;

	print_coloured(COLOUR_BOLD, "connection from %s to %s\n",
		       address_endpoint(from, &syn->from, syn->from_port),
		       address_endpoint(to, &syn->to, syn->to_port));
	print_stream(connection->way);
	for (way = 0; way < 2; way++)
		profile_infer(&profiles[way], &connection->way[way],
			      &connection->way[!way]);
	if (!profiles[0].way->count && !profiles[1].way->count) {
		puts("\nESP travels in the stream, as RFC 9329 says: framing rfc9329");
		print_notes(capture, profiles);
		return;
	}
	puts("\nESP travels beside the stream, each packet behind a TCP header of its own:\n");
	print_table(profiles);
	print_notes(capture, profiles);
	print_options(profiles);
}
