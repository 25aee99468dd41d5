#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up lcov files: the share of lines that ran, and which did not. scripts/coverage calls it.

    scripts/uncovered.py [--all FILE] [--least PERCENT] LCOV...

Prints a line for each folder and for each of the files with the most lines that did not run; --all writes all
of those lines to FILE, as PATH:FIRST-LAST. Exits with 1 when less than PERCENT ran.
"""

import argparse
import os
import sys
from collections import defaultdict

SHOWN = 15


def lines_of(texts):
    """{path: {line: how often it ran}}, over all of the texts."""
    found = defaultdict(lambda: defaultdict(int))
    path = None
    for text in texts:
        for line in text.splitlines():
            tag, _, rest = line.partition(":")
            if tag == "SF":
                path = os.path.relpath(rest)
            elif tag == "DA":
                number, count = rest.split(",")[:2]
                found[path][int(number)] += int(count)
    return found


def stretches(numbers):
    """[3, 4, 5, 9] as "3-5", "9"."""
    parts = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in parts]


def share(ran, lines):
    return 100.0 * ran / lines if lines else 0.0


def report(found, least, write):
    """Writes what there is to say to `write`; whether enough ran."""
    folders = defaultdict(lambda: [0, 0])
    for path, lines in found.items():
        sums = folders[path.split("/")[0]]
        sums[0] += sum(1 for count in lines.values() if count)
        sums[1] += len(lines)
    unran = {path: [number for number, count in lines.items() if not count] for path, lines in found.items()}
    worst = sorted(((len(numbers), path) for path, numbers in unran.items() if numbers), reverse=True)
    for count, path in worst[:SHOWN]:
        write(f"{path}: {count} of {len(found[path])} lines did not run: {' '.join(stretches(unran[path]))}")
    if len(worst) > SHOWN:
        write(f"and {sum(count for count, _ in worst[SHOWN:])} lines of {len(worst) - SHOWN} more files")
    for folder, (ran, lines) in sorted(folders.items()):
        write(f"{folder}: {share(ran, lines):.1f} % of {lines} lines ran")
    ran, lines = (sum(sums[i] for sums in folders.values()) for i in (0, 1))
    write(f"coverage: {share(ran, lines):.1f} % of {lines} lines ran, at least {least:g} % have to")
    return share(ran, lines) >= least


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--all", metavar="FILE")
    arguments.add_argument("--least", metavar="PERCENT", type=float, default=0)
    arguments.add_argument("lcov", nargs="+", metavar="LCOV")
    options = arguments.parse_args()
    texts = []
    for name in options.lcov:
        with open(name) as file:
            texts.append(file.read())
    found = lines_of(texts)
    if options.all:
        with open(options.all, "w") as file:
            for path, lines in sorted(found.items()):
                for stretch in stretches(number for number, count in lines.items() if not count):
                    file.write(f"{path}:{stretch}\n")
    return 0 if report(found, options.least, print) else 1


if __name__ == "__main__":
    sys.exit(main())
