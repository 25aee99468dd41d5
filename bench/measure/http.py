# SPDX-License-Identifier: MIT
"""Server CPU of an HTTP request, a WebSocket message, a TLS handshake, beside other servers. All servers of a
kind run at once; short measured runs go round them in rotating order."""
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import build, echo, nginx, report, servers
from .emfile import cpu_seconds

sources = Path(__file__).resolve().parents[1] / "http"
connections = 50
websocket_messages = 10_000
tools = {"nginx": "nginx", "wrk": "wrk", "h2load": "nghttp2-client", "nghttpd": "nghttp2-server"}
tools |= {"openssl": "openssl"}


@dataclass(frozen=True)
class peer:
    name: str
    pid: int
    port: int


def output_of(command):
    ended = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        preexec_fn=lambda: servers.prepare_child(servers.client_cpu, False),
    )
    if ended.returncode != 0:
        raise servers.failure(f"`{' '.join(command)}` ended with {ended.returncode}: {ended.stdout[-500:]}")
    return ended.stdout


def counted(pattern, text):
    found = re.search(pattern, text)
    if found is None or int(found[1]) == 0:
        raise servers.failure(f"no requests were counted in: {text[-500:]}")
    return int(found[1])


def by_wrk(path, *arguments):
    """A function that asks a port for a second, and gives how many answers came."""

    def ask(port):
        text = output_of(
            ["wrk", "-t1", f"-c{connections}", "-d1s", *arguments, f"http://127.0.0.1:{port}{path}"]
        )
        if "Non-2xx" in text or "Socket errors" in text:
            raise servers.failure(f"wrk met errors: {text}")
        return counted(r"(\d+) requests in", text)

    return ask


def by_h2load(port):
    text = output_of(
        ["h2load", "-t1", "-n20000", "-c10", "-m100", f"http://127.0.0.1:{port}/hello"]
    )
    if " 0 failed, 0 errored, 0 timeout" not in text or "20000 2xx" not in text:
        raise servers.failure(f"h2load met errors: {text}")
    return counted(r"(\d+) succeeded", text)


def by_s_time(*arguments):
    """Handshakes of TLS 1.3, each with one request, as tickets come with its answer."""

    def ask(port):
        text = output_of(
            ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-www", "/hello", "-time", "1", *arguments]
        )
        return counted(r"(\d+) connections in", text)

    return ask


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@contextlib.contextmanager
def leat(folder, *arguments):
    """One on each backend."""
    with contextlib.ExitStack() as stack:
        found = []
        for backend in ("epoll", "uring"):
            command = [str(folder / "bench" / "leat_http"), "--port", "0", "--backend", backend, *arguments]
            process, port = stack.enter_context(servers.running(command))
            found.append(peer(f"leat-{backend}", process.pid, port))
        yield found


@contextlib.contextmanager
def nghttpd(root):
    port = free_port()
    process = servers.launch(
        ["nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", str(root), str(port)], servers.server_cpu
    )
    try:
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield [peer("nghttpd", process.pid, port)]
    finally:
        servers.stop(process, process.terminate)


@contextlib.contextmanager
def nginx_on(folder, options="", directives=""):
    with nginx.running(folder, [(options, directives)]) as (pid, ports):
        yield [peer("nginx", pid, ports[0])]


@contextlib.contextmanager
def echo_peers(folder):
    commands = {
        "c-wslay": ([str(folder / "bench" / "c_wslay")], "libwslay-dev"),
        "websockets": ([servers.python, str(sources / "websockets_echo.py")], "python3-websockets"),
        "node-ws": (["node", str(sources / "ws_echo.js")], "node-ws"),
    }
    os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")
    with contextlib.ExitStack() as stack:
        found = []
        for name, (command, package) in commands.items():
            try:
                process, port = stack.enter_context(servers.running([*command, "--port", "0"]))
                found.append(peer(name, process.pid, port))
            except (servers.failure, FileNotFoundError):
                print(f"{name} is left out: apt-get install {package}", file=sys.stderr)
        yield found


@dataclass(frozen=True)
class kind:
    baseline: str  # what is compared with
    peers: tuple  # context managers, each of which gives a list of peers
    ask: object  # a function of a port, which gives how many requests were answered; WebSockets have none


