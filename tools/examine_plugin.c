// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: does charon run, and has it loaded our plugin?
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "finding.h"
#include "vici.h"

/* What the plugin says when it refuses another version; see
 * daemon/esptcp_version.c.
 */
#define MARK	"was compiled for strongSwan "

static bool find_version(const char *start, size_t size, char version[32])
{
	const char *mark = memmem(start, size, MARK, strlen(MARK));
	size_t rest, length;

	if (!mark)
		return false;
	mark += strlen(MARK);
	rest = start + size - mark;
	length = strnlen(mark, rest < 31 ? rest : 31);
	memcpy(version, mark, length);
	version[length] = '\0';
	version[strcspn(version, ",")] = '\0';

	return true;
}

/* Which strongSwan the installed plugin was compiled for; 0 or a negative errno */
static int read_version(char version[32])
{
	int fd = open(PLUGIN, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	bool found;
	void *start;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) || !stat.st_size) {
		close(fd);
		return -EINVAL;
	}
	start = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (start == MAP_FAILED)
		return -errno;
	found = find_version(start, stat.st_size, version);
	munmap(start, stat.st_size);

	return found ? 0 : -EINVAL;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		return "?";

	return json_object_get_string(value);
}

static bool has_plugin(struct json_object *stats)
{
	struct json_object *plugins;
	size_t i;

	if (!json_object_object_get_ex(stats, "plugins", &plugins))
		return false;
	for (i = 0; i < json_object_array_length(plugins); i++) {
		struct json_object *name = json_object_array_get_idx(plugins, i);

		if (!strcmp(json_object_get_string(name), "esptcp"))
			return true;
	}

	return false;
}

static void not_loaded(struct patient *patient, const char *running)
{
	char built[32];
	int err = read_version(built);

	if (err == -ENOENT)
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "build and install it: make && make install, then restart strongSwan",
			    "the plugin is not installed (" PLUGIN ")");
	else if (!err && strcmp(built, running))
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "build it again for this strongSwan: make clean && make && make install, then restart strongSwan",
			    "the plugin was built for strongSwan %s, but %s is running",
			    built, running);
	else
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "set charon.plugins.esptcp.load in /etc/strongswan.d/charon/esptcp.conf and restart strongSwan; its log says why if it still is not",
			    "charon has not loaded the plugin esptcp");
}

static void examine_charon(struct patient *patient)
{
	struct json_object *version = vici_request("version");
	struct json_object *stats = vici_request("stats");

	if (!version || !stats)
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "restart strongSwan",
			    "charon does not answer through vici");
	else if (has_plugin(stats))
		finding_add(patient, VERDICT_OK, "plugin", NULL,
			    "charon (strongSwan %s) has loaded it",
			    text_of(version, "version"));
	else
		not_loaded(patient, text_of(version, "version"));
	json_object_put(version);
	json_object_put(stats);
}

/* The section's mark makes charon refuse to start without the plugin. */
static bool is_critical(void)
{
	char *load, *complaint;
	bool critical;

	load = charon_setting("plugins.esptcp!.load", &complaint);
	critical = load;
	free(complaint);
	free(load);

	return critical;
}

static void not_running(struct patient *patient)
{
	char built[32];
	int err;

	if (!is_critical()) {
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "start strongSwan: systemctl start strongswan (or strongswan-starter)",
			    "charon does not run, or its plugin vici is not loaded");
		return;
	}
	err = read_version(built);
	if (err)
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "build and install it: make && make install, then restart strongSwan",
			    "charon does not run: its section 'esptcp!' demands the plugin, which %s (%s)",
			    err == -ENOENT ? "is not installed" :
					     "cannot be read",
			    PLUGIN);
	else
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "start strongSwan; if it is another version, build the plugin again: make clean && make && make install",
			    "charon does not run; with the section 'esptcp!' only strongSwan %s starts, for which the plugin was built",
			    built);
}

void examine_plugin(struct patient *patient)
{
	int err = vici_open();

	switch (err) {
	case 0:
		examine_charon(patient);
		vici_close();
		break;
	case -EACCES:
	case -EPERM:
		finding_add(patient, VERDICT_SKIPPED, "plugin",
			    "run doctor as root",
			    "only root may speak with charon");
		break;
	case -ENOPKG:
		finding_add(patient, VERDICT_WARNING, "plugin",
			    "install strongswan-swanctl; without strongSwan this does not matter",
			    "strongSwan's library libvici is not installed (" LIBVICI ")");
		break;
	case -ENOENT:
	case -ECONNREFUSED:
		not_running(patient);
		break;
	default:
		finding_add(patient, VERDICT_PROBLEM, "plugin",
			    "restart strongSwan",
			    "charon cannot be asked: %s", strerror(-err));
		break;
	}
}
