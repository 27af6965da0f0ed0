// SPDX-License-Identifier: GPL-2.0
/*
 * Infers from ESP segments how their TCP headers were made. Every policy is
 * tried, and the packets that it does not explain are counted. The policy with
 * the fewest wins, of equal ones the simplest; the others that fit as well are
 * told, because the capture does not decide between them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/names.h"
#include "profile.h"

/* One packet in so many may contradict: captures are not always in order. */
#define TOLERANCE	20

/* So long ago, something is no longer on its way. */
#define RECENT_PACKETS	16

/* Fewer steps from packet to packet say nothing. */
#define ENOUGH_STEPS	2

/**
 * struct evidence - what the policies are tried on
 * @esp: the packets
 * @count: how many
 * @of: the number in question: 0 is the sequence number, 1 the acknowledgment
 *	number, which is about the other direction's stream
 * @first: that stream's first octet
 */
struct evidence {
	const struct esp *esp;
	size_t count;
	int of;
	__u32 first;
};

/* The number in question of a packet */
static __u32 value_of(const struct evidence *evidence, size_t i)
{
	const struct segment *segment = evidence->esp[i].segment;

	return evidence->of ? segment->ack : segment->seq;
}

/* What the stream would send next, when the packet was sent */
static __u32 next_of(const struct evidence *evidence, size_t i)
{
	return evidence->esp[i].next[evidence->of];
}

/* Up to where the stream was acknowledged then */
static __u32 acked_of(const struct evidence *evidence, size_t i)
{
	return evidence->esp[i].acked[evidence->of];
}

/**
 * policy_text() - the word for a policy
 * @policy: the policy
 *
 * Return: the word
 */
const char *policy_text(enum policy policy)
{
	/* that of POLICY_UNKNOWN has no name */
	return names_text(&policy_names, (__u32)policy - 1);
}

/**
 * count_convinces() - see whether nearly all packets agree
 * @count: the packets
 *
 * Return: true if they do
 */
bool count_convinces(const struct count *count)
{
	return count->all && count->against * TOLERANCE <= count->all;
}

static int by_value(const void *a, const void *b)
{
	__u32 left = *(const __u32 *)a, right = *(const __u32 *)b;

	return left < right ? -1 : left > right;
}

/* How many of a sorted list have the most frequent value; their number, too */
static size_t most_frequent(const __u32 *sorted, size_t count, __u32 *value,
			    size_t *values)
{
	size_t best = 0, run = 0;
	size_t i;

	*values = 0;
	for (i = 0; i < count; i++) {
		if (!i || sorted[i] != sorted[i - 1]) {
			run = 0;
			(*values)++;
		}
		if (++run > best) {
			best = run;
			*value = sorted[i];
		}
	}

	return best;
}

/* The same for the numbers' distances from something, or for themselves */
static size_t find_mode(const struct evidence *evidence,
			__u32 (*from)(const struct evidence *evidence, size_t i),
			__u32 *value, size_t *values)
{
	__u32 *sorted = memory_get(evidence->count, sizeof(*sorted));
	size_t i, best;

	for (i = 0; i < evidence->count; i++)
		sorted[i] = value_of(evidence, i) -
			    (from ? from(evidence, i) : 0);
	qsort(sorted, evidence->count, sizeof(*sorted), by_value);
	best = most_frequent(sorted, evidence->count, value, values);
	free(sorted);

	return best;
}

static struct count try_fixed(const struct evidence *evidence,
			      struct choice *choice)
{
	struct count count = { .all = evidence->count };
	__u32 value = 0;

	count.against = count.all -
			find_mode(evidence, NULL, &value, &choice->values);
	choice->value = value;
	choice->offset = value - evidence->first;

	return count;
}

/**
 * struct of_sa - the number in question of a packet of an SA
 * @spi: the SA's
 * @value: the number
 */
struct of_sa {
	__u32 spi;
	__u32 value;
};

static int by_spi_and_value(const void *a, const void *b)
{
	const struct of_sa *left = a, *right = b;

	if (left->spi != right->spi)
		return left->spi < right->spi ? -1 : 1;

	return by_value(&left->value, &right->value);
}

/* The packets' numbers, those of an SA together, each SA's sorted */
static struct of_sa *sort_by_sa(const struct evidence *evidence)
{
	struct of_sa *sorted = memory_get(evidence->count, sizeof(*sorted));
	size_t i;

	for (i = 0; i < evidence->count; i++)
		sorted[i] = (struct of_sa) {
			.spi = evidence->esp[i].spi,
			.value = value_of(evidence, i),
		};
	qsort(sorted, evidence->count, sizeof(*sorted), by_spi_and_value);

	return sorted;
}

/* One value of each SA is right, the others contradict. SAs come up at different
 * times, so several with the same value are no sign of this policy.
 */
static struct count try_sa(const struct evidence *evidence)
{
	struct count count = { .all = evidence->count };
	__u32 *values = memory_get(evidence->count, sizeof(*values));
	struct of_sa *sorted = sort_by_sa(evidence);
	size_t i, of_sa, different, sas = 0;
	__u32 value = 0, first = 0;
	bool differ = false;

