# SPDX-License-Identifier: MIT
"""A program that hangs is explained in three ways: by a signal, as JSON, and from gdb (live, and a core)."""
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import expect, folder, patience

script = Path(__file__).parents[2] / "scripts" / "gdb" / "leat_gdb.py"


def read_until(stream, pattern):
    """What `stream` says, up to the first line with `pattern`."""
    text = ""
    while not re.search(pattern, text):
        line = stream.readline()
        expect(line, f"the program says {pattern!r}, not only {text!r}")
        text += line
    return text


def check_text(text, who, addresses):
    for what in (
            r'task 1 \(spawned at .*hung\.cpp:\d+\) waits for another task',
            r'task \d+ "writer" \(spawned at .*hung\.cpp:\d+\) waits for recv on descriptor \d+',
            r'task \d+ "auditor" \(spawned at .*\) waits for a mutex( at 0x[0-9a-f]+ held by task \d+)?',
            r'task \d+ "report" \(spawned at .*\) waits for another task, task \d+',
            r'task \d+ "acceptor" \(spawned at .*\) waits for accept on descriptor \d+',
            r"in .*read_entry.* at .*hung\.cpp:\d+\n.* in .*write_down.* at .*hung\.cpp:\d+\n"):
        expect(re.search(what, text), f"{who} shows {what}:\n{text}")
    if addresses:
        expect(re.search(r"writer.* local 127\.0\.0\.1:\d+, peer 127\.0\.0\.1:\d+, 0 of 64 bytes", text),
               f"{who} shows addresses:\n{text}")


def by_signal(process):
    process.send_signal(signal.SIGQUIT)
    text = read_until(process.stderr, r'"acceptor"(.*\n){2}')
    check_text(text, "the dump by signal", True)
    expect(process.poll() is None, "the program goes on after a dump")
    return text


def by_json(line):
    (main,) = json.loads(line)["tasks"]
    (group,) = main["children"]
    tasks = {task["name"]: task for task in group["children"]}
    expect(sorted(tasks) == ["acceptor", "auditor", "report", "writer"], f"all tasks are children: {line}")
    expect(tasks["writer"]["wait"]["for"] == "recv" and tasks["writer"]["wait"]["bytes_wanted"] == 64, line)
    expect(tasks["auditor"]["wait"]["for"] == "a mutex", line)
    expect(tasks["report"]["wait"]["task"] == tasks["auditor"]["id"], line)


def gdb(*arguments):
    command = ["gdb", "-q", "-nx", "-batch", "-iex", "set debuginfod enabled off", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    return done.stdout + done.stderr


def by_gdb(target, who):
    arguments = ["-ex", f"source {script}"]
    text = gdb(*target, *arguments, "-ex", "leat tasks")
    check_text(text, who, False)
    writer = re.search(r'task (\d+) "writer"', text)[1]
    chain = gdb(*target, *arguments, "-ex", f"leat await-chain {writer}", "-ex", "leat await-chain 999")
    expect(re.search(r"#0 .*read_entry.*\n.*resumes in .*read_entry.*\n#1 .*write_down", chain), chain)
    expect("there is no task 999" in chain, chain)
    return text


def by_gdb_while_running(scratch):
    """A core from inside a task whose last wait was in a coroutine that has ended by then."""
    core = Path(scratch) / "running"
    stop = ["-ex", "break leat::scheduler::spawn", "-ex", "run", "-ex", "continue"]  # of task 1, then by it
    gdb(*stop, "-ex", f"gcore {core}", "-ex", "kill", str(folder / "hung"))
    show = ["-ex", f"source {script}", "-ex", "leat tasks", "-ex", "leat await-chain 1"]
    text = gdb(str(folder / "hung"), str(core), *show)
    expect(re.search(r"^task 1 \(spawned at .*\) runs\ntask 1 runs\n", text, re.MULTILINE),
           f"gdb shows no frames of a task that runs, as they may be gone:\n{text}")


def can_be_dumped(pid):
    """False under AddressSanitizer: gdb would write its terabytes of shadow memory into a core, too."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmSize:\s+(\d+) kB", status)[1]) < 2 ** 30


def main():
    process = subprocess.Popen([folder / "hung", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    try:
        said = read_until(process.stdout, "hanging").splitlines()
        by_json(said[0])
        shown = by_signal(process)
        if not shutil.which("gdb"):
            print("gdb is not installed")
            return 77
        if "ptrace" in gdb("-p", str(process.pid), "-ex", "info threads"):
            print("ptrace is forbidden here, so gdb cannot attach")
            return 77
        seen = by_gdb(["-p", str(process.pid)], "gdb on the process")
        if can_be_dumped(process.pid):
            with tempfile.TemporaryDirectory() as scratch:
                core = Path(scratch) / "core"
                gdb("-p", str(process.pid), "-ex", f"gcore {core}")
                by_gdb([str(folder / "hung"), str(core)], "gdb on a core file")
                by_gdb_while_running(scratch)
        if "--show" in sys.argv:
            print(shown, seen, said[0], sep="\n")
        return 0
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
