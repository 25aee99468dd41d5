# SPDX-License-Identifier: MIT
"""Server CPU a request. All servers run at once, each with its own idle connections; short measured runs go
round them in rotating order, so a ratio compares runs made within the same second on a machine that others
use too."""
import contextlib
import statistics
from dataclasses import dataclass

from . import build, report, servers

round_trips_by_connections = ((1, 3000), (100, 5000), (10**9, 10000))


@dataclass(frozen=True)
class plan:
    connections: int
    message_size: int
    rounds: int
    round_trips: int
    together: bool  # server and client on one CPU


def round_trips_for(connections):
    return next(trips for most, trips in round_trips_by_connections if connections <= most)


def shares_cpu(connections, placement):
    """One connection alternates anyway; on two CPUs its figure is the cost of halting and waking a CPU, which
    on a virtual machine is several times that of any server and hides it."""
    return placement == "together" or (placement == "best" and connections == 1)


def one_start(chosen, folder, what):
    """One dictionary a round: server name -> the load generator's figures."""
    warm_up = max(2 * what.connections, what.round_trips // 10)
    client_cpu = servers.server_cpu if what.together else servers.client_cpu
    with contextlib.ExitStack() as stack:
        loads = {}
        for one in chosen:
            process, port = stack.enter_context(servers.running([*one.command(folder), "--port", "0"]))
            client = servers.connected(
                folder, port, what.connections, process.pid, client_cpu, what.message_size
            )
            loads[one.name] = stack.enter_context(client)
        servers.settle()
        rounds = []
        for number in range(what.rounds):
            turn = number % len(chosen)
            order = chosen[turn:] + chosen[:turn]
            rounds.append({one.name: loads[one.name].run(warm_up, what.round_trips) for one in order})
        return rounds


def microseconds(figures):
    return figures["server_cpu_ns"] / figures["round_trips"] / 1000


def best_uring(rounds):
    """The name of the C loop on io_uring that is the better one here, if there is any."""
    forms = [name for name in ("c-uring", "c-uring-oneshot") if name in rounds[0]]
    return min(forms, key=lambda name: statistics.median(microseconds(r[name]) for r in rounds), default=None)


def ratios(rounds, name, baseline):
    if baseline not in rounds[0]:
        return None
    return [microseconds(r[name]) / microseconds(r[baseline]) for r in rounds]


def with_quartiles(values):
    if values is None:
        return "-"
    if len(values) < 2:
        return f"{values[0]:.2f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def row(one, rounds, baselines):
    cpu = [microseconds(r[one.name]) for r in rounds]
    rate = [r[one.name]["round_trips"] / r[one.name]["elapsed_ns"] * 1e6 for r in rounds]
    busy = [r[one.name]["server_cpu_ns"] / r[one.name]["elapsed_ns"] for r in rounds]
    return [
        one.name,
        f"{statistics.median(cpu):.2f}",
        f"{min(cpu):.2f}-{max(cpu):.2f}",
        with_quartiles(ratios(rounds, one.name, baselines[one.baseline])),
        with_quartiles(ratios(rounds, one.name, "c-epoll")),
        f"{100 * statistics.median(busy):.0f} %",
        f"{statistics.median(rate):.3g}",
    ]


def print_rounds(chosen, rounds):
    """Returns what each server was compared with."""
    baselines = {"epoll": "c-epoll", "uring": best_uring(rounds)}
    header = ["server", "us CPU/request", "min-max", "to the C loop", "to C epoll", "busy", "thousand/s"]
    report.print_table(header, [row(one, rounds, baselines) for one in chosen])
    return baselines


def print_blocking(rounds):
    """The server of blocking functions beside that of coroutines, on the same backend."""
    names = [(f"leat-blocking-{backend}", f"leat-{backend}") for backend in ("epoll", "uring")]
    pairs = [pair for pair in names if all(name in rounds[0] for name in pair)]
    if pairs:
        print()
        rows = [[blocking, with_quartiles(ratios(rounds, blocking, other))] for blocking, other in pairs]
        report.print_table(["server", "to the coroutines"], rows)


def measure(arguments):
    build.bring_up_to_date(arguments.build_dir)
    chosen = servers.choose(arguments.servers, arguments.build_dir)
    results = {}
    for connections in arguments.connections:
        what = plan(
            connections,
            64,
            arguments.rounds,
            arguments.round_trips or round_trips_for(connections),
            shares_cpu(connections, arguments.placement),
        )
        rounds = []
        for _ in range(arguments.starts):
            rounds += one_start(chosen, arguments.build_dir, what)
        where = "one CPU for both" if what.together else "a CPU each"
        print(f"\n{connections} connections, 64 bytes, {where}, {len(rounds)} rounds; medians (quartiles)")
        results[connections] = {"baselines": print_rounds(chosen, rounds), "rounds": rounds}
        print_blocking(rounds)
    report.write_json(arguments.build_dir, "echo", {"connections": results})
