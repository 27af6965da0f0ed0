// SPDX-License-Identifier: GPL-2.0
/*
 * Speaks with charon through strongSwan's libvici, and turns its messages into
 * JSON objects: a section is an object, a list an array, a value a string.
 *
 * Debian's package strongswan-swanctl has the library, no package its header.
 * So what is used of its interface is declared here, and the library is loaded
 * when it is needed: esptcp works on hosts without strongSwan. It comes with
 * libstrongswan, whose parser reads strongswan.conf as charon does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "vici.h"

/* Where Debian's strongSwan has it, unless the environment says otherwise */
#define STRONGSWAN_CONF	"/etc/strongswan.conf"

/* What the parser says last of a file that it gives up */
#define INVALID	"invalid config file"

struct vici_conn;
struct vici_req;
struct vici_res;

/* strongSwan's settings_t, as far as its first member */
struct settings {
	char *(*get_str)(struct settings *settings, const char *key,
			 char *fallback, ...);
};

typedef int (*vici_value_fn)(void *user, struct vici_res *res, char *name,
			     void *value, int len);
typedef int (*vici_section_fn)(void *user, struct vici_res *res, char *name);
typedef void (*vici_event_fn)(void *user, char *name, struct vici_res *res);

/* The functions, and their names in the headers */
static struct {
	void (*set_debug)(int level);
	void (*set_stream)(FILE *stream);
	void (*init)(void);
	void (*deinit)(void);
	struct vici_conn *(*connect)(char *uri);
	void (*disconnect)(struct vici_conn *conn);
	struct vici_req *(*begin)(const char *command);
	struct vici_res *(*submit)(struct vici_req *req,
				   struct vici_conn *conn);
	int (*parse_cb)(struct vici_res *res, vici_section_fn section,
			vici_value_fn key, vici_value_fn item, void *user);
	void (*free_res)(struct vici_res *res);
	int (*register_event)(struct vici_conn *conn, const char *name,
			      vici_event_fn event, void *user);
	struct settings *(*read_settings)(const char *file);
} lib;

static const struct {
	const char *name;
	void *function;
} symbols[] = {
	{ "dbg_default_set_level", &lib.set_debug },
	{ "dbg_default_set_stream", &lib.set_stream },
	{ "vici_init", &lib.init },
	{ "vici_deinit", &lib.deinit },
	{ "vici_connect", &lib.connect },
	{ "vici_disconnect", &lib.disconnect },
	{ "vici_begin", &lib.begin },
	{ "vici_submit", &lib.submit },
	{ "vici_parse_cb", &lib.parse_cb },
	{ "vici_free_res", &lib.free_res },
	{ "vici_register", &lib.register_event },
	{ "settings_create", &lib.read_settings },
};

static struct vici_conn *charon;

static bool load(void)
{
	void *handle = dlopen(LIBVICI, RTLD_NOW | RTLD_LOCAL);
	void *function;
	size_t i;

	for (i = 0; handle && i < ARRAY_SIZE(symbols); i++) {
		function = dlsym(handle, symbols[i].name);
		if (!function)
			return false;
		memcpy(symbols[i].function, &function, sizeof(function));
	}

	return handle;
}

/* The caller says what went wrong, not the library, which reads strongswan.conf
 * while it begins, and sets its level anew.
 */
static void begin(void)
{
	lib.set_debug(0);
	lib.init();
	lib.set_debug(0);
}

/**
 * vici_open() - connect to charon
 *
 * Return: 0; -ENOPKG if there is no libvici; or what connecting failed with
 */
int vici_open(void)
{
	if (!load())
		return -ENOPKG;

	begin();
	charon = lib.connect(NULL);
	if (!charon) {
		int err = errno;

		lib.deinit();
		return err ? -err : -EIO;
	}

	return 0;
}

/**
 * vici_close() - undo vici_open()
 */
void vici_close(void)
{
	lib.disconnect(charon);
	lib.deinit();
}

