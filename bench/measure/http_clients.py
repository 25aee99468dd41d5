# SPDX-License-Identifier: MIT
"""CPU of HTTP clients, for each request to nginx, which runs on the other CPU: leat, curl --parallel and Go,
one after the other in rotating order, 50 requests at once."""
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import build, echo, nginx, report, servers

parallel = 50
longest = 120


@dataclass(frozen=True)
class kind:
    path: str
    count: int
    secure: bool = False
    fresh: bool = False  # a connection, and a handshake, for each request


kinds = {
    "hello": kind("/hello", 20_000),
    "1-KB": kind("/1k.bin", 20_000),
    "1-MB": kind("/1m.bin", 500),
    "http2": kind("/hello", 20_000, secure=True),
    "tls": kind("/hello", 1_000, secure=True, fresh=True),
}


def ours(program, url, what, certificate):
    command = [program, "--url", url, "--count", str(what.count), "--parallel", str(parallel)]
    command += ["--cacert", certificate] if what.secure else []
    return command + (["--fresh", "yes"] if what.fresh else [])


def curl(url, what, certificate):
    command = ["curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-max", str(parallel)]
    command += ["--http2", "--cacert", certificate] if what.secure and not what.fresh else []
    command += ["--http1.1", "--cacert", certificate] if what.fresh else []
    command += ["--header", "Connection: close"] if what.fresh else []
    return [*command, "--output", "/dev/null", f"{url}?[1-{what.count}]"]


def commands(folder, url, what, certificate):
    programs = {name: str(folder / "bench" / name) for name in ("leat_get", "go_get")}
    found = {"curl": curl(url, what, certificate)}
    for backend in ("epoll", "uring"):
        found[f"leat-{backend}"] = ours(programs["leat_get"], url, what, certificate) + ["--backend", backend]
    found["go"] = ours(programs["go_get"], url, what, certificate)
    return {name: command for name, command in found.items() if shutil.which(command[0]) is not None}


def cpu_of_run(command, count):
    """Microseconds for each of `count` requests."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=longest,
        preexec_fn=lambda: servers.prepare_child(servers.client_cpu, False),
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        raise servers.failure(f"`{command[0]}` ended with {ended.returncode}: {ended.stderr[-500:]}")
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / count * 1e6


def measure_kind(folder, what, ports, scratch, rounds):
    scheme, port = ("https", ports[1]) if what.secure else ("http", ports[0])
    url = f"{scheme}://localhost:{port}{what.path}"
    programs = commands(folder, url, what, str(scratch / "certificate.pem"))
    names = list(programs)
    found = []
    for number in range(rounds):
        turn = number % len(names)
        order = names[turn:] + names[:turn]
        found.append({name: cpu_of_run(programs[name], what.count) for name in order})
    return names, found


def row(name, rounds):
    own = [each[name] for each in rounds]
    ratios = [each[name] / each["curl"] for each in rounds]
    spread = f"{min(own):.2f}-{max(own):.2f}"
    return [name, f"{statistics.median(own):.2f}", spread, echo.with_quartiles(ratios)]


def measure(arguments):
    missing = [name for name in ("nginx", "curl", "openssl") if shutil.which(name) is None]
    if missing:
        raise servers.failure(f"missing: apt-get install {' '.join(missing)}")
    build.bring_up_to_date(arguments.build_dir)
    results = {}
    with tempfile.TemporaryDirectory(prefix="http-", dir="/var/tmp") as folder:
        scratch = Path(folder)
        (scratch / "served").mkdir()
        (scratch / "served" / "1k.bin").write_bytes(os.urandom(1024))
        (scratch / "served" / "1m.bin").write_bytes(os.urandom(1024 * 1024))
        nginx.make_certificate(scratch)
        described = [("", nginx.hello), ("ssl http2", nginx.secured_by(scratch) + nginx.hello)]
        with nginx.running(scratch, described) as (_, ports):
            for name in arguments.kinds:
                what = kinds[name]
                names, rounds = measure_kind(arguments.build_dir, what, ports, scratch, arguments.rounds)
                print(f"\n{name}, {what.count} requests, {len(rounds)} rounds; medians (quartiles)")
                header = ["program", "us CPU/request", "min-max", "to curl"]
                report.print_table(header, [row(each, rounds) for each in names])
                results[name] = rounds
    report.write_json(arguments.build_dir, "http-clients", results)
