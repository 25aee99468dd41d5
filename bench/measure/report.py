# SPDX-License-Identifier: MIT
"""Tables for people, JSON for programs, and where the figures were taken."""
import json
import os
import platform
import shutil
import subprocess


def first_line(command):
    if shutil.which(command[0]) is None:
        return None
    result = subprocess.run(command, capture_output=True, text=True)
    return (result.stdout or result.stderr).splitlines()[0].strip()


def processor():
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def machine():
    return {
        "processor": f"{os.cpu_count()} x {processor()}",
        "kernel": platform.release(),
        "compiler": first_line(["clang++-19", "--version"]),
        "go": first_line(["go", "version"]),
        "python": platform.python_version(),
        "load average": os.getloadavg()[0],
    }


def print_table(header, rows):
    """A Markdown table, aligned: the first column to the left, the rest to the right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row):
        _, *others = (cell.rjust(width) for cell, width in zip(row, widths))
        return "| " + " | ".join([row[0].ljust(widths[0]), *others]) + " |"

    rule = "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)) + "|"
    print("\n".join([line(cells[0]), rule, *map(line, cells[1:])]), flush=True)


def write_json(folder, name, figures):
    path = folder / "results" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **figures}, indent=1) + "\n")
    print(f"\nwritten to {path}")
