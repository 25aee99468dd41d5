# SPDX-License-Identifier: MIT
"""User-space instructions an echo round trip. The server runs under callgrind twice, once with twice as
many round trips; the difference is what the round trips cost, without starting, connecting and closing.
epoll only: valgrind does not know io_uring well enough. What one turn of the loop costs is shared by all
connections that were ready in it."""
import shutil
import tempfile
from pathlib import Path

from . import build, report, servers

default_servers = ("c-epoll", "leat-epoll", "libuv", "asio")


def collected(one, folder, connections, round_trips):
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "callgrind.out"
        callgrind = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={output}"]
        command = [*callgrind, *one.command(folder), "--port", "0"]
        with servers.running(command) as (process, port):
            with servers.connected(folder, port, connections, process.pid) as load:
                load.run(0, round_trips)
            servers.settle()
        for line in output.read_text().splitlines():
            if line.startswith(("summary:", "totals:")):
                return int(line.split()[1])
    raise servers.failure(f"callgrind wrote no total for {one.name}")


def measure(arguments):
    if shutil.which("valgrind") is None:
        raise servers.failure("valgrind is missing: apt-get install valgrind")
    folder = arguments.build_dir
    build.bring_up_to_date(folder)
    chosen = servers.choose(arguments.servers, folder, default_servers)
    figures = {}
    for one in chosen:
        figures[one.name] = {}
        for connections in arguments.connections:
            round_trips = arguments.round_trips
            once = collected(one, folder, connections, round_trips)
            twice = collected(one, folder, connections, 2 * round_trips)
            figures[one.name][connections] = (twice - once) / round_trips
    header = ["server", *(f"{count} connections" for count in arguments.connections)]
    print("user-space instructions a round trip of 64 bytes")
    rows = [[name, *(f"{value:.0f}" for value in by_count.values())] for name, by_count in figures.items()]
    report.print_table(header, rows)
    report.write_json(folder, "instructions", {"instructions": figures})
