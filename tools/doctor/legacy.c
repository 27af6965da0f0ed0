// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the rules of iptables-legacy, for doctor, and says them as libnftables
 * would in JSON. Only matches that doctor's walk through the rules understands
 * are translated; any other becomes a statement that it takes for unknown.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/json.h"
#include "ruleset.h"

/* A rule is a line of so many words at most; iptables writes far fewer. */
#define MAX_WORDS	128

/**
 * struct reader - the place in the rules
 * @family: ip or ip6
 * @table: filter and so on
 * @objects: what has been read, chains and rules
 */
struct reader {
	const char *family;
	char table[32];
	struct json_object *objects;
};

/* Options that a match takes, and the left side that they mean */
static const struct {
	const char *option;
	const char *kind;
	const char *member[2];
	const char *value[2];
	const char *op;
} matches[] = {
	{ "-p", "meta", { "key" }, { "l4proto" }, "==" },
	{ "-i", "meta", { "key" }, { "iifname" }, "==" },
	{ "-o", "meta", { "key" }, { "oifname" }, "==" },
	{ "--ctstate", "ct", { "key" }, { "state" }, "in" },
	{ "--state", "ct", { "key" }, { "state" }, "in" },
	{ "--dport", "payload", { "protocol", "field" }, { "th", "dport" }, "==" },
	{ "--dports", "payload", { "protocol", "field" }, { "th", "dport" }, "==" },
	{ "--sport", "payload", { "protocol", "field" }, { "th", "sport" }, "==" },
	{ "--sports", "payload", { "protocol", "field" }, { "th", "sport" }, "==" },
};

/* A word that stands for itself, a number, or two numbers with a colon */
static struct json_object *new_value(const char *word)
{
	struct json_object *range, *pair;
	char *end;
	long low;

	low = strtol(word, &end, 10);
	if (end == word || (*end && *end != ':'))
		return json_object_new_string(word);
	if (!*end)
		return json_object_new_int(low);

	pair = json_object_new_array();
	json_object_array_add(pair, json_object_new_int(low));
	json_object_array_add(pair, json_object_new_int(atoi(end + 1)));
	range = json_object_new_object();
	json_object_object_add(range, "range", pair);

	return range;
}

/* The right side: values with commas between them, in small letters */
static struct json_object *new_list(char *text)
{
	struct json_object *array = json_object_new_array();
	char *word, *rest;

	for (char *c = text; *c; c++)
		*c = tolower((unsigned char)*c);
	for (word = strtok_r(text, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest))
		json_object_array_add(array, new_value(word));

	return array;
}

/* Devices keep their capital letters, and are no lists. */
static struct json_object *new_right(const char *option, char *text)
{
	if (!strcmp(option, "-i") || !strcmp(option, "-o"))
		return json_object_new_string(text);

	return new_list(text);
}

static void add_member(struct json_object *array, const char *name,
		       struct json_object *value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, name, value);
	json_object_array_add(array, object);
}

/* Return: whether the option is known, and so was added */
static bool add_match(struct json_object *expr, const char *option, char *text,
		      bool negated)
{
	struct json_object *match, *left, *inner;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(matches); i++) {
		if (strcmp(matches[i].option, option))
			continue;
		inner = json_object_new_object();
		for (j = 0; j < 2 && matches[i].member[j]; j++)
			json_add_text(inner, matches[i].member[j],
				      matches[i].value[j]);
		left = json_object_new_object();
		json_object_object_add(left, matches[i].kind, inner);
		match = json_object_new_object();
		json_add_text(match, "op", negated ? "!=" : matches[i].op);
		json_object_object_add(match, "left", left);
		json_object_object_add(match, "right", new_right(option, text));
		add_member(expr, "match", match);
		return true;
	}

	return false;
}

/* A target that is no verdict is a chain, or does something to the packet. */
static void add_target(struct json_object *expr, const char *option,
		       const char *name)
{
	static const char * const verdicts[][2] = {
		{ "ACCEPT", "accept" }, { "DROP", "drop" },
		{ "REJECT", "reject" }, { "RETURN", "return" },
	};
	struct json_object *target;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (strcmp(verdicts[i][0], name))
			continue;
		add_member(expr, verdicts[i][1], NULL);
		return;
	}
	target = json_object_new_object();
	json_add_text(target, "target", name);
	add_member(expr, !strcmp(option, "-g") ? "goto" : "jump", target);
}

