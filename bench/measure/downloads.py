# SPDX-License-Identifier: MIT
"""CPU of programs that fetch 20 files of 30 MB at once from nginx on loopback: thrown away, thrown away over
TLS, and into files. The programs run in rotating order, on a CPU of their own."""
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import echo, nginx, report, servers

files, file_size = 20, 30_000_000
kinds = ("discarded", "TLS", "files")
longest = 120


@dataclass(frozen=True)
class program:
    name: str
    command: tuple
    discard: tuple  # arguments for no output
    into: tuple  # arguments before the name of a folder
    trust: tuple  # arguments before the name of a certificate
    each: tuple = ()  # before every URL, when thrown away


def leat(folder, backend):
    fetch = str(folder / "fetch" / "leat-fetch")
    return program(
        f"leat-{backend}", (fetch, "--backend", backend), ("--discard",), ("--output-dir",), ("--cacert",)
    )


def programs(folder):
    curl = ("curl", "--silent", "--show-error", "--no-progress-meter", "--fail", "--parallel")
    curl += ("--parallel-max", str(files))
    into = ("--remote-name-all", "--output-dir")
    everything = (
        program("curl", curl, (), into, ("--cacert",), ("-o", "/dev/null")),
        leat(folder, "epoll"),
        leat(folder, "uring"),
        program("go", (str(folder / "bench" / "go_fetch"),), (), ("-into",), ("-cacert",)),
    )
    return [one for one in everything if shutil.which(one.command[0]) is not None]


@contextlib.contextmanager
def served():
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bulk-", dir="/dev/shm")))
        (folder / "served").mkdir()
        block = os.urandom(1_000_000)
        for number in range(files):
            with open(folder / "served" / f"{number}.bin", "wb") as file:
                for _ in range(file_size // len(block)):
                    file.write(block)
        nginx.make_certificate(folder)
        described = [("", ""), ("ssl", nginx.secured_by(folder))]
        _, ports = stack.enter_context(nginx.running(folder, described))
        yield folder, ports


def command_for(one, kind, folder, urls, scratch):
    command = list(one.command)
    if kind == "TLS":
        command += [*one.trust, str(folder / "certificate.pem")]
    if kind == "files":
        return [*command, *one.into, str(scratch), *urls]
    command += one.discard
    for url in urls:
        command += [*one.each, url]
    return command


def run_once(one, kind, folder, ports, scratch):
    where = f"https://localhost:{ports[1]}" if kind == "TLS" else f"http://localhost:{ports[0]}"
    command = command_for(one, kind, folder, [f"{where}/{number}.bin" for number in range(files)], scratch)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=longest,
        preexec_fn=lambda: servers.prepare_child(servers.client_cpu, False),
    )
    elapsed, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        raise servers.failure(f"`{command[0]}` ended with {ended.returncode}: {ended.stderr[-500:]}")
    if kind == "files":
        sizes = [path.stat().st_size for path in scratch.iterdir()]
        if sizes != [file_size] * files:
            raise servers.failure(f"{one.name} wrote files of {sorted(sizes)} bytes")
    return {
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
        "elapsed": elapsed,
    }


def cpu(figures):
    return figures["user"] + figures["system"]


def row(one, rounds, baseline):
    mine = [each[one.name] for each in rounds]
    ratios = [cpu(each[one.name]) / cpu(each[baseline]) for each in rounds]
    return [
        one.name,
        f"{statistics.median(map(cpu, mine)):.2f}",
        f"{min(map(cpu, mine)):.2f}-{max(map(cpu, mine)):.2f}",
        f"{statistics.median(each['user'] for each in mine):.2f}",
        echo.with_quartiles(ratios),
        f"{statistics.median(each['elapsed'] for each in mine):.2f}",
    ]


def measure(arguments):
    missing = [name for name in ("nginx", "curl", "openssl") if shutil.which(name) is None]
    if missing:
        print(f"downloads are left out: apt-get install {' '.join(missing)}", file=sys.stderr)
        return None
    chosen = programs(arguments.build_dir)
    results = {}
    with served() as (folder, ports):
        for kind in arguments.kinds:
            rounds = []
            for number in range(arguments.rounds):
                turn = number % len(chosen)
                figures = {}
                for one in chosen[turn:] + chosen[:turn]:
                    with tempfile.TemporaryDirectory(dir=arguments.build_dir) as scratch:
                        figures[one.name] = run_once(one, kind, folder, ports, Path(scratch))
                rounds.append(figures)
            what = f"{files} x {file_size // 1_000_000} MB, {kind}"
            print(f"\n{what}, {len(rounds)} rounds; medians (quartiles)")
            header = ["program", "s CPU", "min-max", "user", "to curl", "s by the clock"]
            report.print_table(header, [row(one, rounds, "curl") for one in chosen])
            results[kind] = rounds
    return results
