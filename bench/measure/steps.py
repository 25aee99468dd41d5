# SPDX-License-Identifier: MIT
"""What the steps of a runtime cost: CPU nanoseconds, the programs run in turn, and user-space instructions by
callgrind. Each program is told a step and how often; how it counts is in bench/steps/."""
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from . import build, report, servers

# step: (how often, in how many of callgrind's runs, what it is)
steps = {
    "yield": (4_000_000, 100_000, "a task yields and another runs"),
    "switch": (8_000_000, 100_000, "from one stack to another, with errno and exceptions"),
    "call": (2_000_000, 50_000, "an empty function, or coroutine, is awaited"),
    "spawn": (1_000_000, 50_000, "an empty task is spawned and joined"),
    "timer": (1_000_000, 50_000, "a timer is started and cancelled among 1,000,000"),
    "timeout": (1_000_000, 50_000, "a deadline that does not pass, around a yield"),
    "rendezvous": (1_000_000, 50_000, "a value goes from one task to another that waits for it"),
    "channel": (2_000_000, 50_000, "the same through a channel with room for 128"),
    "mutex": (1_000_000, 50_000, "a mutex that ten tasks want, held over a yield"),
    "free-mutex": (4_000_000, 50_000, "a mutex that nobody else wants"),
    "cancel": (100_000, 10_000, "one of 100,000 waiting tasks is cancelled and ends"),
    "cancel-deep": (100_000, 10_000, "the same, ten frames deep"),
}
programs = {"leat": "leat_steps", "fibre": "leat_fibre_steps", "boost": "boost_fiber_steps",
            "thread": "thread_steps", "asio": "asio_steps", "libuv": "libuv_steps", "go": "go_steps"}
counted = ("leat", "fibre", "asio", "libuv")  # Go's own threads confuse the count


def output_of(command):
    """What the program printed, or None when it does not know the step."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    if result.returncode == 2:
        return None
    if result.returncode != 0:
        raise servers.failure(f"`{' '.join(map(str, command))}` failed:\n{result.stderr[-2000:]}")
    return result.stdout.strip()


def instructions(program, step, count):
    def collected(times):
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "callgrind.out"
            tool = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={output}"]
            if output_of([*tool, program, step, times]) is None:
                return None
            for line in output.read_text().splitlines():
                if line.startswith(("summary:", "totals:")):
                    return int(line.split()[1])
        raise servers.failure(f"callgrind wrote no total for {program}")

    once = collected(count)
    return None if once is None else (collected(2 * count) - once) / count


def measure(arguments):
    folder = arguments.build_dir
    build.bring_up_to_date(folder)
    found = {name: folder / "bench" / file for name, file in programs.items()}
    found = {name: path for name, path in found.items() if path.exists()}
    chosen = arguments.steps or list(steps)
    times = {step: {name: [] for name in found} for step in chosen}
    for _ in range(arguments.rounds):
        for step in chosen:
            for name, path in found.items():
                printed = output_of([path, step, steps[step][0]])
                if printed is not None:
                    times[step][name].append(float(printed))

    def cells(step):
        values = (times[step][name] for name in found)
        return [f"{statistics.median(each):.1f}" if each else "-" for each in values]

    print(f"nanoseconds of CPU time a step, median of {arguments.rounds} rounds")
    report.print_table(["step", *found, ""], [[step, *cells(step), steps[step][2]] for step in chosen])
    figures = {"nanoseconds": times}
    if arguments.instructions:
        if shutil.which("valgrind") is None:
            raise servers.failure("valgrind is missing: apt-get install valgrind")
        names = [name for name in counted if name in found]
        counts = {}
        for step in chosen:
            counts[step] = {name: instructions(found[name], step, steps[step][1]) for name in names}
        rows = []
        for step, by_name in counts.items():
            rows.append([step, *("-" if value is None else f"{value:.0f}" for value in by_name.values())])
        print("\nuser-space instructions a step")
        report.print_table(["step", *names], rows)
        figures["instructions"] = counts
    report.write_json(folder, "steps", figures)
