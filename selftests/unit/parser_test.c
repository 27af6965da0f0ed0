// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/parser.c: wherever TCP cuts a stream, the parser finds
 * what the reference finds in the whole, and bad input is called by its name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feeder.h"
#include "reference.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define MAX_FRAME	65535
#define FUZZ_ROUNDS	20000
#define FUZZ_STREAM	4096

struct stream {
	uint8_t *octets;
	size_t len;
};

static struct feeder feeder;
static struct trace want, seen;

static int free_traces(void **state)
{
	(void)state;
	trace_free(&want);
	trace_free(&seen);
	return 0;
}

/* A frame of the given length whose message begins with these four octets. */
static void add_frame(struct stream *s, size_t frame, const uint8_t *start)
{
	size_t i;

	s->octets = realloc(s->octets, s->len + (frame < 2 ? 2 : frame));
	assert_non_null(s->octets);
	s->octets[s->len++] = frame >> 8;
	s->octets[s->len++] = frame & 0xff;
	for (i = 2; i < frame; i++)
		s->octets[s->len++] = i < 6 ? start[i - 2] : i * 7 + (i >> 8);
}

static const uint8_t ike[] = { 0, 0, 0, 0 };
static const uint8_t esp[] = { 0x12, 0x34, 0x56, 0x78 };
static const uint8_t spi_first[] = { 1, 0, 0, 0 };
static const uint8_t spi_second[] = { 0, 1, 0, 0 };
static const uint8_t spi_third[] = { 0, 0, 1, 0 };
static const uint8_t spi_fourth[] = { 0, 0, 0, 1 };
static const uint8_t ones[] = { 0xff, 0xff, 0xff, 0xff };

static const struct kind {
	const char *name;
	size_t frame;
	const uint8_t *start;
} kinds[] = {
	{ "empty frame", 2, ike },
	{ "keepalive", 3, ones },
	{ "runt of 1 octet", 3, esp },
	{ "runt of 1 zero octet", 3, ike },
	{ "runt of 2 octets", 4, esp },
	{ "runt of 2 octets like keepalives", 4, ones },
	{ "runt of 3 octets", 5, esp },
	{ "runt of 3 zero octets", 5, ike },
	{ "runt of an SPI alone", 6, esp },
	{ "runt of an SPI and 1 octet", 7, esp },
	{ "runt of an SPI and 2 octets", 8, esp },
	{ "runt of an SPI and 3 octets", 9, esp },
	{ "runt of a marker alone", 6, ike },
	{ "runt of a marker and 1 octet", 7, ike },
	{ "runt of a marker and 27 octets", 33, ike },
	{ "smallest ESP", 10, esp },
	{ "smallest ESP, SPI of ones", 10, ones },
	{ "ESP, SPI 0x01000000", 40, spi_first },
	{ "ESP, SPI 0x00010000", 40, spi_second },
	{ "ESP, SPI 0x00000100", 40, spi_third },
	{ "ESP, SPI 0x00000001", 40, spi_fourth },
	{ "ESP", 102, esp },
	{ "ESP, length 256", 256, esp },
	{ "ESP, length 255", 255, esp },
	{ "smallest IKE", 34, ike },
	{ "IKE", 300, ike },
	{ "IKE, length 512", 512, ike },
	{ "length 0", 0, ike },
	{ "length 1", 1, ike },
};

static const struct kind largest[] = {
	{ "largest ESP", MAX_FRAME, esp },
	{ "largest IKE", MAX_FRAME, ike },
};

/* Feed the stream cut at these positions and compare with the reference. */
static void check_cuts(const struct stream *s, const size_t *cut, size_t cuts)
{
	size_t from = 0, i;

	trace_reset(&seen);
	feeder_reset(&feeder);
	for (i = 0; i <= cuts; i++) {
		size_t to = i < cuts ? cut[i] : s->len;

		feeder_piece(&feeder, &seen, s->octets + from, to - from);
		from = to;
	}
	feeder_end(&feeder, &seen);
	if (!trace_equal(&want, &seen))
		fail_msg("stream of %zu octets cut %zu times, first at %zu",
			 s->len, cuts, cuts ? cut[0] : 0);
}

static void check_byte_by_byte(const struct stream *s)
{
	size_t i;

	trace_reset(&seen);
	feeder_reset(&feeder);
	for (i = 0; i < s->len; i++)
		feeder_piece(&feeder, &seen, s->octets + i, 1);
	feeder_end(&feeder, &seen);
	assert_true(trace_equal(&want, &seen));
}

static void set_reference(const struct stream *s)
{
	trace_reset(&want);
	reference_decode(&want, s->octets, s->len);
}

