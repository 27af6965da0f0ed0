// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: can the kernel load ESP, and does it do it right? Answers come from
 * libkmod, as those about esptcp.
 */
#include <stdbool.h>

#include <libkmod.h>

#include "doctor.h"

static bool is_loaded(struct kmod_module *mod)
{
	int state = kmod_module_get_initstate(mod);

	return state == KMOD_MODULE_LIVE || state == KMOD_MODULE_BUILTIN;
}

/* What keeps a module from being loaded, or NULL */
static const char *obstacle(struct kmod_ctx *ctx, const char *name,
			    struct kmod_module *mod)
{
	const char *install = kmod_module_get_install_commands(mod);

	if (install && *install)
		return "replaced by an \"install\" line";

	return module_is_blacklisted(ctx, name) ? "blacklisted" : NULL;
}

static void examine_one(struct doctor *doctor, struct kmod_ctx *ctx,
			const char *name, enum verdict bad, const char *loss)
{
	struct kmod_list *list = NULL;
	struct kmod_module *mod;
	const char *why;

	kmod_module_new_from_lookup(ctx, name, &list);
	if (!list) {
		doctor_add(doctor, bad, "ESP",
			   "install the kernel's modules (linux-modules-extra on some distributions)",
			   "the kernel has no module %s: no %s", name, loss);
		return;
	}
	mod = kmod_module_get_module(list);
	why = obstacle(ctx, name, mod);
	if (why && is_loaded(mod))
		doctor_add(doctor, VERDICT_WARNING, "ESP",
			   "remove that line from /etc/modprobe.d",
			   "%s is %s in /etc/modprobe.d; it is loaded now, after the next boot there will be no %s",
			   name, why, loss);
	else if (why)
		doctor_add(doctor, bad, "ESP",
			   "remove that line from /etc/modprobe.d",
			   "%s is %s in /etc/modprobe.d: no %s", name, why,
			   loss);
	kmod_module_unref(mod);
	kmod_module_unref_list(list);
}

/*
 * esp6_xmit() of Linux up to now encrypts the last segment of a packet that it
 * has cut up, and the next packet, with the same nonce.
 */
static void examine_nonces(struct doctor *doctor, struct kmod_ctx *ctx)
{
	struct kmod_module *mod;

	if (kmod_module_new_from_name(ctx, "esp6_offload", &mod))
		return;
	if (is_loaded(mod))
		doctor_add(doctor, VERDICT_PROBLEM, "ESP",
			   "set hw_offload = no in swanctl.conf, take the tunnels between IPv6 addresses down, modprobe -r esp6_offload, and bring them up again",
			   "esp6_offload is loaded: with IPv6 between the gateways the kernel encrypts different packets with the same nonce, plain ESP's, too");
	kmod_module_unref(mod);
}

/* Blacklisting is the usual answer to a hole in ESP, and easily forgotten. */
void doctor_esp(struct doctor *doctor)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);
	size_t before = doctor->findings;

	if (!ctx)
		return;
	kmod_set_log_priority(ctx, 0);
	examine_one(doctor, ctx, "esp4", VERDICT_PROBLEM,
		    "IPsec with IPv4");
	examine_one(doctor, ctx, "esp6", VERDICT_PROBLEM,
		    "IPsec with IPv6");
	examine_one(doctor, ctx, "esp4_offload", VERDICT_WARNING,
		    "fast IPsec with IPv4");
	examine_nonces(doctor, ctx);
	kmod_unref(ctx);
	if (doctor->findings == before)
		doctor_add(doctor, VERDICT_OK, "ESP", NULL,
			   "the kernel has ESP and may load it");
}
