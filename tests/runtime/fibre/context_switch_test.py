#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles context_program.cpp with the compiler of this build, optimised and not, and runs it; and for
aarch64, where Debian's cross-compiler (g++-aarch64-linux-gnu) and qemu-user are installed. And in gdb, where
that is: its backtrace of a stack of our own ends where that stack begins.

    context_switch_test.py PROGRAM SOURCE_ROOT COMPILER..."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LEVELS = [["-O0"], ["-O2"], ["-O3", "-fPIC", "-fno-omit-frame-pointer"]]
ENTRY = "runtime/leat/fibre/core/context_entry.cpp"


def try_with(source, root, program, compiler, run, flags):
    command = [*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", *flags, f"-I{root / 'runtime'}",
               source, root / ENTRY, "-o", program]
    subprocess.run(list(map(str, command)), check=True)
    done = subprocess.run([*run, str(program)], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        sys.exit(f"{compiler[0]} {' '.join(flags)}: {done.stdout}{done.stderr} (exit {done.returncode})")


def try_in_gdb(source, root, program, compiler):
    try_with(source, root, program, compiler, [], ["-O0", "-g"])
    commands = [word for each in ("break keep_values", "run", "backtrace") for word in ("-ex", each)]
    done = subprocess.run(["gdb", "-nx", "-batch", *commands, program], text=True, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    frames = re.findall(r"^#\d+ .*?(\w+) \(\w*=?.*\)", done.stdout, re.MULTILINE)
    expected = ["keep_values", "run_inside", "leat_fibre_main", "leat_fibre_entry"]
    if frames != expected or "stopped:" in done.stdout:
        sys.exit(f"gdb finds {frames}: {done.stdout}")


def main():
    source, root, *compiler = sys.argv[1:]
    targets = [(compiler, [], LEVELS)]
    if shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64"):
        targets.append((["aarch64-linux-gnu-g++"], ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
                        [*LEVELS, ["-O2", "-mbranch-protection=standard"]]))
    with tempfile.TemporaryDirectory(prefix="leat-context-") as folder:
        for each, run, levels in targets:
            for flags in levels:
                try_with(source, Path(root), Path(folder) / "program", each, run, flags)
            print(f"{each[0]}: the switch keeps what it has to")
        if shutil.which("gdb"):
            try_in_gdb(source, Path(root), Path(folder) / "program", compiler)


if __name__ == "__main__":
    main()