/* The charon that systemd starts reads a section of its own first. */
static char *find_setting(struct settings *settings, const char *name)
{
	static const char * const daemons[] = { "charon-systemd", "charon" };
	char *value = NULL;
	char key[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(daemons) && !value; i++) {
		snprintf(key, sizeof(key), "%s.%s", daemons[i], name);
		value = settings->get_str(settings, key, NULL);
	}

	return value ? memory_check(strdup(value)) : NULL;
}

/* If the file is of no use, the first line that the library says of it goes to
 * the caller.
 */
static struct settings *read_settings(const char *file, char **complaint)
{
	struct settings *settings;
	size_t size;
	FILE *stream;

	stream = memory_check(open_memstream(complaint, &size));
	lib.set_stream(stream);
	lib.set_debug(1);
	settings = lib.read_settings(file);
	lib.set_debug(0);
	lib.set_stream(stderr);
	fclose(stream);
	(*complaint)[strstr(*complaint, INVALID) ?
			     strcspn(*complaint, "\n") : 0] = '\0';

	return settings;
}

/**
 * vici_setting() - read charon's settings from strongswan.conf
 * @name: of the setting, without "charon."
 * @complaint: what is wrong with the file, NULL or empty if nothing; the caller
 *	frees it
 *
 * Return: its value, which the caller frees, or NULL if it is not set or there
 * is no strongSwan
 */
char *vici_setting(const char *name, char **complaint)
{
	const char *file = getenv("STRONGSWAN_CONF");
	struct settings *settings;
	char *value = NULL;

	*complaint = NULL;
	if (!load())
		return NULL;

	begin();
	settings = read_settings(file ? file : STRONGSWAN_CONF, complaint);
	if (settings)
		value = find_setting(settings, name);
	lib.deinit();

	return value;
}

static struct json_object *new_value(const void *value, int len)
{
	return json_object_new_string_len(value, len);
}

static int on_key(void *user, struct vici_res *res, char *name, void *value,
		  int len)
{
	json_object_object_add(user, name, new_value(value, len));

	return 0;
}

static int on_item(void *user, struct vici_res *res, char *name, void *value,
		   int len)
{
	struct json_object *array;

	if (!json_object_object_get_ex(user, name, &array) ||
	    !json_object_is_type(array, json_type_array)) {
		array = json_object_new_array();
		json_object_object_add(user, name, array);
	}
	json_object_array_add(array, new_value(value, len));

	return 0;
}

static int on_section(void *user, struct vici_res *res, char *name)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(user, name, object);

	return lib.parse_cb(res, on_section, on_key, on_item, object);
}

/**
 * vici_request() - let charon answer a command
 * @command: one that needs no arguments
 *
 * Return: the answer, or NULL with errno set
 */
struct json_object *vici_request(const char *command)
{
	struct json_object *object;
	struct vici_res *res;

	res = lib.submit(lib.begin(command), charon);
	if (!res)
		return NULL;

	object = json_object_new_object();
	lib.parse_cb(res, on_section, on_key, on_item, object);
	lib.free_res(res);

	return object;
}

/* Called by a thread of libvici's, while vici_request() waits. */
static void on_event(void *user, char *name, struct vici_res *res)
{
	struct json_object *object = json_object_new_object();

	lib.parse_cb(res, on_section, on_key, on_item, object);
	json_object_array_add(user, object);
}

/**
 * vici_stream() - let charon answer a command by a series of events
 * @command: one that needs no arguments
 * @event: the name of the events
 *
 * Return: the events in an array, or NULL with errno set
 */
struct json_object *vici_stream(const char *command, const char *event)
{
	struct json_object *array = json_object_new_array();
	struct json_object *end = NULL;

	if (!lib.register_event(charon, event, on_event, array))
		end = vici_request(command);
	if (!end) {
		json_object_put(array);
		return NULL;
	}
	json_object_put(end);
	lib.register_event(charon, event, NULL, NULL);

	return array;
}
