#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make lib/names_gen.c, the words that esptcp prints, from kmod/esptcp.yaml.

    tools/names-regen.py [OUTPUT]

Run it after a change of the specification (it needs python3-yaml); the build
uses the file that is checked in. "make check-generated" compares the two.
"""
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent / "kmod" / "esptcp.yaml"
ENUMS = ("framing", "role", "dir", "state", "reason", "profile-name",
         "policy")
HEAD = """\
// SPDX-License-Identifier: GPL-2.0
/* Do not edit directly, auto-generated from: */
/*	kmod/esptcp.yaml, by tools/names-regen.py */

#include <stddef.h>

#include <linux/esptcp.h>

#include "names.h"
"""


def word(constant, name, doc):
    """One initialiser. The doc's full stop goes: it is printed in a row."""
    text = " ".join(doc.split()).rstrip(".").replace("\\", "\\\\").replace('"', '\\"')
    gap = "\n\t\t" if text else " "
    return f"""\
\t[{constant}] = {{
\t\t.name = "{name}",
\t\t.doc ={gap}"{text}",
\t}},"""


def vocabulary(name, words):
    name = name.replace("-", "_")
    table = f"static const struct word {name}_words[] = {{\n"
    table += "\n".join(word(*entry) for entry in words)
    table += "\n};\n\n"
    table += f"const struct names {name}_names = {{\n"
    table += f"\t.words = {name}_words,\n"
    table += f"\t.size = ARRAY_SIZE({name}_words),\n"
    return table + "};\n"


def constant(*parts):
    return "_".join(parts).upper().replace("-", "_")


def enum_words(definition):
    for entry in definition["entries"]:
        if isinstance(entry, str):
            entry = {"name": entry}
        yield (constant("esptcp", definition["name"], entry["name"]),
               entry["name"], entry.get("doc", ""))


def counter_words(attributes):
    for attribute in attributes:
        if attribute["type"] != "pad":
            yield (constant("esptcp_a_stats", attribute["name"]),
                   attribute["name"], attribute.get("doc", ""))


def main():
    spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    enums = {d["name"]: d for d in spec["definitions"] if d["type"] == "enum"}
    stats = next(s for s in spec["attribute-sets"] if s["name"] == "stats")
    parts = [HEAD]
    parts += [vocabulary(name, enum_words(enums[name])) for name in ENUMS]
    parts.append(vocabulary("counter", counter_words(stats["attributes"])))
    output = sys.argv[1] if len(sys.argv) > 1 else HERE / "lib" / "names_gen.c"
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))


main()
