// SPDX-License-Identifier: GPL-2.0
/*
 * In libFuzzer's place where there is only gcc, and for "make check": gives a
 * fuzzer each file of its corpus, then ROUNDS random changes of them. The
 * random numbers are the same every time, so that a failure comes again.
 *
 *	FUZZER ROUNDS FILE...
 *
 * Prints KTAP. One thread, and everything stays in memory.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sanitizer/asan_interface.h>

#include "fuzz.h"

#define MAX_INPUT	65536
#define MAX_CHANGES	8
#define SECONDS		20	/* that an input may take */

/**
 * struct file - a file of the corpus
 * @name: of the file
 * @octets: what it holds
 * @len: how much
 */
struct file {
	const char *name;
	uint8_t *octets;
	size_t len;
};

static struct file *files;
static size_t count;

/* Where it is, for whoever has to find out why it died */
static struct {
	const char *file;
	unsigned long round;
} now;

static uint64_t state = 88172645463325252;

static uint32_t random_below(uint32_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;

	return (state >> 16) % limit;
}

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;

	return 0;
}

static void on_exit_early(void)
{
	dprintf(STDERR_FILENO, "# it called exit()\n");
	abort();
}

static void on_death(void)
{
	dprintf(STDERR_FILENO, "# in round %lu, with %s\n", now.round, now.file);
}

/* It goes round in circles: abort(), to see where. */
static void on_alarm(int number)
{
	(void)number;
	abort();
}

static int read_file(struct file *file, const char *name)
{
	FILE *stream = fopen(name, "r");

	if (!stream)
		return -1;
	file->name = name;
	file->octets = malloc(MAX_INPUT);
	assert(file->octets);
	file->len = fread(file->octets, 1, MAX_INPUT, stream);
	fclose(stream);

	return 0;
}

/* The input is as long as its memory, so that reading behind it is noticed. */
static void run(const uint8_t *octets, size_t len)
{
	uint8_t *input = malloc(len ? len : 1);

	assert(input);
	memcpy(input, octets, len);
	alarm(SECONDS);
	LLVMFuzzerTestOneInput(input, len);
	free(input);
}

static void set_octet(uint8_t *octets, size_t len)
{
	static const uint8_t edges[] = { 0, 1, 2, 3, 4, 0x7f, 0x80, 0xff };
	size_t at = random_below(len);

	if (random_below(2))
		octets[at] = edges[random_below(sizeof(edges))];
	else
		octets[at] ^= 1 << random_below(8);
}

static size_t cut_out(uint8_t *octets, size_t len)
{
	size_t from = random_below(len);
	size_t n = 1 + random_below(len - from < 64 ? len - from : 64);

	memmove(octets + from, octets + from + n, len - from - n);

	return len - n;
}

/* A part of any file, put in anywhere */
static size_t put_in(uint8_t *octets, size_t len)
{
	const struct file *other = &files[random_below(count)];
	size_t to = random_below(len + 1), from, n;

	if (!other->len)
		return len;
	from = random_below(other->len);
	n = 1 + random_below(other->len - from);
	if (n > MAX_INPUT - len)
		n = MAX_INPUT - len;
	memmove(octets + to + n, octets + to, len - to);
	memcpy(octets + to, other->octets + from, n);

	return len + n;
}

static size_t change(uint8_t *octets, size_t len)
{
	if (!len)
		return put_in(octets, len);
	switch (random_below(8)) {
	case 0:
		return cut_out(octets, len);
	case 1:
		return put_in(octets, len);
	case 2:
		return random_below(len + 1);
	default:
		set_octet(octets, len);
		return len;
	}
}

static void run_changed(const struct file *file)
{
	static uint8_t octets[MAX_INPUT];
	uint32_t changes = 1 + random_below(MAX_CHANGES);
	size_t len = file->len;

	memcpy(octets, file->octets, len);
	while (changes--)
		len = change(octets, len);
	run(octets, len);
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s ROUNDS FILE...\n", name);

	return 2;
}

/* What a fuzzer prints is of no interest; the sanitizers write to descriptor 2. */
static FILE *take_output(void)
{
	FILE *results = stdout;

	stdout = fopen("/dev/null", "w");
	stderr = fopen("/dev/null", "w");
	assert(stdout && stderr);

	return results;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	const char *name = strrchr(argv[0], '/');
	FILE *results;
	int i;

	name = name ? name + 1 : argv[0];
	if (argc < 3)
		return usage(name);
	files = calloc(argc, sizeof(*files));
	assert(files);
	for (i = 2; i < argc; i++) {
		if (!read_file(&files[count], argv[i]))
			count++;
		else
			perror(argv[i]);
	}
	if ((int)count < argc - 2)
		return 1;

	__sanitizer_set_death_callback(on_death);
	signal(SIGALRM, on_alarm);
	atexit(on_exit_early);
	results = take_output();
	fprintf(results, "1..2\n");
	LLVMFuzzerInitialize(&argc, &argv);
	for (i = 0; i < (int)count; i++) {
		now.file = files[i].name;
		run(files[i].octets, files[i].len);
	}
	fprintf(results, "ok 1 %s: the corpus, %zu files\n", name, count);
	fflush(results);
	for (now.round = 1; now.round <= rounds; now.round++) {
		const struct file *file = &files[random_below(count)];

		now.file = file->name;
		run_changed(file);
	}
	fprintf(results, "ok 2 %s: %lu changed inputs\n", name, rounds);
	fflush(results);
	_exit(0);
}
