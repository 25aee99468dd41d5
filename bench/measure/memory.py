# SPDX-License-Identifier: MIT
"""User-space memory of an idle connection: the resident size of the server with some idle connections, and
with many more. Each has had one message echoed. The first ones are there so that what is paid once (pools,
tables, code paged in) is not charged to the others. Kernel memory, the same for all, is not in it."""
from . import build, report, servers

first_connections = 1000
measured = servers.everything + servers.over_tls + servers.over_http


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        for line in lines:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    raise servers.failure(f"process {pid} shows no resident size")


def bytes_a_connection(one, folder, connections):
    with servers.running([*one.command(folder), "--port", "0"]) as (process, port):
        with servers.connected(folder, port, first_connections, process.pid, client=one.client):
            servers.settle()
            before = resident_bytes(process.pid)
            with servers.connected(folder, port, connections, process.pid, client=one.client):
                servers.settle()
                after = resident_bytes(process.pid)
    return before, after, (after - before) / connections


def measure(arguments):
    folder = arguments.build_dir
    build.bring_up_to_date(folder)
    figures = {}
    for one in servers.choose(arguments.servers, folder, among=measured):
        figures[one.name] = bytes_a_connection(one, folder, arguments.connections)
    most = first_connections + arguments.connections
    print(f"resident memory with {first_connections} and with {most} idle connections")
    header = ["server", "first, KiB", "then, KiB", "bytes a connection"]
    rows = []
    for name, (before, after, each) in figures.items():
        rows.append([name, before // 1024, after // 1024, f"{each:.0f}"])
    report.print_table(header, rows)
    report.write_json(folder, "memory", {"memory": figures})
