# SPDX-License-Identifier: MIT
"""transfer: large messages over several connections, with each end also a program of the standard library;
the ways in which a server dies; and what a client costs that waits."""
import contextlib
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from programs import backends, expect, folder, line_of, patience, run

ORIGINAL = [sys.executable, str(Path(__file__).parent / "transfer_original.py")]
RECEIPTS = [f"已收 {number} 条。" for number in (1, 2, 3)]
SIZE = 3 * 2**20


@contextlib.contextmanager
def started(*command):
    """A program whose lines are read one by one."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rest_of(process):
    return [text.decode() for text in process.communicate(timeout=patience)]


def place_of(process):
    line = line_of(process.stdout)
    expect(line.startswith("listening on "), line)
    return line.removeprefix("listening on ")


def stopped(process):
    """What a server of ours has printed until SIGTERM."""
    process.send_signal(signal.SIGTERM)
    output, errors = rest_of(process)
    expect(process.returncode == 0, f"a server ends cleanly: {process.returncode}, {errors}")
    expect(errors == "", errors)
    return output.splitlines()


def check_whole(output, connections=3, messages=3):
    for number in range(1, connections + 1):
        came = re.findall(rf"^connection {number}: message (\d+) has (\d+) bytes$", output, re.MULTILINE)
        expect(came == [(str(k), str(SIZE)) for k in range(1, messages + 1)], output)
        expect(f"connection {number} is done\n" in output, output)


def ours_with_ours(backend):
    with started(folder / "transfer", "serve", "--port", "0", "--backend", backend) as server:
        place = place_of(server)
        output = run("transfer", "connect", place, "--backend", backend).stdout
        check_whole(output)
        expect(sorted(stopped(server)) == sorted(3 * RECEIPTS), "each receipt is printed")


def our_server_with_the_original_client(backend):
    with started(folder / "transfer", "serve", "--port", "0", "--backend", backend) as server:
        host, port = place_of(server).rsplit(":", 1)
        done = subprocess.run([*ORIGINAL, "connect", host, port, "3", "3"], capture_output=True, text=True,
                              timeout=patience)
        expect(done.stdout == "all came\n", done.stdout + done.stderr)
        expect(sorted(stopped(server)) == sorted(3 * RECEIPTS), "each receipt is printed")


def our_client_with_the_original_server(backend, how, connections, messages):
    with started(*ORIGINAL, "serve", "127.0.0.1", "0", str(messages), how) as server:
        output = run("transfer", "connect", place_of(server), "--connections", str(connections), "--messages",
                     str(messages), "--backend", backend).stdout
        check_whole(output, connections, messages)


def free_ports(count):
    """So many ports in a row, free a moment ago; below those that the kernel gives to clients."""
    for _ in range(100):
        with contextlib.ExitStack() as kept:
            first = random.randrange(10000, 30000)
            with contextlib.suppress(OSError):
                for port in range(first, first + count):
                    kept.enter_context(socket.create_server(("0.0.0.0", port)))
                return first
    sys.exit("failed: no free ports in a row")


def connections_bind_ports_in_a_row(backend):
    with started(folder / "transfer", "serve", "--port", "0", "--messages", "1") as server:
        place = place_of(server)
        first = free_ports(2)
        arguments = ["connect", place, "--connections", "2", "--messages", "1", "--bind-port", str(first),
                     "--backend", backend]
        output = run("transfer", *arguments).stdout
        for number in (1, 2):
            expect(f"connection {number}: 127.0.0.1:{first + number - 1} to {place}\n" in output, output)
        check_whole(output, 2, 1)


def pids_of(server):
    """The processes that serve three clients, by the clients' ports, once all send their second message."""
    serving, paced = {}, set()
    while len(paced) < 3:
        words = line_of(server.stdout).split()
        if words[0] == "serving":
            serving[words[2]] = int(words[1])
        elif words[0] == "paced":
            paced.add(words[1])
    return serving


def reason_of_death(client, server, kill):
    """Why connection 2 is dead, as the client says, while the others go on to their end. `kill` gets the
    process that serves it."""
    serving = pids_of(server)
    ports = {}
    while len(ports) < 3:
        match = re.fullmatch(r"connection (\d): \S+:(\d+) to \S+", line_of(client.stdout))
        if match:
            ports[match[1]] = match[2]
    dead = serving.pop(ports["2"])
    try:
        kill(dead)
        line = line_of(client.stderr)
        for pid in serving.values():
            os.kill(pid, signal.SIGUSR1)
        output, errors = rest_of(client)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(dead, signal.SIGKILL)
    expect(client.returncode == 1, f"the client ends with 1, not {client.returncode}: {errors}")
    expect(errors == "", errors)
    for number in (1, 3):
        expect(f"connection {number}: message 3 has {SIZE} bytes\n" in output, output)
        expect(f"connection {number} is done\n" in output, output)
    match = re.fullmatch(r"connection 2 is dead after 1 of 3 messages: (.*)", line)
    expect(match, line)
    return match[1]