	for (i = 0; i < evidence->count; i += of_sa) {
		for (of_sa = 0; i + of_sa < evidence->count &&
		     sorted[i + of_sa].spi == sorted[i].spi; of_sa++)
			values[of_sa] = sorted[i + of_sa].value;
		count.against += of_sa -
			most_frequent(values, of_sa, &value, &different);
		if (!sas++)
			first = value;
		differ |= value != first;
	}
	free(sorted);
	free(values);

	return sas > 1 && !differ ? (struct count) { } : count;
}

static struct count try_offset(const struct evidence *evidence,
			       __u32 (*from)(const struct evidence *evidence,
					     size_t i),
			       __s32 *offset)
{
	struct count count = { .all = evidence->count };
	__u32 mode = 0;
	size_t values;

	count.against = count.all - find_mode(evidence, from, &mode, &values);
	*offset = mode;

	return count;
}

static struct count try_snapshot(const struct evidence *evidence,
				 struct choice *choice, __s32 *offset)
{
	struct count next = try_offset(evidence, next_of, offset);
	struct count acked = try_offset(evidence, acked_of,
					&choice->offset_acked);

	choice->to_next = next.against <= acked.against;
	choice->to_acked = acked.against <= next.against;

	return choice->to_next ? next : acked;
}

/* Whether a number went ahead by no more than the stream has just done: it is
 * counted from there. The sender may have known a moment before or after.
 */
static bool went_with_stream(const struct evidence *evidence, size_t i,
			     __u32 ahead)
{
	size_t before = i > RECENT_PACKETS ? i - RECENT_PACKETS : 0;

	return ahead <= acked_of(evidence, i) - acked_of(evidence, before);
}

/* A sequence number advances if most packets begin where the one before them
 * ended. Only packets that surely follow one another count; going back is
 * beginning again.
 */
static struct count try_seq_advancing(const struct evidence *evidence,
				      struct choice *choice)
{
	__u32 start = evidence->count ? value_of(evidence, 0) : 0;
	struct count count = { };
	size_t restarts = 0, exact = 0;
	__u32 span = 0;
	size_t i;

	for (i = 1; i < evidence->count; i++) {
		const struct esp *last = &evidence->esp[i - 1];
		__u32 end = value_of(evidence, i - 1) + last->segment->length;

		if (evidence->esp[i].spi == last->spi &&
		    evidence->esp[i].number != last->number + 1)
			continue;
		count.all++;
		if (value_of(evidence, i) == end) {
			exact++;
			if (end - start > span)
				span = end - start;
		} else if ((__s32)(value_of(evidence, i) - end) < 0) {
			restarts++;
			start = value_of(evidence, i);
		} else if (!went_with_stream(evidence, i,
					     value_of(evidence, i) - end)) {
			count.against++;
		}
	}
	if (count.all < ENOUGH_STEPS || exact * 2 < count.all)
		return (struct count) { };
	choice->span = span;
	choice->restarts = restarts;

	return count;
}

/* An acknowledgment number advances if it is always where an ESP segment of the
 * other direction ends, and not always the same one.
 */
static struct count try_ack_advancing(const struct evidence *evidence,
				      const struct way *back,
				      struct choice *choice)
{
	__u32 *end = memory_get(back->count, sizeof(*end));
	__u32 low = 0, high = 0;
	struct count count = { };
	size_t i;

	for (i = 0; i < back->count; i++)
		end[i] = back->esp[i].segment->seq +
			back->esp[i].segment->length;
	qsort(end, back->count, sizeof(*end), by_value);
	for (i = 0; i < evidence->count; i++) {
		const __u32 value = value_of(evidence, i);

		/* before the first one there was nothing to acknowledge */
		if (!back->count ||
		    evidence->esp[i].segment < back->esp[0].segment)
			continue;
		if (!count.all++) {
			low = value;
			high = value;
		}
		if ((__s32)(value - low) < 0)
			low = value;
		if ((__s32)(value - high) > 0)
			high = value;
		if (!bsearch(&value, end, back->count, sizeof(*end), by_value))
			count.against++;
	}
	free(end);
	if (count.all < ENOUGH_STEPS || low == high)
		return (struct count) { };
	choice->span = high - low;

	return count;
}

/* Choose the policy that explains most; remember those that do as well. */
static void choose(struct choice *choice, const struct count count[POLICIES])
{
	enum policy best = POLICY_UNKNOWN;
	enum policy i;

	for (i = POLICY_FIXED; i < POLICIES; i++) {
		if (count_convinces(&count[i]) &&
		    (best == POLICY_UNKNOWN ||
		     count[i].against < count[best].against))
			best = i;
	}
	choice->policy = best;
	choice->count.all = count[POLICY_FIXED].all;
	if (best == POLICY_UNKNOWN)
		return;
	choice->count = count[best];
	for (i = POLICY_FIXED; i < POLICIES; i++)
		choice->fits[i] = count[i].all &&
			count[i].against == count[best].against;
}

