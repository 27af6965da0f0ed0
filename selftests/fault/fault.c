// SPDX-License-Identifier: GPL-2.0
/*
 * Fault injection for the tests, as stock kernels have none: makes the next
 * calls of a function return at once, without having done anything.
 *
 *   insmod fault.ko symbol=NAME [caller=MODULE] [result=N] [times=N]
 *
 * A result of -1 stands for the function's first argument. Only calls from
 * the module that caller names are meant, if one is named. The faults left
 * are in /sys/module/fault/parameters/times; removing this module ends them.
 *
 * The handler runs in any context, with preemption disabled.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *symbol;
module_param(symbol, charp, 0444);
MODULE_PARM_DESC(symbol, "Function that fails");

static char *caller;
module_param(caller, charp, 0444);
MODULE_PARM_DESC(caller, "Module whose calls fail, instead of all");

static long result;
module_param(result, long, 0444);
MODULE_PARM_DESC(result, "What the function returns; -1: its first argument");

static int times_left = 1;
module_param_named(times, times_left, int, 0444);
MODULE_PARM_DESC(times, "How many calls fail");

static DEFINE_SPINLOCK(times_lock);

/* Where a failing call goes instead: it returns what is in the register. */
static noinline notrace void fault_return(void)
{
	barrier();
}

static bool is_meant(const struct pt_regs *regs)
{
	char name[KSYM_SYMBOL_LEN], *module;

	if (!caller)
		return true;
	sprint_symbol(name, *(unsigned long *)kernel_stack_pointer(regs));
	module = strchr(name, '[');
	return module && !strncmp(module + 1, caller, strlen(caller)) &&
	       module[1 + strlen(caller)] == ']';
}

static bool take_one(void)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&times_lock, flags);
	taken = times_left > 0;
	if (taken)
		times_left--;
	spin_unlock_irqrestore(&times_lock, flags);
	return taken;
}

static int fault_handler(struct kprobe *p, struct pt_regs *regs)
{
	if (!is_meant(regs) || !take_one())
		return 0;
	regs_set_return_value(regs, result == -1 ?
			      regs_get_kernel_argument(regs, 0) : result);
	instruction_pointer_set(regs, (unsigned long)fault_return);
	return 1;
}
NOKPROBE_SYMBOL(fault_handler);

static struct kprobe probe = { .pre_handler = fault_handler };

static int __init fault_init(void)
{
	if (!symbol)
		return -EINVAL;
	probe.symbol_name = symbol;
	return register_kprobe(&probe);
}

static void __exit fault_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(fault_init);
module_exit(fault_exit);

MODULE_DESCRIPTION("Fault injection for esptcp's tests");
MODULE_LICENSE("GPL");
