# SPDX-License-Identifier: MIT
"""One HTTP server, the example static_server, among idle clients, clients that send a head byte by byte,
clients that never read, and connections that are reset, all at once: how long the rest waits for an answer,
and the memory, before and during that."""
import contextlib
import json
import os
import select
import tempfile
from pathlib import Path

from . import build, report, servers
from .emfile import cpu_seconds
from .memory import resident_bytes

amounts = {"idle": 10000, "slow": 1000, "deaf": 1000, "resets": 3000, "seconds": 10}
small, large = b"small", 4 << 20
backends = ("epoll", "uring")


def add_arguments(command, comma_list):
    helps = {
        "idle": "connections that have asked once",
        "slow": "clients that send their request's head byte by byte, a byte a second",
        "deaf": "clients that ask for 4 MiB and never read",
        "resets": "connections a second that are made, and reset",
        "seconds": "how long times are taken, before and during that",
    }
    for name, amount in amounts.items():
        command.add_argument(f"--{name}", type=int, default=amount, help=helps[name])
    command.add_argument("--backends", type=comma_list, default=backends)


def kernel_bytes():
    """What the TCP sockets of this machine hold, those of others as well."""
    with open("/proc/net/sockstat") as lines:
        for line in lines:
            if line.startswith("TCP:"):
                return int(line.split()[-1]) * os.sysconf("SC_PAGE_SIZE")
    raise servers.failure("/proc/net/sockstat has no line of TCP")


def largest_until(process, pid):
    """The next line of the load, and the most memory until it comes: the server's own, and the kernel's."""
    most = (0, 0)
    while True:
        most = max(most[0], resident_bytes(pid)), max(most[1], kernel_bytes())
        if select.select([process.stdout], [], [], 0.2)[0]:
            return servers.read_line(process), most


@contextlib.contextmanager
def flooding(folder, port, arguments):
    command = [str(folder / "bench" / "flood"), "--port", str(port)]
    for name in amounts:
        command += [f"--{name}", str(getattr(arguments, name))]
    process = servers.launch(command, servers.client_cpu)
    try:
        yield process
    finally:
        servers.stop(process, process.terminate)


def one_backend(backend, arguments, site):
    folder = arguments.build_dir
    command = [str(folder / "bench" / "static_server"), "--port", "0", "--folder", str(site)]
    rows = {}
    with servers.running([*command, "--backend", backend]) as (server, port):
        with flooding(folder, port, arguments) as load:
            for name in ("before", "during"):
                cpu = cpu_seconds(server.pid)
                line, (resident, kernel) = largest_until(load, server.pid)
                cpu = cpu_seconds(server.pid) - cpu
                rows[name] = {**json.loads(line), "resident": resident, "kernel": kernel, "cpu": cpu}
                if name == "before" and largest_until(load, server.pid)[0] != "flooded":
                    raise servers.failure("the flood did not begin")
        servers.settle()
        rows["after"] = {"resident": resident_bytes(server.pid), "kernel": kernel_bytes()}
    return rows


def measure(arguments):
    build.bring_up_to_date(arguments.build_dir)
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        (site / "small").write_bytes(small)
        (site / "large").write_bytes(bytes(large))
        for backend in arguments.backends:
            figures[backend] = one_backend(backend, arguments, site)
    print(f"{arguments.idle} idle, {arguments.slow} slow and {arguments.deaf} deaf clients, "
          f"{arguments.resets} resets a second")
    header = ["server", "when", "p50 ms", "p99", "p99.9", "max", "new: p50", "p99", "max", "failed", "MiB",
              "kernel MiB", "CPU %", "resets/s"]
    rows = []
    for backend, phases in figures.items():
        for name in ("before", "during"):
            one = phases[name]
            kept = [f"{one['kept'][key]:.2f}" for key in ("p50", "p99", "p999", "max")]
            new = [f"{one['new'][key]:.2f}" for key in ("p50", "p99", "max")]
            memory = [f"{one['resident'] / 2**20:.1f}", f"{one['kernel'] / 2**20:.0f}"]
            rows.append([f"leat-{backend}", name, *kept, *new, one["failed"], *memory,
                         f"{100 * one['cpu'] / arguments.seconds:.0f}", one["resets"] // arguments.seconds])
    report.print_table(header, rows)
    report.write_json(arguments.build_dir, "flood", {"flood": figures})
