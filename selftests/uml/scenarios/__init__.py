# SPDX-License-Identifier: GPL-2.0
"""The scenarios of ../stress. Each module here has those of one subject, and is
found by being here. A scenario is a function that gets how many seconds to last,
and returns a reason if it cannot run here. Modules without one help the others.
"""
import importlib
import pkgutil

SCENARIOS = {}


def scenario(function):
    """Decorate a scenario, whose name is the function's."""
    SCENARIOS[function.__name__] = function
    return function


def load():
    """Return all scenarios by name."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(SCENARIOS.items()))