static void check_every_cut(const struct stream *s)
{
	size_t i;

	set_reference(s);
	check_cuts(s, NULL, 0);
	check_byte_by_byte(s);
	for (i = 0; i <= s->len; i++)
		check_cuts(s, &i, 1);
}

/* Between two frames: a frame must not disturb its neighbours. */
static void one_kind(void **state)
{
	const struct kind *k = *state;
	struct stream s = { 0 };

	add_frame(&s, 40, ike);
	add_frame(&s, k->frame, k->start);
	add_frame(&s, 20, esp);
	check_every_cut(&s);
	free(s.octets);
}

static void one_kind_alone(void **state)
{
	const struct kind *k = *state;
	struct stream s = { 0 };

	add_frame(&s, k->frame, k->start);
	check_every_cut(&s);
	free(s.octets);
}

/* Each kind behind each other kind, cut at every two positions. */
static void pairs(void **state)
{
	size_t a, b, cut[2];

	(void)state;
	for (a = 0; a < ARRAY_SIZE(kinds); a++) {
		for (b = 0; b < ARRAY_SIZE(kinds); b++) {
			struct stream s = { 0 };

			if (kinds[a].frame + kinds[b].frame > 70)
				continue;
			add_frame(&s, kinds[a].frame, kinds[a].start);
			add_frame(&s, kinds[b].frame, kinds[b].start);
			set_reference(&s);
			for (cut[0] = 0; cut[0] <= s.len; cut[0]++)
				for (cut[1] = cut[0]; cut[1] <= s.len; cut[1]++)
					check_cuts(&s, cut, 2);
			free(s.octets);
		}
	}
}

/* All kinds that leave the connection open, in one stream, in both orders. */
static void all_kinds(void **state)
{
	size_t n = ARRAY_SIZE(kinds) - 2, i;
	struct stream s = { 0 };

	(void)state;
	for (i = 0; i < n; i++)
		add_frame(&s, kinds[i].frame, kinds[i].start);
	for (i = n; i-- > 0;)
		add_frame(&s, kinds[i].frame, kinds[i].start);
	check_every_cut(&s);
	free(s.octets);
}

/* A stream may end anywhere; only between frames does it end well. */
static void every_end(void **state)
{
	struct stream s = { 0 };
	size_t whole;

	(void)state;
	add_frame(&s, 2, ike);
	add_frame(&s, 3, ones);
	add_frame(&s, 5, esp);
	add_frame(&s, 34, ike);
	add_frame(&s, 10, esp);
	for (whole = s.len; s.len > 0; s.len--)
		check_every_cut(&s);
	s.len = whole;
	free(s.octets);
}

/*
 * The table of bad input, with the verdicts written out: a second opinion on
 * the reference as well. The verdicts are those of complete frames, in order.
 */
static const struct bad_input {
	const char *name;
	const char *octets;
	size_t len;
	enum esptcp_verdict verdict[4];
	int verdicts;
	int midframe;
} bad_inputs[] = {
#define ROW(n, o, m, ...) { \
	.name = n, .octets = o, .len = sizeof(o) - 1, .midframe = m, \
	.verdict = { __VA_ARGS__ }, \
	.verdicts = sizeof((int[]){ __VA_ARGS__ }) / sizeof(int) }
	ROW("length 0", "\0\0", 0, ESPTCP_BAD_LENGTH),
	ROW("length 1", "\0\1", 0, ESPTCP_BAD_LENGTH),
	ROW("length 0 after an empty frame", "\0\2\0\0", 0,
	    ESPTCP_EMPTY, ESPTCP_BAD_LENGTH),
	ROW("length 1 after a keepalive", "\0\3\xff\0\1", 0,
	    ESPTCP_KEEPALIVE, ESPTCP_BAD_LENGTH),
	ROW("length 0 in the midst of frames", "\0\3x\0\0\0\2\0\2", 0,
	    ESPTCP_RUNT, ESPTCP_BAD_LENGTH),
	ROW("a stream of zeros", "\0\0\0\0\0\0\0\0\0\0", 0, ESPTCP_BAD_LENGTH),
	ROW("half a length", "\0", 1),
	ROW("half a length after a frame", "\0\2\1", 1, ESPTCP_EMPTY),
	ROW("a length and nothing behind it", "\0\3", 1),
	ROW("the largest length and nothing behind it", "\xff\xff", 1),
	ROW("half a marker", "\0\x30\0\0", 1),
	ROW("half an SPI", "\0\x30\1\2", 1),
	ROW("ESP short of an octet", "\0\x0a\1\2\3\4\5\6\7", 1),
	ROW("one octet that is no keepalive", "\0\3\xfe", 0, ESPTCP_RUNT),
	ROW("one zero octet", "\0\3\0", 0, ESPTCP_RUNT),
	ROW("two keepalives in one frame", "\0\4\xff\xff", 0, ESPTCP_RUNT),
	ROW("a marker short of an octet", "\0\5\0\0\0", 0, ESPTCP_RUNT),
	ROW("a marker alone", "\0\6\0\0\0\0", 0, ESPTCP_RUNT),
	ROW("an SPI alone", "\0\6\0\0\0\1", 0, ESPTCP_RUNT),
	ROW("an SPI and half a sequence number", "\0\x8\1\2\3\4\5\6", 0,
	    ESPTCP_RUNT),
	ROW("the stream prefix twice", "IKETCPIKETCP", 1),
	ROW("a UDP-encapsulated keepalive without a length", "\xff", 1),
