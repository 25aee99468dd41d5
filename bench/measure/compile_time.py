# SPDX-License-Identifier: MIT
"""Time to compile one echo server at -O2, as a user would: the program in README.md against the Asio one
here. CPU time of the compiler, which other work on the machine disturbs less than the time by the clock."""
import os
import re
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from . import build, report, servers

asio_flags = ("-DASIO_HAS_CO_AWAIT", "-DASIO_HAS_STD_COROUTINE")


def readme_program():
    """The first C++ block of the README with a main in it, or None."""
    readme = build.root / "README.md"
    if not readme.exists():
        return None
    blocks = re.findall(r"```cpp\n(.*?)```", readme.read_text(), re.DOTALL)
    return next((block for block in blocks if "int main" in block), None)


def programs(scratch):
    """name -> (source, flags)"""
    found = {}
    text = readme_program()
    if text is None:
        print("README.md has no C++ program yet: leat is left out")
    else:
        source = Path(scratch) / "readme.cpp"
        source.write_text(text)
        found["leat"] = (source, [f"-I{build.root / folder}" for folder in ("runtime", "net")])
    if Path("/usr/include/asio.hpp").exists():
        found["asio"] = (servers.sources / "asio_echo.cpp", asio_flags)
    else:
        print("asio is left out; its package: apt-get install libasio-dev")
    return found


def seconds_of(command):
    """(CPU, by the clock)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    elapsed = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if result.returncode != 0:
        raise servers.failure(f"`{' '.join(command)}` failed:\n{result.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, elapsed


def measure(arguments):
    if shutil.which(arguments.compiler) is None:
        raise servers.failure(f"{arguments.compiler} is missing: apt-get install clang-19")
    times = {}
    with tempfile.TemporaryDirectory() as scratch:
        found = programs(scratch)
        for _ in range(arguments.rounds):
            for name, (source, flags) in found.items():
                common = [arguments.compiler, "-std=c++20", "-O2", "-c", "-o", f"{scratch}/out.o"]
                times.setdefault(name, []).append(seconds_of([*common, *flags, str(source)]))
    print(f"compiling an echo server with {arguments.compiler} -O2: seconds, median of {arguments.rounds}")
    header = ["library", "CPU", "by the clock"]
    rows = []
    for name, pairs in times.items():
        cpu, clock = zip(*pairs)
        rows.append([name, f"{statistics.median(cpu):.2f}", f"{statistics.median(clock):.2f}"])
    report.print_table(header, rows)
    report.write_json(arguments.build_dir, "compile", {"compile": times})
