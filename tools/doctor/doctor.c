// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp doctor: looks for what keeps tunnels over TCP from working, and says
 * what to do about it. The examinations only look; they change nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "doctor.h"
#include "lib/json.h"
#include "lib/args.h"
#include "lib/print.h"
#include "lib/error.h"

#define TEXT_COLUMN	21

static const struct {
	const char *name;
	const char *colour;
} verdicts[] = {
	[VERDICT_OK] = { "ok", COLOUR_GREEN },
	[VERDICT_SKIPPED] = { "skipped", COLOUR_BOLD },
	[VERDICT_WARNING] = { "warning", COLOUR_YELLOW },
	[VERDICT_PROBLEM] = { "PROBLEM", COLOUR_RED },
};

/* In an order in which the first problem is the one to solve first */
static void (*const examinations[])(struct doctor *doctor) = {
	doctor_module, doctor_esp, doctor_plugin, doctor_port,
	doctor_firewall, doctor_device, doctor_sas, doctor_framing,
	doctor_mtu, doctor_tcp, doctor_drops,
};

/**
 * doctor_add() - note a finding
 * @doctor: takes it
 * @verdict: how bad it is
 * @what: what was examined
 * @remedy: what to do, or NULL
 * @format: of a sentence without its full stop, as for printf()
 */
void doctor_add(struct doctor *doctor, enum verdict verdict,
		const char *what, const char *remedy, const char *format, ...)
{
	struct finding *finding;
	va_list args;

	doctor->finding = memory_grow(doctor->finding, doctor->findings, 1,
				      sizeof(*finding));
	finding = &doctor->finding[doctor->findings++];
	finding->verdict = verdict;
	finding->what = what;
	finding->remedy = remedy;
	va_start(args, format);
	finding->text = memory_print(format, args);
	va_end(args);
}

static void print_finding(const struct finding *finding)
{
	print_coloured(verdicts[finding->verdict].colour, "%-8s",
		       verdicts[finding->verdict].name);
	printf(" %-11s ", finding->what);
	print_wrapped(TEXT_COLUMN, finding->text);
	if (finding->remedy) {
		printf("%*s-> ", TEXT_COLUMN, "");
		print_wrapped(TEXT_COLUMN + 3, finding->remedy);
	}
}

static struct json_object *new_finding(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "examined", finding->what);
	json_add_text(object, "verdict",
		      finding->verdict == VERDICT_PROBLEM ? "problem" :
		      verdicts[finding->verdict].name);
	json_add_text(object, "text", finding->text);
	if (finding->remedy)
		json_add_text(object, "remedy", finding->remedy);

	return object;
}

static void print_findings(const struct doctor *doctor, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	const struct finding *finding = doctor->finding;
	const struct finding *end = finding + doctor->findings;

	for (; finding < end; finding++) {
		if (json)
			json_object_array_add(array, new_finding(finding));
		else
			print_finding(finding);
	}
	if (json)
		json_print(array);
}

/* Free the findings and say what the exit status is. */
static int end(struct doctor *doctor)
{
	int status = 0;
	size_t i;

	for (i = 0; i < doctor->findings; i++) {
		if (doctor->finding[i].verdict == VERDICT_PROBLEM)
			status = EXIT_PROBLEM;
		free(doctor->finding[i].text);
	}
	free(doctor->finding);
	snapshot_free(&doctor->snapshot);

	return status;
}

static int take_ports(char ***args, struct doctor *doctor)
{
	int status = 0;

	while (!status && args_next_is(*args, "port")) {
		(*args)++;
		if (doctor->ports == EXAMINED_PORTS)
			return args_error("16 ports at most", (*args)[0]);
		status = args_port(args, &doctor->port[doctor->ports++]);
	}
	if (!status)
		status = args_end(*args);

	return status;
}

int doctor_main(char **args)
{
	bool json = args_json(args);
	struct doctor doctor = { };
	int status;
	size_t i;

	status = take_ports(&args, &doctor);
	if (status)
		return status;

	for (i = 0; i < ARRAY_SIZE(examinations); i++)
		examinations[i](&doctor);
	print_findings(&doctor, json);

	return end(&doctor);
}