#undef ROW
};

/* The verdict at this place of the trace, and the length that goes with it. */
static enum esptcp_verdict next_verdict(const struct trace *t, size_t *at,
					uint32_t *len)
{
	uint32_t head[2];

	assert_true(*at + sizeof(head) <= t->len);
	memcpy(head, t->octets + *at, sizeof(head));
	*at += sizeof(head);
	*len = head[1];
	if (head[0] == ESPTCP_RUNT || head[0] == ESPTCP_IKE ||
	    head[0] == ESPTCP_ESP)
		*at += *len;
	return head[0];
}

static void bad_input(void **state)
{
	const struct bad_input *row = *state;
	struct stream s = { (uint8_t *)row->octets, row->len };
	enum esptcp_verdict v = ESPTCP_MORE;
	uint32_t len;
	size_t at = 0;
	int i;

	check_every_cut(&s);
	for (i = 0; i < row->verdicts; i++) {
		v = next_verdict(&seen, &at, &len);
		assert_int_equal(v, row->verdict[i]);
	}
	if (v != ESPTCP_BAD_LENGTH) {
		assert_int_equal(next_verdict(&seen, &at, &len), ESPTCP_MORE);
		assert_int_equal(len, row->midframe);
	}
	assert_int_equal(at, seen.len);
}

static uint32_t random_state;

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* Mostly frames as peers send them, some of noise; lengths near the edges. */
static void random_stream(struct stream *s)
{
	static const uint8_t *const starts[] = { ike, esp, ones };
	size_t room = 1 + next_random() % FUZZ_STREAM;

	s->len = 0;
	while (s->len < room) {
		uint32_t r = next_random();
		size_t frame = r & 1 ? 2 + (r >> 8) % 40 : (r >> 8) % 1500;

		if (r % 61 == 0)
			frame = r % 2;
		add_frame(s, frame, starts[(r >> 4) % ARRAY_SIZE(starts)]);
		if (r % 31 == 0)
			s->octets[s->len - 1] ^= r >> 16;
	}
	s->len = room;
}

static void random_streams(void **state)
{
	struct stream s = { 0 };
	int round;

	(void)state;
	random_state = 9329;
	for (round = 0; round < FUZZ_ROUNDS; round++) {
		size_t cut[32], cuts, at = 0;

		random_stream(&s);
		set_reference(&s);
		for (cuts = 0; cuts < ARRAY_SIZE(cut); cuts++) {
			at += next_random() % (1 + s.len / 8);
			if (at > s.len)
				break;
			cut[cuts] = at;
		}
		check_cuts(&s, cut, cuts);
	}
	free(s.octets);
}

#define ALL_OF(table, function) do { \
	for (i = 0; i < ARRAY_SIZE(table); i++) \
		tests[n++] = (struct CMUnitTest){ \
			.name = table[i].name, .test_func = function, \
			.initial_state = (void *)&table[i] }; \
} while (0)

int main(void)
{
	const struct CMUnitTest streams[] = {
		cmocka_unit_test(pairs),
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(every_end),
		cmocka_unit_test(random_streams),
	};
	struct CMUnitTest tests[ARRAY_SIZE(kinds) + ARRAY_SIZE(largest) +
				ARRAY_SIZE(bad_inputs) + ARRAY_SIZE(streams)];
	size_t n = 0, i;

	ALL_OF(kinds, one_kind);
	ALL_OF(largest, one_kind_alone);
	ALL_OF(bad_inputs, bad_input);
	for (i = 0; i < ARRAY_SIZE(streams); i++)
		tests[n++] = streams[i];
	return cmocka_run_group_tests_name("parser", tests, NULL, free_traces);
}
