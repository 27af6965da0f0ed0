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

#include "doctor.h"
#include "lib/json.h"
#include "lib/vici.h"

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

static bool has_plugin(struct json_object *stats)
{
	struct json_object *plugins = json_get_array(stats, "plugins");
	size_t i;

	for (i = 0; plugins && i < json_object_array_length(plugins); i++) {
		if (json_is(json_object_array_get_idx(plugins, i), "esptcp"))
			return true;
	}

	return false;
}

static void not_loaded(struct doctor *doctor, const char *running)
{
	char built[32];
	int err = read_version(built);

	if (err == -ENOENT)
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "build and install it: make && make install, then restart strongSwan",
			   "the plugin is not installed (" PLUGIN ")");
	else if (!err && strcmp(built, running))
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "build it again for this strongSwan: make clean && make && make install, then restart strongSwan",
			   "the plugin was built for strongSwan %s, but %s is running",
			   built, running);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "set charon.plugins.esptcp.load in /etc/strongswan.d/charon/esptcp.conf and restart strongSwan; its log says why if it still is not",
			   "charon has not loaded the plugin esptcp");
}

static void examine_charon(struct doctor *doctor)
{
	struct json_object *version = vici_request("version");
	struct json_object *stats = vici_request("stats");

	if (!version || !stats)
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "restart strongSwan",
			   "charon does not answer through vici");
	else if (has_plugin(stats))
		doctor_add(doctor, VERDICT_OK, "plugin", NULL,
			   "charon (strongSwan %s) has loaded it",
			   json_text(version, "version", "?"));
	else
		not_loaded(doctor, json_text(version, "version", "?"));
	json_object_put(version);
	json_object_put(stats);
}

/* The section's mark makes charon refuse to start without the plugin. */
static bool is_critical(void)
{
	char *load, *complaint;
	bool critical;

	load = vici_setting("plugins.esptcp!.load", &complaint);
	critical = load;
	free(complaint);
	free(load);

	return critical;
}

static void not_running(struct doctor *doctor)
{
	char built[32];
	int err;

	if (!is_critical()) {
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "start strongSwan: systemctl start strongswan (or strongswan-starter)",
			   "charon does not run, or its plugin vici is not loaded");
		return;
	}
	err = read_version(built);
	if (err)
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "build and install it: make && make install, then restart strongSwan",
			   "charon does not run: its section 'esptcp!' demands the plugin, which %s (%s)",
			   err == -ENOENT ? "is not installed" :
					    "cannot be read",
			   PLUGIN);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "start strongSwan; if it is another version, build the plugin again: make clean && make && make install",
			   "charon does not run; with the section 'esptcp!' only strongSwan %s starts, for which the plugin was built",
			   built);
}

void doctor_plugin(struct doctor *doctor)
{
	int err = vici_open();

	switch (err) {
	case 0:
		examine_charon(doctor);
		vici_close();
		break;
	case -EACCES:
	case -EPERM:
		doctor_add(doctor, VERDICT_SKIPPED, "plugin",
			   "run doctor as root",
			   "only root may speak with charon");
		break;
	case -ENOPKG:
		doctor_add(doctor, VERDICT_WARNING, "plugin",
			   "install strongswan-swanctl; without strongSwan this does not matter",
			   "strongSwan's library libvici is not installed (" LIBVICI ")");
		break;
	case -ENOENT:
	case -ECONNREFUSED:
		not_running(doctor);
		break;
	default:
		doctor_add(doctor, VERDICT_PROBLEM, "plugin",
			   "restart strongSwan",
			   "charon cannot be asked: %s", strerror(-err));
		break;
	}
}
