# SPDX-License-Identifier: MIT
"""CPU of programs that fetch many URLs from nginx on loopback, which runs on the other CPU: leat-fetch, curl
--parallel, wget2, aria2, Go and aiohttp, 50 at once. They run in rotating order, on a CPU of their own."""
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

from . import build, echo, fetch_programs, nginx, report, servers

longest = 300
slow = 15  # seconds: what takes longer runs in the first round only


@dataclass(frozen=True)
class load:
    count: int
    size: int
    text: str


loads = {
    "small": load(10_000, 1000, "10,000 x 1 KB"),
    "tiny": load(100_000, 100, "100,000 x 100 B"),
    "large": load(20, 30_000_000, "20 x 30 MB"),
}
transports = {"http": "http", "https": "https", "http2": "https"}  # and the scheme of each
sinks = ("discarded", "files")
default_kinds = [
    *(f"small-{transport}-{sink}" for transport in transports for sink in sinks),
    *(f"tiny-http-{sink}" for sink in sinks),
    *(f"large-{transport}-{sink}" for transport in transports for sink in sinks),
]


def make_files(folder):
    for name, what in loads.items():
        (folder / "served" / name).mkdir(parents=True)
        block = os.urandom(min(what.size, 1_000_000))
        for number in range(what.count):
            with open(folder / "served" / name / f"{number}.bin", "wb") as file:
                for _ in range(what.size // len(block)):
                    file.write(block)


@contextlib.contextmanager
def served():
    """(a folder, the port of each transport)"""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fetch-", dir="/dev/shm")))
        make_files(folder)
        nginx.make_certificate(folder)
        secured = nginx.secured_by(folder)
        _, ports = stack.enter_context(
            nginx.running(folder, [("", ""), ("ssl", secured), ("ssl http2", secured)])
        )
        yield folder, dict(zip(transports, ports))


def check_files(name, folder, what):
    sizes = [entry.stat().st_size for entry in os.scandir(folder)]
    if len(sizes) != what.count or set(sizes) != {what.size}:
        raise servers.failure(f"{name} wrote {len(sizes)} files, not {what.count} of {what.size} bytes")


def run_once(name, command, what, into):
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
    if into is not None:
        check_files(name, into, what)
    return {
        "user": after.ru_utime - before.ru_utime,
        "system": after.ru_stime - before.ru_stime,
        "elapsed": elapsed,
    }


def cpu(figures):
    return figures["user"] + figures["system"]


def one_round(chosen, asked, what, earlier):
    figures = {}
    for name, command_for in chosen:
        if earlier and earlier[0][name]["elapsed"] > slow:
            continue
        with tempfile.TemporaryDirectory(prefix="fetched-", dir="/dev/shm") as scratch:
            into = Path(scratch) if asked.files else None
            figures[name] = run_once(name, command_for(asked, into), what, into)
    return figures


def row(name, rounds):
    of = [each for each in rounds if name in each]
    mine = [each[name] for each in of]
    ratios = [cpu(each[name]) / cpu(each["curl"]) for each in of]
    return [
        name,
        f"{statistics.median(map(cpu, mine)):.2f}",
        f"{min(map(cpu, mine)):.2f}-{max(map(cpu, mine)):.2f}",
        f"{statistics.median(each['user'] for each in mine):.2f}",
        echo.with_quartiles(ratios),
        f"{statistics.median(each['elapsed'] for each in mine):.2f}",
    ]


def measure_kind(kind, folder, ports, arguments):
    name, transport, sink = kind.split("-")
    what = loads[name]
    base = f"{transports[transport]}://localhost:{ports[transport]}/{name}"
    urls = [f"{base}/{number}.bin" for number in range(what.count)]
    asked = fetch_programs.asked(folder, urls, sink == "files", transport)
    chosen = fetch_programs.all_for(asked, arguments.build_dir, arguments.programs)
    rounds = []
    for number in range(arguments.rounds):
        turn = number % len(chosen)
        rounds.append(one_round(chosen[turn:] + chosen[:turn], asked, what, rounds))
    print(f"\n{what.text}, {transport}, {sink}, {len(rounds)} rounds; medians (quartiles)")
    header = ["program", "s CPU", "min-max", "user", "to curl", "s by the clock"]
    report.print_table(header, [row(each, rounds) for each, _ in chosen])
    return rounds


def measure(arguments):
    missing = [name for name in ("nginx", "curl", "openssl") if shutil.which(name) is None]
    if missing:
        raise servers.failure(f"missing: apt-get install {' '.join(missing)}")
    for package in fetch_programs.missing():
        print(f"left out: apt-get install {package}", file=sys.stderr)
    build.bring_up_to_date(arguments.build_dir)
    results = {}
    with served() as (folder, ports):
        for kind in arguments.kinds:
            results[kind] = measure_kind(kind, folder, ports, arguments)
    report.write_json(arguments.build_dir, "fetch", results)
