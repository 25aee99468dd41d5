# SPDX-License-Identifier: MIT
"""Starts example programs for the tests beside this file, and ends every one of them."""
import contextlib
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

folder = Path(os.environ["EXAMPLES"])
patience = 60  # seconds that a program may take before the test fails; none needs a second


def run(name, *arguments, status=0, **options):
    """Runs a program to its end and returns what it wrote; its exit status must be `status`."""
    command = [folder / name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience, **options)
    expect(done.returncode == status, f"{name} {arguments} ended with {done.returncode}: {done.stderr}")
    return done


class places(list):
    """Where a server listens, and what it says then."""

    def __init__(self, process):
        self.pid = process.pid
        self.said = process.stdout

    def descriptors(self):
        """How many the server has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextlib.contextmanager
def server(name, *arguments, listeners=1, ignoring=()):
    """A server and where it listens, started with the signals `ignoring` ignored; SIGTERM must end it with
    status 0."""
    def ignore():
        for number in ignoring:
            signal.signal(number, signal.SIG_IGN)

    process = subprocess.Popen([folder / name, *arguments], stdout=subprocess.PIPE, text=True,
                               preexec_fn=ignore)
    try:
        listening = places(process)
        for _ in range(listeners):
            line = process.stdout.readline()
            match = re.fullmatch(r"listening on (\S+)\n", line)
            expect(match, f"{name} says where it listens, not {line!r}")
            listening.append(match[1])
        yield listening
        process.send_signal(signal.SIGTERM)
        expect(process.wait(patience) == 0, f"{name} ends cleanly on SIGTERM")
    finally:
        process.kill()
        process.wait()


def allow_descriptors(count):
    """For this process and for the servers that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        enough = hard == resource.RLIM_INFINITY or hard >= count
        expect(enough, f"{count} descriptors are allowed, not {hard}")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def line_of(pipe):
    """The next line of a pipe that has no buffer (bufsize=0), which must come in time; empty at the end."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], patience)
        expect(ready, f"a line comes in time, and not only {line}")
        byte = os.read(pipe.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode().removesuffix("\n")


def port_of(place):
    return place.rsplit(":", 1)[1]


def expect(holds, what):
    if not holds:
        sys.exit(f"failed: {what}")


def backends():
    """Both, or only epoll where the kernel refuses io_uring: the build's own server tells, which cannot
    listen on an address for documentation either."""
    done = subprocess.run([folder / "echo_server", "--backend", "uring", "--host", "192.0.2.1"],
                          capture_output=True, text=True, timeout=patience)
    return ["epoll"] if "io_uring" in done.stderr else ["epoll", "uring"]


def echoed(port, sent):
    """What an echo server sends back to a client that ends its side before it has read all."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
        sender = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
        sender.start()
        received = b"".join(iter(lambda: client.recv(65536), b""))
        sender.join()
    return received


# The servers that say one line and answer a first message: what each answers to what.
answers = {
    "echo_server": (b"wheel", b"wheel"),
    "prefork_server": (b"wheel", b"wheel"),
    "readiness_callbacks": (b"wheel", b"wheel"),
    "reverse_server": (b"00005wheel", b"00005leehw"),
    "transfer serve": (b"start\r<--EOM-->\r", b"head"),
    "upper_server": (b"wheel", b"WHEEL"),
}
if os.path.exists(folder / "http_hello"):
    answers["http_hello"] = (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK")
