# SPDX-License-Identifier: MIT
"""The programs, when their standard streams are closed or cannot be written."""
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import time

from programs import backends, expect, folder, patience, port_of, server

requests = {  # of each server: what it is asked, and how its answer ends
    "echo_server": (b"ask", b"ask"),
    "http_hello": (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"hello\n"),
}


def listening_port(process):
    """Of a program that cannot say it."""
    deadline = time.monotonic() + patience
    while True:
        expect(process.poll() is None, f"it runs, and has not ended with {process.returncode}")
        inodes = set()
        for number in os.listdir(f"/proc/{process.pid}/fd"):
            with contextlib.suppress(FileNotFoundError):  # it has closed that meanwhile
                leads_to = os.readlink(f"/proc/{process.pid}/fd/{number}")
                inodes |= set(re.findall(r"^socket:\[(\d+)\]$", leads_to))
        with open(f"/proc/{process.pid}/net/tcp") as table:
            for row in [line.split() for line in table][1:]:
                if row[3] == "0A" and row[9] in inodes:
                    return int(row[1].split(":")[1], 16)
        expect(time.monotonic() < deadline, "it listens")


def reset_after(port, sent):
    """A client that does not read, sends `sent`, and resets its connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
        client.sendall(sent)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def asked(port, question, end):
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
        client.sendall(question)
        received = b""
        while not received.endswith(end):
            piece = client.recv(4096)
            expect(piece, f"an answer that ends with {end!r}, not {received!r}")
            received += piece


def a_server_without_standard_streams_serves_on(name, backend):
    command = 'exec "$0" "$@" <&- >&- 2>&-'
    process = subprocess.Popen(["sh", "-c", command, folder / name, "--host", "127.0.0.1", "--port", "0",
                                "--backend", backend])
    try:
        port = listening_port(process)
        for number in (0, 1, 2):
            leads_to = os.readlink(f"/proc/{process.pid}/fd/{number}")
            expect(leads_to == "/dev/null", f"descriptor {number} of {name} is not {leads_to}")
        asked(port, *requests[name])
        for _ in range(5):
            reset_after(port, b"x" * 65536)
            asked(port, *requests[name])
        process.send_signal(signal.SIGTERM)
        expect(process.wait(patience) == 0, f"{name} on {backend} ends cleanly on SIGTERM")
    finally:
        process.kill()
        process.wait()


def a_server_whose_errors_nobody_reads_serves_on(name, backend):
    reader, writer = os.pipe()
    process = subprocess.Popen([folder / name, "--host", "127.0.0.1", "--port", "0", "--backend", backend],
                               stdout=subprocess.PIPE, stderr=writer, text=True)
    try:
        port = int(port_of(process.stdout.readline().strip()))
        os.close(reader)
        os.close(writer)
        for _ in range(5):
            reset_after(port, b"x" * 65536)
            asked(port, *requests[name])
        process.send_signal(signal.SIGTERM)
        expect(process.wait(patience) == 0, f"{name} on {backend} ends cleanly on SIGTERM")
    finally:
        process.kill()
        process.wait()


def what_cannot_be_printed_is_a_failure():
    lost = "error: standard output could not be written\n"
    serving = server("echo_server", "--host", "127.0.0.1", "--port", "0")
    with open("/dev/full", "w") as full, serving as (place,):
        for name, *arguments in (["at_once"], ["echo_client", place]):
            done = subprocess.run([folder / name, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                  input="hello\n", timeout=patience)
            expect((done.returncode, done.stderr) == (1, lost), f"{name}: {done}")
        for name in ("echo_client", "echo_server", "poetry_server", "poetry_sync", "poetry_async"):
            done = subprocess.run([folder / name, "--help"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=patience)
            expect(done.returncode == 1 and done.stderr == f"{name}: cannot write to standard output\n",
                   f"{name} --help: {done}")


if __name__ == "__main__":
    names = [name for name in requests if (folder / name).exists()]
    for backend in [*backends(), "poll"]:
        for name in names:
            a_server_without_standard_streams_serves_on(name, backend)
            a_server_whose_errors_nobody_reads_serves_on(name, backend)
    what_cannot_be_printed_is_a_failure()