def kinds(folder, scratch):
    """One is used of what this gives: kinds share peers, and each is started once."""
    files = (nginx_on(scratch), leat(folder, "--role", "files", "--files", str(scratch / "served")))
    texts = (nginx_on(scratch, "", nginx.hello), leat(folder))
    http2 = (nghttpd(scratch / "served"), nginx_on(scratch, "http2", nginx.hello), leat(folder))
    found = {
        "hello": kind("nginx", texts, by_wrk("/hello")),
        "pipelined": kind("nginx", texts, by_wrk("/hello", "-s", str(sources / "pipelined.lua"))),
        "1-KB": kind("nginx", files, by_wrk("/1k.bin")),
        "1-MB": kind("nginx", files, by_wrk("/1m.bin")),
        "http2": kind("nghttpd", http2, by_h2load),
        "websocket": kind("c-wslay", (echo_peers(folder), leat(folder, "--role", "echo")), None),
    }
    for algorithm in ("ecdsa", "rsa"):
        shown = ("--certificate", str(scratch / f"{algorithm}-certificate.pem"))
        shown += ("--key", str(scratch / f"{algorithm}-key.pem"))
        secured = nginx.secured_by(scratch, f"{algorithm}-")
        peers = (nginx_on(scratch, "ssl", secured + nginx.hello), leat(folder, *shown))
        for how in ("new", "reuse"):
            found[f"tls-{algorithm}-{how}"] = kind("nginx", peers, by_s_time(f"-{how}"))
    return found


names = tuple(kinds(Path(), Path()))


def prepare(scratch):
    (scratch / "served").mkdir()
    (scratch / "served" / "hello").write_text("hello\n")
    (scratch / "served" / "1k.bin").write_bytes(os.urandom(1024))
    (scratch / "served" / "1m.bin").write_bytes(os.urandom(1024 * 1024))
    nginx.make_certificate(scratch, "ecdsa-")
    nginx.make_certificate(scratch, "rsa-", ("rsa:2048",))


def measured_once(one, ask):
    before, began = cpu_seconds(one.pid), time.monotonic()
    requests = ask(one.port)
    spent = cpu_seconds(one.pid) - before
    return {"us": spent / requests * 1e6, "requests": requests, "busy": spent / (time.monotonic() - began)}


def measured_messages(load):
    figures = load.run(2 * connections, websocket_messages)
    return {
        "us": figures["server_cpu_ns"] / figures["round_trips"] / 1000,
        "requests": figures["round_trips"],
        "busy": figures["server_cpu_ns"] / figures["elapsed_ns"],
    }


def measure_kind(folder, what, rounds):
    with contextlib.ExitStack() as stack:
        peers = [one for each in what.peers for one in stack.enter_context(each)]
        once = {one.name: (lambda one=one: measured_once(one, what.ask)) for one in peers}
        if what.ask is None:
            for one in peers:
                connected = servers.connected(
                    folder, one.port, connections, one.pid, client="websocket_client"
                )
                load = stack.enter_context(connected)
                once[one.name] = lambda load=load: measured_messages(load)
        servers.settle()
        found = []
        for number in range(rounds):
            turn = number % len(peers)
            found.append({one.name: once[one.name]() for one in peers[turn:] + peers[:turn]})
        return found


def row(name, rounds, baseline):
    own = [each[name]["us"] for each in rounds]
    ratios = [each[name]["us"] / each[baseline]["us"] for each in rounds] if baseline in rounds[0] else None
    busy = statistics.median(each[name]["busy"] for each in rounds)
    spread = f"{min(own):.2f}-{max(own):.2f}"
    return [name, f"{statistics.median(own):.2f}", spread, echo.with_quartiles(ratios), f"{100 * busy:.0f} %"]


def measure(arguments):
    missing = [package for tool, package in tools.items() if shutil.which(tool) is None]
    if missing:
        raise servers.failure(f"missing: apt-get install {' '.join(missing)}")
    build.bring_up_to_date(arguments.build_dir)
    results = {}
    for name in arguments.kinds:
        with tempfile.TemporaryDirectory(prefix="http-", dir="/var/tmp") as scratch:
            prepare(Path(scratch))
            what = kinds(arguments.build_dir, Path(scratch))[name]
            rounds = measure_kind(arguments.build_dir, what, arguments.rounds)
        print(f"\n{name}, {len(rounds)} rounds; medians (quartiles)")
        header = ["server", "us CPU/request", "min-max", f"to {what.baseline}", "busy"]
        report.print_table(header, [row(one, rounds, what.baseline) for one in rounds[0]])
        results[name] = rounds
    report.write_json(arguments.build_dir, "http", results)
