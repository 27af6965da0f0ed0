# SPDX-License-Identifier: GPL-2.0
"""Processes, commands and network namespaces."""
import contextlib
import ctypes
import os
import random
import signal
import subprocess
import time

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def sh(command, check=True, **kwargs):
    """Run a command; its output is shown only if it fails and must not."""
    done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if check and done.returncode:
        raise RuntimeError(f"{command}: {done.stdout}")
    return done.returncode


def namespace(name):
    return f"stress-{name}"


def enter(name):
    with open(f"/run/netns/{namespace(name)}", encoding="ascii") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def child(function, *args):
    """Start a process. It ends with the function."""
    seed = random.random()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        random.seed(seed)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        function(*args)
        status = 0
    except (OSError, RuntimeError) as error:
        print(f"# {function.__name__}: {error}", flush=True)
    except AssertionError as error:
        print(f"# {function.__name__}: wrong: {error}", flush=True)
    finally:
        os._exit(status)


def end(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, number)
        os.waitpid(pid, 0)


def succeeds(pid):
    """Wait for a process that ends by itself."""
    return os.waitpid(pid, 0)[1] == 0


def unshare_as_root():
    """Become root of a new user namespace, with a network namespace of its own."""
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    for name, line in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(line)
    sh("ip link set lo up")


class Deadline:
    """True until the time is over."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def __bool__(self):
        return time.monotonic() < self.end
