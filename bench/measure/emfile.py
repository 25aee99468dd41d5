# SPDX-License-Identifier: MIT
"""CPU time of an echo server that is out of descriptors while clients wait to be accepted. Afterwards it may
open more, and every client must get its byte back: none was lost, and it is told how long that took."""
import contextlib
import os
import resource
import socket
import statistics
import time

from . import build, report, servers

default_servers = ("leat-epoll", "leat-uring")
patience = 60


def cpu_seconds(pid):
    """User and kernel time of all threads of a process, by the clock that clock_getcpuclockid(3) names."""
    cpuclock_sched = 2
    return time.clock_gettime((~pid << 3) | cpuclock_sched)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until(holds, what):
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise servers.failure(f"not within {patience} s: {what}")
        time.sleep(0.01)


def echo(client):
    client.sendall(b"x")
    if client.recv(1) != b"x":
        raise servers.failure("a client that waited was lost")


def one_server(one, arguments):
    command = [*one.command(arguments.build_dir), "--port", "0"]
    with contextlib.ExitStack() as stack:
        process, port = stack.enter_context(servers.running(command))
        pid = process.pid

        def connect():
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), patience))

        echo(connect())
        most = descriptors(pid) + arguments.served
        hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, hard))
        clients = [connect() for _ in range(arguments.served + arguments.waiting)]
        wait_until(lambda: descriptors(pid) == most, f"{one.name} is out of descriptors")
        samples = []
        for _ in range(arguments.seconds):
            before, start = cpu_seconds(pid), time.monotonic()
            time.sleep(1)
            samples.append(1000 * (cpu_seconds(pid) - before) / (time.monotonic() - start))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        start = time.monotonic()
        for client in clients:
            echo(client)
        return samples, time.monotonic() - start


def measure(arguments):
    build.bring_up_to_date(arguments.build_dir)
    header = ["server", "CPU ms a second, mean", "largest", "all served after, s"]
    rows, figures = [], {}
    for one in servers.choose(arguments.servers, arguments.build_dir, default_servers):
        samples, recovery = one_server(one, arguments)
        figures[one.name] = {"cpu_ms_a_second": samples, "recovery_seconds": recovery}
        rows.append([one.name, f"{statistics.mean(samples):.2f}", f"{max(samples):.2f}", f"{recovery:.2f}"])
    print(f"{arguments.seconds} s out of descriptors with {arguments.served} clients served and "
          f"{arguments.waiting} waiting")
    report.print_table(header, rows)
    report.write_json(arguments.build_dir, "emfile", {"emfile": figures})
