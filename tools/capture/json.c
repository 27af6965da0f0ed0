// SPDX-License-Identifier: GPL-2.0
/*
 * Says what a capture shows, for programs. The manual page names the members.
 */
#include "lib/json.h"
#include "lib/text.h"
#include "report.h"

static void add_count(struct json_object *object, const struct count *count)
{
	json_add_number(object, "packets", count->all);
	json_add_number(object, "contradicting", count->against);
}

static void add_offset(struct json_object *object, const char *name,
		       __s32 offset)
{
	json_object_object_add(object, name, json_object_new_int(offset));
}

static struct json_object *new_choice(const struct choice *choice)
{
	struct json_object *object = json_object_new_object();
	struct json_object *also = json_object_new_array();
	enum policy i;

	json_add_text(object, "policy", policy_text(choice->policy));
	for (i = POLICY_FIXED; i < POLICIES; i++) {
		const char *name = policy_text(i);

		if (choice_is_open(choice, i))
			json_object_array_add(also, json_object_new_string(name));
	}
	json_object_object_add(object, "fits-as-well", also);
	add_count(object, &choice->count);
	json_add_number(object, "values", choice->values);
	if (choice->policy == POLICY_FIXED) {
		json_add_number(object, "value", choice->value);
		add_offset(object, "from-first", choice->offset);
	}
	if (choice->policy == POLICY_SNAPSHOT && choice->to_next)
		add_offset(object, "from-next", choice->offset);
	if (choice->policy == POLICY_SNAPSHOT && choice->to_acked)
		add_offset(object, "from-acked", choice->offset_acked);
	if (choice->policy == POLICY_ADVANCING) {
		json_add_number(object, "span", choice->span);
		json_add_number(object, "restarts", choice->restarts);
	}

	return object;
}

static struct json_object *new_window(const struct window *window)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "policy", !window->known ? "unknown" :
		      window->follows ? "snapshot" : "fixed");
	add_count(object, &window->count);
	if (window->known && !window->follows) {
		json_add_number(object, "value", window->value);
		json_add_bool(object, "equals-ike", window->same);
	}

	return object;
}

static struct json_object *new_bits(__u64 bits)
{
	struct json_object *array = json_object_new_array();
	int i;

	for (i = 0; i < 64; i++) {
		if (bits & 1ULL << i)
			json_object_array_add(array, json_object_new_int(i));
	}

	return array;
}

static void add_profile(struct json_object *object,
			const struct profile *profile)
{
	const struct way *way = profile->way;
	const struct count ike = { way->timestamps + way->bare, way->bare };
	char text[OPTIONS_SIZE], names[FLAGS_STRLEN];

	json_add_number(object, "sas", profile->sas);
	json_add_number(object, "missing", profile->missing);
	json_add_text(object, "flags", text_flags(names, profile->flags));
	json_add_number(object, "flags-contradicting", profile->flags_count.against);
	json_object_object_add(object, "seq", new_choice(&profile->seq));
	if (profile->acknowledges)
		json_object_object_add(object, "ack",
				       new_choice(&profile->ack));
	json_object_object_add(object, "window", new_window(&profile->window));
	json_add_text(object, "length-prefix", way->prefixed ? "yes" : "no");
	if (way->prefixed)
		json_add_bool(object, "length-counts-itself",
			      profile->counts_itself);
	json_add_text(object, "timestamps", count_text(&profile->timestamps));
	json_add_text(object, "ike-timestamps", count_text(&ike));
	json_object_object_add(object, "other-options",
			       new_bits(profile->options));
	json_add_text(object, "in-window",
		      profile->below == way->count ? "no" : "yes");
	json_add_number(object, "below", profile->below);
	json_add_number(object, "other-ports", way->elsewhere);
	json_add_number(object, "largest-packet", profile->largest);
	json_add_text(object, "dont-fragment", count_text(&profile->dont_fragment));
	json_object_object_add(object, "dscp", new_bits(profile->dscp));
	json_object_object_add(object, "ecn", new_bits(profile->ecn));
	profile_options(profile, text);
	json_add_text(object, "options", text + 1);
}

static struct json_object *new_way(const struct way *way,
				   const struct way *back)
{
	struct json_object *object = json_object_new_object();
	struct profile profile;

	json_add_number(object, "ike-messages", way->frames.ike);
	json_add_number(object, "esp-in-stream", way->frames.esp);
	json_add_number(object, "esp-beside", way->count);
	json_add_number(object, "repeated", way->repeated);
	json_add_number(object, "strays", way->strays);
	json_add_bool(object, "stream-complete",
		      stream_is_complete(&way->stream));
	profile_infer(&profile, way, back);
	if (way->count)
		add_profile(object, &profile);

	return object;
}

/**
 * report_connection() - what a capture shows of a connection
 * @connection: the connection
 *
 * Return: an object
 */
struct json_object *report_connection(const struct connection *connection)
{
	struct json_object *object = json_object_new_object();
	const struct way *way = connection->way;
	const struct segment *syn = connection->syn;

	json_add_address(object, "originator-addr", &syn->from);
	json_add_number(object, "originator-port", syn->from_port);
	json_add_address(object, "responder-addr", &syn->to);
	json_add_number(object, "responder-port", syn->to_port);
	json_add_bool(object, "prefix", way[0].frames.prefix);
	json_add_text(object, "framing", way[0].count || way[1].count ?
		      "fortinet" : "rfc9329");
	json_object_object_add(object, "originator", new_way(&way[0], &way[1]));
	json_object_object_add(object, "responder", new_way(&way[1], &way[0]));

	return object;
}

/**
 * report_json() - print for programs
 * @capture: the capture
 * @connections: IKE's connections in it, an array, which is freed
 */
void report_json(const struct capture *capture,
		 struct json_object *connections)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "connections", connections);
	json_add_number(object, "cut", capture->cut + capture->short_packets);
	json_add_number(object, "fragments", capture->fragments);
	if (*capture->ends_early)
		json_add_text(object, "ends-early", capture->ends_early);
	json_print(object);
}
