// SPDX-License-Identifier: GPL-2.0
/*
 * esptcp doctor: looks for what keeps tunnels over TCP from working, and says
 * what to do about it. The examinations only look; they change nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "colour.h"
#include "commands.h"
#include "finding.h"
#include "json.h"
#include "memory.h"
#include "parse.h"
#include "print.h"
#include "report.h"

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
static void (*const examinations[])(struct patient *patient) = {
	examine_module, examine_esp, examine_plugin, examine_ports,
	examine_firewall, examine_device, examine_sas, examine_framing,
	examine_path, examine_tcp, examine_drops,
};

/**
 * finding_add() - note a finding
 * @patient: whose it is
 * @verdict: how bad it is
 * @what: what was examined
 * @remedy: what to do, or NULL
 * @format: of a sentence without its full stop, as for printf()
 */
void finding_add(struct patient *patient, enum verdict verdict,
		 const char *what, const char *remedy, const char *format, ...)
{
	struct finding *finding;
	va_list args;

	patient->finding = memory_resize(patient->finding,
					 patient->findings + 1,
					 sizeof(*finding));
	finding = &patient->finding[patient->findings++];
	finding->verdict = verdict;
	finding->what = what;
	finding->remedy = remedy;
	va_start(args, format);
	finding->text = memory_print(format, args);
	va_end(args);
}

static void print_finding(const struct finding *finding)
{
	colour_on(verdicts[finding->verdict].colour);
	printf("%-8s", verdicts[finding->verdict].name);
	colour_off();
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

	add_text(object, "examined", finding->what);
	add_text(object, "verdict",
		 finding->verdict == VERDICT_PROBLEM ? "problem" :
		 verdicts[finding->verdict].name);
	add_text(object, "text", finding->text);
	if (finding->remedy)
		add_text(object, "remedy", finding->remedy);

	return object;
}

static void print_findings(const struct patient *patient, bool json)
{
	struct json_object *array = json ? json_object_new_array() : NULL;
	const struct finding *finding = patient->finding;
	const struct finding *end = finding + patient->findings;

	for (; finding < end; finding++) {
		if (json)
			json_object_array_add(array, new_finding(finding));
		else
			print_finding(finding);
	}
	if (json)
		print_json(array);
}

/* Free the findings and say what the exit status is. */
static int discharge(struct patient *patient)
{
	int status = 0;
	size_t i;

	for (i = 0; i < patient->findings; i++) {
		if (patient->finding[i].verdict == VERDICT_PROBLEM)
			status = EXIT_PROBLEM;
		free(patient->finding[i].text);
	}
	free(patient->finding);
	if (patient->alive)
		snapshot_free(&patient->snapshot);

	return status;
}

static int take_ports(char ***args, struct patient *patient)
{
	int status = 0;

	while (!status && next_is(*args, "port")) {
		(*args)++;
		if (patient->ports == EXAMINED_PORTS)
			return usage_error("16 ports at most", (*args)[0]);
		status = take_port(args, &patient->port[patient->ports++]);
	}
	if (!status)
		status = take_end(*args);

	return status;
}

int doctor_main(char **args)
{
	bool json = take_json(args);
	struct patient patient = { };
	int status;
	size_t i;

	status = take_ports(&args, &patient);
	if (status)
		return status;

	for (i = 0; i < ARRAY_SIZE(examinations); i++)
		examinations[i](&patient);
	print_findings(&patient, json);

	return discharge(&patient);
}