static void infer_number(struct choice *choice, const struct evidence *evidence,
			 const struct way *back)
{
	struct count count[POLICIES] = { };
	__s32 offset = 0;

	count[POLICY_FIXED] = try_fixed(evidence, choice);
	count[POLICY_SA] = try_sa(evidence);
	count[POLICY_SNAPSHOT] = try_snapshot(evidence, choice, &offset);
	count[POLICY_ADVANCING] = back ?
		try_ack_advancing(evidence, back, choice) :
		try_seq_advancing(evidence, choice);
	choose(choice, count);
	if (choice->policy == POLICY_SNAPSHOT)
		choice->offset = offset;
}

static void infer_numbers(struct profile *profile, const struct way *way,
			  const struct way *back)
{
	struct evidence seq = { way->esp, way->count, 0, way->first };
	struct evidence ack = { way->esp, way->count, 1, back->first };

	infer_number(&profile->seq, &seq, NULL);
	if (profile->acknowledges)
		infer_number(&profile->ack, &ack, back);
}

static void infer_flags(struct profile *profile, const struct way *way)
{
	size_t times[256] = { };
	size_t i;

	for (i = 0; i < way->count; i++) {
		__u8 flags = way->esp[i].segment->flags;

		if (++times[flags] > times[profile->flags])
			profile->flags = flags;
	}
	profile->flags_count.all = way->count;
	profile->flags_count.against = way->count - times[profile->flags];
	profile->acknowledges = profile->flags & TH_ACK;
}

static void infer_window(struct window *window, const struct way *way)
{
	__u32 *sorted = memory_get(way->count, sizeof(*sorted));
	struct count fixed = { .all = way->count };
	struct count follows = { .all = way->count };
	size_t i, values;
	__u32 value = 0;

	for (i = 0; i < way->count; i++) {
		const struct esp *esp = &way->esp[i];

		sorted[i] = esp->segment->window;
		if (!esp->window_known || esp->window != esp->segment->window)
			follows.against++;
	}
	qsort(sorted, way->count, sizeof(*sorted), by_value);
	fixed.against = fixed.all - most_frequent(sorted, way->count, &value,
						  &values);
	free(sorted);
	window->value = value;
	window->follows = follows.against < fixed.against;
	window->same = follows.against == fixed.against;
	window->count = window->follows ? follows : fixed;
	window->known = count_convinces(&window->count);
}

static int by_sa(const void *a, const void *b)
{
	const struct esp *left = *(const struct esp **)a;
	const struct esp *right = *(const struct esp **)b;

	if (left->spi != right->spi)
		return left->spi < right->spi ? -1 : 1;

	return left->number < right->number ? -1 : left->number > right->number;
}

/* SAs and the packets of theirs that the capture lacks */
static void count_sas(struct profile *profile, const struct way *way)
{
	const struct esp **sorted = memory_get(way->count, sizeof(*sorted));
	size_t i;

	for (i = 0; i < way->count; i++)
		sorted[i] = &way->esp[i];
	qsort(sorted, way->count, sizeof(*sorted), by_sa);
	for (i = 0; i < way->count; i++) {
		if (!i || sorted[i]->spi != sorted[i - 1]->spi)
			profile->sas++;
		else if (sorted[i]->number != sorted[i - 1]->number)
			profile->missing += sorted[i]->number -
				sorted[i - 1]->number - 1;
	}
	free(sorted);
}

static void look_at(struct profile *profile, const struct esp *esp)
{
	const struct segment *segment = esp->segment;

	profile->timestamps.all++;
	profile->timestamps.against += !segment->timestamps;
	profile->dont_fragment.all++;
	profile->dont_fragment.against += !segment->dont_fragment;
	if ((__s32)(segment->seq + segment->length - esp->acked[0]) <= 0)
		profile->below++;
	if (segment->packet > profile->largest)
		profile->largest = segment->packet;
	profile->dscp |= 1ULL << (segment->traffic_class >> 2);
	profile->ecn |= 1 << (segment->traffic_class & 3);
	profile->options |= segment->options;
}

/**
 * profile_infer() - find out how ESP is put behind TCP headers
 * @profile: filled
 * @way: a direction
 * @back: the other direction
 */
void profile_infer(struct profile *profile, const struct way *way,
		   const struct way *back)
{
	size_t i;

	*profile = (struct profile) { .way = way };
	if (!way->count)
		return;
	infer_flags(profile, way);
	infer_numbers(profile, way, back);
	infer_window(&profile->window, way);
	count_sas(profile, way);
	for (i = 0; i < way->count; i++)
		look_at(profile, &way->esp[i]);
	if (way->prefixed) {
		const struct segment *segment = way->esp[0].segment;

		profile->counts_itself = segment->length ==
			(__u32)(segment->payload[0] << 8 |
				segment->payload[1]);
	}
}
