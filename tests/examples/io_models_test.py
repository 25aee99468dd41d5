# SPDX-License-Identifier: MIT
"""io_models: nine servers echo, each is measured and stops where it must, and the chart can be read."""
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree as xml

from programs import backends, echoed, expect, folder, patience, port_of, run, server

models = ["blocking", "process", "thread", "select", "poll", "epoll-level", "epoll-edge", "leat-epoll"]
if "uring" in backends():
    models.append("leat-uring")
all_models = [*models[:8], "leat-uring"]


def usual_stacks():
    """Of threads, which the limit on addresses is about."""
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, hard))


def without_fake_stacks():
    """The address sanitizer gives up when it has no room for those that it adds to each thread."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return os.environ | {"ASAN_OPTIONS": f"{options}:detect_stack_use_after_return=0"}


def echoes_more_than_it_can_hold(port):
    """A client that sends first and reads later gets every byte, also after it has ended its side."""
    sent = bytes(range(256)) * 12000
    received = echoed(port, sent)
    expect(received == sent, f"3 MB come back: {len(received)}")


def serves_two_at_once(name, port):
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as first:
        first.sendall(b"one")
        expect(first.recv(100) == b"one", f"{name} answers")
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as second:
            second.sendall(b"two")
            if name != "blocking":
                expect(second.recv(100) == b"two", f"{name} answers a second client")
                return
            first.sendall(b"again")
            expect(first.recv(100) == b"again", "the first client is still served")
            second.setblocking(False)
            try:
                expect(second.recv(100) is None, "a second client is answered")
            except BlockingIOError:
                pass
            first.close()
            second.settimeout(patience)
            expect(second.recv(100) == b"two", "the second client is served when the first has gone")


def each_model_serves():
    for name in models:
        with server("io_models", "--serve", name, "--port", "0") as places:
            port = int(port_of(places[0]))
            serves_two_at_once(name, port)
            echoes_more_than_it_can_hold(port)


def rows_of(table):
    """{(model, clients): the figures, or the reason why there are none}."""
    rows = {}
    for name, clients, rest in re.findall(r"^([a-z-]+) +(\d+)  *(\S.*)$", table, re.M):
        rows[name, int(clients)] = rest if ":" in rest else rest.split()
    return rows


def the_table_has_every_model(table):
    rows = rows_of(table)
    for name in models:
        for clients in (1, 10):
            found = rows[name, clients]
            if (name, clients) == ("blocking", 10):
                expect(found == "stops: 1 of 10 answered", found)
                continue
            expect(len(found) == 5, f"{name}, {clients}: {found}")
            expect(all(float(figure) > 0 for figure in found[:4]), f"{name}, {clients}: {found}")
            expect(float(found[1]) <= float(found[2]), f"the median is below the 99th percentile: {found}")
            expect((found[4] == "-") == (clients == 1), f"memory is that of one client more: {found}")
    if "leat-uring" not in models:
        expect("io_uring" in rows["leat-uring", 1], "it is said why io_uring is not measured")


def each_stops_where_it_must(text):
    stops = dict(re.findall(r"^([a-z-]+) +(\S.*)$", text, re.M))
    words = (r".* client (\d+) (waits|is refused); the server's highest descriptor is (\d+)"
             r"(?:; it says (.*))?")

    def stop(name):
        found = re.fullmatch(words, stops[name])
        expect(found, f"{name}: {stops[name]}")
        return int(found[1]), found[2], int(found[3]), found[4]

    expect(stop("blocking")[:2] == (2, "waits"), stops["blocking"])
    expect(stop("select") == (1021, "is refused", 1023, "descriptor 1024 does not fit into an fd_set"),
           stops["select"])
    client, how, _, why = stop("process")
    if not why.startswith("setresuid"):  # not root, or not where users can be changed
        expect((client, how) == (101, "is refused") and why.startswith("fork: "), stops["process"])
    client, how, _, why = stop("thread")
    expect(1 < client <= 129 and how == "is refused" and why.startswith("pthread_create: "), stops["thread"])
    for name in models[4:]:
        client, how, highest, why = stop(name)
        expect(240 < client < 256 and how == "waits" and highest == 255 and "accept: " in why, stops[name])


def boxes_of(picture):
    """(left, top, right, bottom, words) of each text, with letters as wide as those of a wide font."""
    for text in picture.iter("{http://www.w3.org/2000/svg}text"):
        size = float(text.get("font-size"))
        width = size * len(text.text) * (0.69 if text.get("font-weight") else 0.61)
        if text.get("transform"):
            moved = re.match(r"translate\((\S+) (\S+)\) rotate\(-90\)", text.get("transform"))
            x, y = map(float, moved.groups())
            yield x - size, y - width / 2, x, y + width / 2, text.text
            continue
        x, y = float(text.get("x")), float(text.get("y"))
        left = x - {"start": 0, "middle": width / 2, "end": width}[text.get("text-anchor")]
        yield left, y - size * 0.8, left + width, y + size * 0.2, text.text


def the_chart_can_be_read(path):
    picture = xml.parse(path).getroot()
    ids = [group.get("id") for group in picture.iter("{http://www.w3.org/2000/svg}g")]
    expect(sorted(ids) == sorted(f"{panel}-{name}" for panel in ("throughput", "cpu", "latency")
                                 for name in all_models), f"nine series in each panel: {ids}")
    boxes = list(boxes_of(picture))
    words = [box[4] for box in boxes]
    for axis in ("requests a second", "microseconds a request", "microseconds",
                 "clients that are connected"):
        expect(axis in words, f"an axis is named {axis}")
    _, _, width, height = map(float, picture.get("viewBox").split())
    for i, one in enumerate(boxes):
        inside = one[0] >= 0 and one[1] >= 0 and one[2] <= width and one[3] <= height
        expect(inside, f"{one} is in the picture")
        for other in boxes[:i]:
            apart = (one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1])
            expect(apart, f"{one} and {other} do not overlap")


def descendants(process):
    """The processes below this one."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def nothing_outlives_a_killed_program(earlier_chart):
    command = [folder / "io_models", "--models", "process", "--clients", "20", "--seconds", "60",
               "--svg", earlier_chart]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + patience
        while len(found := descendants(process.pid)) < 21:
            expect(time.monotonic() < deadline, f"a server and 20 children run: {found}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    while left := [child for child in found if os.path.exists(f"/proc/{child}") and not is_zombie(child)]:
        expect(time.monotonic() < deadline, f"all end: {left}")


def is_zombie(process):
    """Whether it has ended, and only its parent, which is not ours, has not looked yet."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def bad_arguments_are_one_line():
    for arguments in (["--models", "poll,kqueue"], ["--serve", "kqueue"], ["--serve", "poll,select"],
                      ["--clients", "0"], ["--seconds", "x"]):
        done = run("io_models", *arguments, status=2)
        expect(done.stderr.count("\n") == 1 and done.stdout == "", f"{arguments}: {done.stderr!r}")
    done = run("io_models", "--svg", "/nowhere/chart.svg", status=1)
    expect(done.stderr == "error: /nowhere/chart.svg: No such file or directory\n", done.stderr)


if __name__ == "__main__":
    bad_arguments_are_one_line()
    each_model_serves()
    with tempfile.TemporaryDirectory() as scratch:
        chart = os.path.join(scratch, "chart.svg")
        done = run("io_models", "--seconds", "0.05", "--clients", "1,10", "--svg", chart,
                   preexec_fn=usual_stacks, env=without_fake_stacks())
        table, stops = done.stdout.split("\nWhere each stops\n")
        the_table_has_every_model(table)
        each_stops_where_it_must(stops)
        the_chart_can_be_read(chart)
        with open(chart) as file:
            before = file.read()
        nothing_outlives_a_killed_program(chart)
        with open(chart) as file:
            expect(file.read() == before, "a run that does not end leaves an earlier chart as it is")
