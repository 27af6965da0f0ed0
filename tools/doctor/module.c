// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: can the kernel load esptcp? Answers come from libkmod, which reads the
 * same files as modprobe.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <libkmod.h>

#include "doctor.h"

#define MODULES		"/lib/modules"

/* Read the first line of a file. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");
	bool done = file && fgets(line, size, file);

	if (file)
		fclose(file);

	return done;
}

/* Secure Boot makes the kernel lock itself down; sig_enforce is the same for
 * modules alone.
 */
static bool wants_signatures(void)
{
	char line[128];

	if (read_line("/sys/module/module/parameters/sig_enforce", line,
		      sizeof(line)) && line[0] == 'Y')
		return true;

	return read_line("/sys/kernel/security/lockdown", line, sizeof(line)) &&
		!strstr(line, "[none]");
}

/* Whether the kernel has a key of that name. Root may see the keys that modules
 * can be signed with; who sees none cannot tell.
 */
static bool may_have_key(const char *signer)
{
	bool any = false, found = false;
	FILE *file = fopen("/proc/keys", "r");
	char line[512], name[256];

	snprintf(name, sizeof(name), " %s: ", signer);
	while (file && fgets(line, sizeof(line), file)) {
		if (!strstr(line, " asymmetri "))
			continue;
		any = true;
		if (strstr(line, name))
			found = true;
	}
	if (file)
		fclose(file);

	return found || !any;
}

/**
 * module_is_blacklisted() - see whether a module may be loaded by its aliases
 * @ctx: libkmod's context
 * @name: of the module
 *
 * Return: true if it may not
 */
bool module_is_blacklisted(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_config_iter *iter = kmod_config_get_blacklists(ctx);
	bool found = false;

	while (!found && kmod_config_iter_next(iter))
		found = !strcmp(kmod_config_iter_get_key(iter), name);
	kmod_config_iter_free_iter(iter);

	return found;
}

/* Copy a field of a module's information, or "". */
static void get_info(struct kmod_module *mod, const char *key, char *value,
		     size_t size)
{
	struct kmod_list *list = NULL, *item;

	value[0] = '\0';
	kmod_module_get_info(mod, &list);
	kmod_list_foreach(item, list) {
		if (!strcmp(kmod_module_info_get_key(item), key))
			snprintf(value, size, "%s",
				 kmod_module_info_get_value(item));
	}
	kmod_module_info_free_list(list);
}

/* Whether the modules of the kernel in a directory include esptcp */
static bool has_esptcp(const char *release)
{
	static const char * const no_config[] = { NULL };
	char path[sizeof(MODULES) + NAME_MAX + 1];
	struct kmod_list *list = NULL;
	struct kmod_ctx *ctx;

	snprintf(path, sizeof(path), MODULES "/%s", release);
	ctx = kmod_new(path, no_config);
	if (!ctx)
		return false;
	kmod_set_log_priority(ctx, 0);
	kmod_module_new_from_lookup(ctx, "esptcp", &list);
	kmod_unref(ctx);
	kmod_module_unref_list(list);

	return list;
}

/* Find a kernel that esptcp was built for. */
static bool find_other(char release[NAME_MAX + 1])
{
	DIR *dir = opendir(MODULES);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !has_esptcp(entry->d_name))
			continue;
		snprintf(release, NAME_MAX + 1, "%s", entry->d_name);
		found = true;
	}
	if (dir)
		closedir(dir);

	return found;
}

static void missing(struct doctor *doctor, const char *running)
{
	char other[NAME_MAX + 1];

	if (find_other(other))
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "install linux-headers for the running kernel, then \"make && make install\" again",
			   "esptcp is installed for kernel %s, but %s is running",
			   other, running);
	else
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "build and install it: make && make install",
			   "esptcp is not installed");
}

/* The module is not loaded: would modprobe load this file? */
static void examine_file(struct doctor *doctor, struct kmod_ctx *ctx,
			 struct kmod_module *mod, const char *running)
{
	char vermagic[128], signature[32], signer[128];

	get_info(mod, "vermagic", vermagic, sizeof(vermagic));
	get_info(mod, "sig_id", signature, sizeof(signature));
	get_info(mod, "signer", signer, sizeof(signer));
	vermagic[strcspn(vermagic, " ")] = '\0';

	if (!*vermagic)
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "build and install it again: make && make install",
			   "esptcp is not loaded, and its file is no module: %s",
			   kmod_module_get_path(mod));
	else if (strcmp(vermagic, running))
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "install linux-headers for the running kernel, then \"make && make install\" again",
			   "esptcp is not loaded, and was built for kernel %s, while %s is running",
			   vermagic, running);
	else if (wants_signatures() && !*signature)
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "sign it with a key that the machine trusts, see mokutil(1); or switch Secure Boot off",
			   "the kernel takes signed modules only (Secure Boot), and esptcp is not signed");
	else if (wants_signatures() && !may_have_key(signer))
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "let the machine trust that key: mokutil --import CERTIFICATE, and restart; or sign the module with a key that it trusts",
			   "the kernel takes signed modules only (Secure Boot), and has no key \"%s\", with which esptcp is signed",
			   signer);
	else if (module_is_blacklisted(ctx, "esptcp"))
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "remove the line \"blacklist esptcp\" from /etc/modprobe.d",
			   "esptcp is blacklisted, so that it does not load by itself");
	else
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "modprobe esptcp; to load it at boot: echo esptcp > /etc/modules-load.d/esptcp.conf",
			   "esptcp is not loaded");
}

/* Tunnels may work all the same, so nobody is told to remove it. */
static void examine_loaded(struct doctor *doctor)
{
	int err = snapshot_take(&doctor->snapshot);

	doctor->alive = !err;
	if (doctor->alive)
		doctor_add(doctor, VERDICT_OK, "module", NULL,
			   "esptcp is loaded");
	else
		doctor_add(doctor, VERDICT_PROBLEM, "module",
			   "leave the module loaded as long as tunnels work; look at the kernel's messages (dmesg), and install esptcp and its module anew, of the same version",
			   "esptcp is loaded but does not answer: %s",
			   *doctor->snapshot.message ?
			   doctor->snapshot.message : strerror(-err));
}

static void examine_esptcp(struct doctor *doctor, struct kmod_ctx *ctx)
{
	struct kmod_list *list = NULL;
	struct kmod_module *mod;
	struct utsname name;

	uname(&name);
	if (!access("/sys/module/esptcp", F_OK)) {
		examine_loaded(doctor);
		return;
	}

	kmod_module_new_from_lookup(ctx, "esptcp", &list);
	if (!list) {
		missing(doctor, name.release);
		return;
	}
	mod = kmod_module_get_module(list);
	examine_file(doctor, ctx, mod, name.release);
	kmod_module_unref(mod);
	kmod_module_unref_list(list);
}

void doctor_module(struct doctor *doctor)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);

	if (!ctx)
		return;
	kmod_set_log_priority(ctx, 0);
	examine_esptcp(doctor, ctx);
	kmod_unref(ctx);
}
