# SPDX-License-Identifier: MIT
"""Builds the benchmarks, optimised, in a folder of their own."""
import os
import shutil
import subprocess
from pathlib import Path

root = Path(__file__).resolve().parents[2]
default_folder = root / "build-bench"


class failure(Exception):
    pass


def run(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise failure(f"`{' '.join(map(str, command))}` failed:\n{result.stdout[-4000:]}")


def bring_up_to_date(folder):
    """Configures `folder` if it is not yet, and builds what changed."""
    for tool, package in (("meson", "meson"), ("ninja", "ninja-build")):
        if shutil.which(tool) is None:
            raise failure(f"{tool} is missing: apt-get install {package}")
    if not (folder / "build.ninja").exists():
        environment = dict(os.environ)
        if shutil.which("clang++-19"):
            environment.setdefault("CC", "clang-19")
            environment.setdefault("CXX", "clang++-19")
        options = ["--buildtype=release", "-Dbench=enabled", "-Dtests=disabled", "-Dexamples=disabled"]
        run(["meson", "setup", folder, root, *options], env=environment)
    run(["ninja", "-C", folder, "bench"])