/* Translate the words behind the chain's name; NULL ends them. */
static struct json_object *new_expr(char **word)
{
	struct json_object *expr = json_object_new_array();
	bool negated = false;

	for (; word[0] && word[1]; word++) {
		if (!strcmp(word[0], "!")) {
			negated = true;
			continue;
		}
		if (!strcmp(word[0], "-j") || !strcmp(word[0], "-g")) {
			/* what follows is the target's */
			add_target(expr, word[0], word[1]);
			return expr;
		}
		if (word[0][0] == '-' && strcmp(word[0], "-m") &&
		    strcmp(word[0], "--comment") &&
		    !add_match(expr, word[0], word[1], negated))
			add_member(expr, "unknown", NULL);
		/* the values of an option that is not known are passed over */
		negated = false;
		if (word[0][0] == '-' && word[1][0] != '-' &&
		    strcmp(word[1], "!"))
			word++;
	}

	return expr;
}

/* Split a line at its blanks, but not inside quotation marks. */
static void split(char *line, char *word[MAX_WORDS + 1])
{
	bool quoted = false, inside = false;
	size_t count = 0;
	char *out = line;

	for (; *line; line++) {
		if (*line == '"') {
			quoted = !quoted;
			continue;
		}
		if (isspace((unsigned char)*line) && !quoted) {
			if (inside)
				*out++ = '\0';
			inside = false;
			continue;
		}
		if (*line == '\\' && quoted && line[1])
			line++;
		if (!inside && count < MAX_WORDS)
			word[count++] = out;
		inside = true;
		*out++ = *line;
	}
	*out = '\0';
	word[count] = NULL;
}

static struct json_object *new_object(const struct reader *reader)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "family", reader->family);
	json_add_text(object, "table", reader->table);

	return object;
}

/* ":INPUT DROP [1:52]"; a chain that users made has no policy. */
static void read_chain(struct reader *reader, char *const *word)
{
	struct json_object *chain = new_object(reader);
	char hook[32];
	size_t i;

	json_add_text(chain, "name", word[0] + 1);
	if (word[1] && strcmp(word[1], "-")) {
		snprintf(hook, sizeof(hook), "%s", word[0] + 1);
		for (i = 0; hook[i]; i++)
			hook[i] = tolower((unsigned char)hook[i]);
		json_add_text(chain, "hook", hook);
		json_add_text(chain, "policy",
			      strcmp(word[1], "DROP") ? "accept" : "drop");
	}
	add_member(reader->objects, "chain", chain);
}

static void read_line(struct reader *reader, char *line)
{
	char *word[MAX_WORDS + 1];
	struct json_object *rule;

	split(line, word);
	if (!word[0])
		return;
	if (word[0][0] == '*') {
		snprintf(reader->table, sizeof(reader->table), "%s",
			 word[0] + 1);
	} else if (word[0][0] == ':') {
		read_chain(reader, word);
	} else if (!strcmp(word[0], "-A") && word[1]) {
		rule = new_object(reader);
		json_add_text(rule, "chain", word[1]);
		json_object_object_add(rule, "expr", new_expr(word + 2));
		add_member(reader->objects, "rule", rule);
	}
}

/**
 * ruleset_of_legacy() - read the rules of iptables-legacy
 * @program: iptables-legacy-save or ip6tables-legacy-save
 * @family: ip or ip6
 *
 * Return: array of all objects, or NULL if the program cannot do it
 */
struct json_object *ruleset_of_legacy(const char *program, const char *family)
{
	struct reader reader = { .family = family };
	size_t size = 0;
	char command[64];
	char *line = NULL;
	FILE *pipe;

	snprintf(command, sizeof(command), "%s 2> /dev/null", program);
	pipe = popen(command, "re");
	if (!pipe)
		return NULL;
	reader.objects = json_object_new_array();
	while (getline(&line, &size, pipe) > 0)
		read_line(&reader, line);
	free(line);
	if (pclose(pipe)) {
		json_object_put(reader.objects);
		return NULL;
	}

	return reader.objects;
}