def a_server_that_dies_is_noticed(backend):
    for number, reasons in ((signal.SIGSTOP, r"nothing was received for 5 s: Connection timed out"),
                            (signal.SIGKILL, r".*: Connection reset by peer|recv of a message: \d+ bytes "
                                             r"arrived: unexpected end of stream")):
        with started(*ORIGINAL, "serve", "127.0.0.1", "0", "3", "paced") as server:
            arguments = ["connect", place_of(server), "--backend", backend]
            with started(folder / "transfer", *arguments) as client:
                reason = reason_of_death(client, server, lambda pid: os.kill(pid, number))
                expect(re.fullmatch(reasons, reason), reason)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def two_hosts():
    """Two network namespaces, joined by two links; the client's port 9002 goes over the second one."""
    near, far = f"leat-near-{os.getpid()}", f"leat-far-{os.getpid()}"
    with contextlib.ExitStack() as made:
        for name in (near, far):
            ip("netns", "add", name)
            made.callback(ip, "netns", "del", name)
            ip("-n", name, "link", "set", "lo", "up")
        for link in ("1", "2"):
            ip("link", "add", "out" + link, "netns", near, "type", "veth", "peer", "in" + link, "netns", far)
            ip("-n", near, "addr", "add", f"10.0.{link}.1/24", "dev", "out" + link)
            ip("-n", far, "addr", "add", f"10.0.{link}.2/24", "dev", "in" + link)
            ip("-n", near, "link", "set", "out" + link, "up")
            ip("-n", far, "link", "set", "in" + link, "up")
        ip("-n", far, "addr", "add", "10.9.9.9/32", "dev", "lo")
        ip("-n", near, "route", "add", "10.9.9.9", "via", "10.0.1.2")
        ip("-n", near, "route", "add", "10.9.9.9", "via", "10.0.2.2", "table", "100")
        ip("-n", near, "rule", "add", "ipproto", "tcp", "sport", "9002", "lookup", "100")
        yield near, far


def a_host_that_is_gone_is_noticed(backend):
    if shutil.which("ip") is None:
        print("skipped: a host that is gone: there is no ip command")
        return
    try:
        with two_hosts() as (near, far):
            inside = ["ip", "netns", "exec", far]
            with started(*inside, *ORIGINAL, "serve", "10.9.9.9", "9000", "3", "paced") as server:
                # Its own silence would be told later: it is the kernel that says so.
                arguments = ["connect", place_of(server), "--bind-port", "9001", "--backend", backend,
                             "--idle", "20"]
                with started("ip", "netns", "exec", near, folder / "transfer", *arguments) as client:
                    reason = reason_of_death(client, server,
                                             lambda _: ip("-n", far, "link", "set", "in2", "down"))
                    expect(re.fullmatch(r"(recv from|send to) 10\.9\.9\.9:9000: (Connection timed out|"
                                        r"No route to host)", reason), reason)
    except subprocess.CalledProcessError as refused:
        print(f"skipped: a host that is gone: {refused.stderr.strip()}")


def a_server_that_is_not_there_is_told():
    nobody = f"127.0.0.1:{free_ports(1)}"
    done = run("transfer", "connect", nobody, "--connections", "2", status=1)
    lines = sorted(done.stderr.splitlines())
    expect(len(lines) == 2 and lines[0].startswith("connection 1 is dead after 0 of 3 messages: connect to ")
           and lines[1].endswith(f"{nobody}: Connection refused"), done.stderr)


def a_server_that_closes_early_is_told():
    with started(folder / "transfer", "serve", "--port", "0", "--messages", "2") as server:
        done = run("transfer", "connect", place_of(server), "--connections", "1", "--idle", "0.5", status=1)
        expect(done.stderr == "connection 1 is dead after 2 of 3 messages: "
               "nothing was received for 500 ms: Connection timed out\n", done.stderr)
    with started(*ORIGINAL, "serve", "127.0.0.1", "0", "2") as server:
        done = run("transfer", "connect", place_of(server), "--connections", "1", status=1)
        expect(done.stderr == "connection 1 is dead after 2 of 3 messages: the server has closed it\n",
               done.stderr)


def wake_ups(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(count) for count in re.findall(r"ctxt_switches:\s+(\d+)", status))


def ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])  # of 10 ms


def waiting_costs_nothing(backend):
    """A second in which nothing comes: no wake-up but a few of the kernel's own, and no tick of time."""
    serving = ["serve", "--port", "0", "--messages", "0", "--backend", backend]
    with started(folder / "transfer", *serving) as server:
        place = place_of(server)
        arguments = ["connect", place, "--idle", "600", "--backend", backend]
        with started(folder / "transfer", *arguments) as client:
            for _ in range(3):
                expect(line_of(client.stdout).endswith(place), "it is connected")
            both = (client.pid, server.pid)
            select.select([client.stdout], [], [], 0.3)  # the last of its work
            before = [(wake_ups(pid), ticks(pid)) for pid in both]
            ready, _, _ = select.select([client.stdout], [], [], 1)
            expect(not ready, "nothing comes")
            for pid, (woken, spent) in zip(both, before):
                expect(wake_ups(pid) - woken <= 5, f"woken up {wake_ups(pid) - woken} times in a second")
                expect(ticks(pid) - spent <= 2, f"{ticks(pid) - spent} ticks in a second")


def bad_arguments_are_told():
    for arguments in ([], ["listen"], ["connect", "nowhere"], ["serve", "--port", "70000"],
                      ["connect", "--connections", "0"],
                      ["connect", "--connections", "2", "--bind-port", "65535"]):
        done = run("transfer", *arguments, status=2)
        expect(done.stderr.count("\n") == 1, f"one line: {done.stderr}")
    for arguments in (["--help"], ["serve", "--help"], ["connect", "--help"]):
        expect("transfer" in run("transfer", *arguments).stdout, arguments)


if __name__ == "__main__":
    bad_arguments_are_told()
    a_server_that_is_not_there_is_told()
    a_server_that_closes_early_is_told()
    our_client_with_the_original_server("epoll", "1", 1, 1)
    for backend in backends():
        ours_with_ours(backend)
        our_server_with_the_original_client(backend)
        our_client_with_the_original_server(backend, "65536", 3, 3)
        connections_bind_ports_in_a_row(backend)
        a_server_that_dies_is_noticed(backend)
        a_host_that_is_gone_is_noticed(backend)
        waiting_costs_nothing(backend)
