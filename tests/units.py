#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts test files together into units that are compiled as one, which takes a third less time: most of the
work is the headers. Files share a unit only if no name that one declares occurs in the other. Prints them.

    units.py FOLDER NAME SIZE FILE...    writes FOLDER/NAME_unit_0.cpp and so on, of at most SIZE files
"""
import re
import sys
from pathlib import Path

# What is declared in the first column: types, aliases of namespaces, macros, functions and variables.
DECLARED = [
    r"^(?:template <.*> )?(?:struct|class|union|enum(?: class)?|concept) (\w+)",
    r"^(?:namespace|using) (\w+) =",
    r"^ *# *define (\w+)",
    r"^(?!using |namespace |struct |class |union |enum |template |[A-Z_]+\()"
    r"[A-Za-z_\[][\w:<>,&*\[\] ]*?[ &*](\w+)(?:\(| ?=|\{|;|\[)",
]
NO_CODE = r'//.*?$|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"'
DECLARED_BY_MACROS = {"VIRTUAL_TEST": "kernel"}
here = Path(__file__).resolve().parent


class test_file:
    def __init__(self, path):
        self.path = path
        code = re.sub(NO_CODE, '""', Path(path).read_text(), flags=re.M | re.S)
        self.declares = {name for form in DECLARED for name in re.findall(form, code, re.M)}
        # Members and qualified names are never ambiguous.
        self.words = set(re.findall(r"(?<![\w.:>])[A-Za-z_]\w*", code))
        self.declares.update(name for macro, name in DECLARED_BY_MACROS.items() if macro in self.words)
        self.uses = {name.rpartition("::")[2]: name for name in re.findall(r"^using ([\w:]+);", code, re.M)}
        self.words.update(self.uses)
        # Files with the same ones have no name that is ambiguous with what these bring in.
        self.opens = frozenset(re.findall(r"^using namespace (?!std::)([\w:]+);", code, re.M))

    def fits(self, other):
        return (self.opens == other.opens and not self.declares & other.words
                and not other.declares & self.words
                and not self.disagrees_with(other) and not other.disagrees_with(self))

    def disagrees_with(self, other):
        """Whether a word that stands for a name of a namespace here is something else there."""
        return any(other.uses.get(name) != whole for name, whole in self.uses.items() if name in other.words)


def units_of(files, size):
    units = []
    for each in files:
        for unit in units:
            if len(unit) < size and all(each.fits(other) for other in unit):
                unit.append(each)
                break
        else:
            units.append([each])
    return units


def main():
    folder, name, size, *paths = sys.argv[1:]
    for number, unit in enumerate(units_of([test_file(path) for path in paths], int(size))):
        path = Path(folder) / f"{name}_unit_{number}.cpp"
        text = "".join(f'#include "{Path(each.path).resolve().relative_to(here)}"\n' for each in unit)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        print(path)


if __name__ == "__main__":
    main()
