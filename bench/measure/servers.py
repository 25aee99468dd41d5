# SPDX-License-Identifier: MIT
"""The echo servers, how each is started, and the load generator that talks to them."""
import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

sources = Path(__file__).resolve().parents[1] / "echo"
python = "/usr/bin/python3"  # the one python3-gevent belongs to
cpus = sorted(os.sched_getaffinity(0))
server_cpu, client_cpu = cpus[0], cpus[1 % len(cpus)]


class failure(Exception):
    pass


@dataclass(frozen=True)
class server:
    name: str
    program: str  # in the build folder, or a Python file beside the sources
    arguments: tuple
    baseline: str  # what it is compared with: epoll or uring
    package: str  # what to install when the program was not built
    large_buffers: tuple = ()  # arguments for messages that fill the buffers it has by itself
    client: str = "client"  # the load generator that speaks to it

    def command(self, folder):
        if self.program.endswith(".py"):
            return [python, str(sources / self.program), *self.arguments]
        return [str(folder / "bench" / self.program), *self.arguments]

    def with_large_buffers(self):
        return replace(self, arguments=self.arguments + self.large_buffers)

    def is_there(self, folder):
        if not self.program.endswith(".py"):
            return (folder / "bench" / self.program).exists()
        probe = [python, "-c", "import gevent"]
        return subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0


larger_ring = ("--buffer", "65536", "--buffers", "64")
everything = (
    server("c-epoll", "c_epoll", (), "epoll", "clang-19", ("--buffer", "65536")),
    server("leat-epoll", "leat_echo", ("--backend", "epoll"), "epoll", "clang-19"),
    server("libuv", "libuv_echo", (), "epoll", "libuv1-dev"),
    server("asio", "asio_echo", (), "epoll", "libasio-dev", ("--buffer", "65536")),
    server("go", "go_echo", (), "epoll", "golang-go", ("--buffer", "65536")),
    server("gevent", "gevent_echo.py", (), "epoll", "python3-gevent"),
    server("c-uring", "c_uring", ("--recv", "multishot"), "uring", "liburing-dev", larger_ring),
    server("c-uring-oneshot", "c_uring", ("--recv", "oneshot"), "uring", "liburing-dev", larger_ring),
    server("leat-uring", "leat_echo", ("--backend", "uring"), "uring", "liburing-dev"),
    server("leat-blocking-epoll", "leat_blocking_echo", ("--backend", "epoll"), "epoll", "clang-19"),
    server("leat-blocking-uring", "leat_blocking_echo", ("--backend", "uring"), "uring", "liburing-dev"),
)
over_tls = tuple(
    server(f"leat-tls-{backend}", "leat_tls_echo", ("--backend", backend), backend, package, (), "tls_client")
    for backend, package in (("epoll", "libssl-dev"), ("uring", "liburing-dev"))
)
over_http = tuple(
    server(f"leat-http-{backend}", "leat_http", ("--backend", backend), backend, "libwslay-dev", (), client)
    for client, backend in (("http_idle_client", "epoll"), ("http_idle_client", "uring"))
)


def names(among=everything):
    return [one.name for one in among]


def starts(one, folder):
    try:
        with running([*one.command(folder), "--port", "0"]):
            return True
    except failure:
        return False


def choose(wanted, folder, default=None, among=everything):
    """The servers asked for that exist and start here; says what is missing."""
    unknown = set(wanted or ()) - set(names(among))
    if unknown:
        raise failure(f"no server {', '.join(sorted(unknown))}; there are {', '.join(names(among))}")
    chosen = []
    for one in among:
        if one.name not in (wanted or default or names(among)):
            continue
        if not one.is_there(folder):
            print(f"{one.name} is left out: apt-get install {one.package}", file=sys.stderr)
        elif not starts(one, folder):
            print(f"{one.name} is left out: it does not start here", file=sys.stderr)
        else:
            chosen.append(one)
    return chosen


def prepare_child(cpu, yielding):
    """Runs in the child: one CPU, many descriptors, and no outliving the parent. A yielding process never
    preempts: on a shared CPU the client must not run before the server has finished its turn and waits."""
    os.sched_setaffinity(0, {cpu})
    if yielding:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    parent_death_signal = 1
    ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGKILL)


def launch(command, cpu, yielding=False):
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        preexec_fn=lambda: prepare_child(cpu, yielding),
    )


def read_line(process, seconds=150):
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if ready else ""
    if not line:
        raise failure(f"no answer from `{' '.join(process.args)}`, status {process.poll()}")
    return line.strip()


def stop(process, how):
    if process.poll() is None:
        how()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def running(command):
    """A started server: (process, port)."""
    process = launch(command, server_cpu)
    try:
        line = read_line(process)
        if not line.startswith("listening on "):
            raise failure(f"`{' '.join(command)}` said `{line}`")
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        stop(process, process.terminate)


class load:
    """A connected load generator. Between runs its connections are idle."""

    def __init__(self, process):
        self.process = process

    def run(self, warm_up, round_trips):
        self.process.stdin.write(f"{warm_up} {round_trips}\n")
        return json.loads(read_line(self.process))


@contextlib.contextmanager
def connected(folder, port, connections, pid, cpu=client_cpu, message_size=64, client="client"):
    arguments = {"--port": port, "--connections": connections, "--server-pid": pid}
    arguments["--message-size"] = message_size
    command = [str(folder / "bench" / client), *(str(part) for pair in arguments.items() for part in pair)]
    process = launch(command, cpu, yielding=True)
    try:
        if read_line(process) != "connected":
            raise failure("the load generator did not connect")
        yield load(process)
    finally:
        stop(process, process.stdin.close)


def settle():
    """Lets what was just closed or accepted come to rest."""
    time.sleep(0.2)
