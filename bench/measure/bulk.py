# SPDX-License-Identifier: MIT
"""Bulk data: server CPU a request for messages of 64 B to 1 MiB, measured as those of `echo` are."""
from . import build, echo, report, servers

default_servers = tuple(name for name in servers.names() if name != "gevent")
bytes_in_a_round = 128 * 1024 * 1024
few_rounds = 4


def connections_for(size):
    """As many as the kernel's buffers have room for; with more, it is their filling up that is measured."""
    return 50 if size <= 64 * 1024 else 20 if size <= 256 * 1024 else 8


def text_of(size):
    for unit, bytes_of_unit in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if size >= bytes_of_unit and size % bytes_of_unit == 0:
            return f"{size // bytes_of_unit} {unit}"
    return f"{size} B"


def measure_messages(arguments):
    folder = arguments.build_dir
    chosen = servers.choose(arguments.servers, folder, default_servers)
    chosen = [one.with_large_buffers() for one in chosen]
    results = {}
    for size in arguments.sizes:
        connections = arguments.connections or connections_for(size)
        round_trips = max(4 * connections, min(5000, bytes_in_a_round // size))
        if arguments.short:
            round_trips = max(2 * connections, round_trips // 4)
        what = echo.plan(connections, size, arguments.rounds, round_trips, together=False)
        rounds = []
        for _ in range(arguments.starts):
            rounds += echo.one_start(chosen, folder, what)
        print(f"\n{text_of(size)}, {connections} connections, {len(rounds)} rounds; medians (quartiles)")
        results[size] = {"baselines": echo.print_rounds(chosen, rounds), "rounds": rounds}
    return results


def add_arguments(command, numbers, comma_list):
    command.add_argument("--sizes", type=numbers, default=[64, 1024, 16384, 65536, 262144, 1048576])
    command.add_argument("--connections", type=int, help="default: 50; 20 and 8 for the largest messages")
    command.add_argument("--rounds", type=int, default=10, help="rounds after each start of the servers")
    command.add_argument("--starts", type=int, default=2, help="how often the servers are started afresh")
    command.add_argument("--short", action="store_true", help="one start, few and short rounds")
    command.add_argument(
        "--servers", type=comma_list, help="default: all of " + ",".join(default_servers)
    )


def measure(arguments):
    if arguments.short:
        arguments.starts = 1
        arguments.rounds = min(arguments.rounds, few_rounds)
    build.bring_up_to_date(arguments.build_dir)
    report.write_json(arguments.build_dir, "bulk", {"messages": measure_messages(arguments)})
