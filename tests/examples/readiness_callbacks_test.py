# SPDX-License-Identifier: MIT
"""readiness_callbacks is an echo server as echo_server is: for many clients, slow ones, half-closed ones."""
import fcntl
import os
import resource
import signal
import socket
import struct
import termios
import time

from echo_test import a_half_closed_client_gets_its_bytes, many_clients_at_once
from programs import allow_descriptors, backends, expect, patience, port_of, run, server


def times_it_slept(process):
    with open(f"/proc/{process}/status") as file:
        return int(next(line for line in file if line.startswith("voluntary_ctxt")).split()[1])


def who_finds_no_descriptor_is_accepted_when_there_is_one(listening):
    """Also when no client is there that could go."""
    _, hard = resource.prlimit(listening.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(listening.pid, resource.RLIMIT_NOFILE, (listening.descriptors(), hard))
    slept = times_it_slept(listening.pid)
    with socket.create_connection(("127.0.0.1", port_of(listening[0])), timeout=patience) as client:
        client.sendall(b"x")
        deadline = time.monotonic() + patience
        while times_it_slept(listening.pid) < slept + 3:  # it has tried, and again
            expect(time.monotonic() < deadline, "the server sleeps between its tries")
        resource.prlimit(listening.pid, resource.RLIMIT_NOFILE, (hard, hard))
        expect(client.recv(1) == b"x", "a client that waited is served")


def unread_by(port, client):
    """How many bytes from `client` the server at `port` has in the kernel (proc(5), rx_queue)."""
    ends = f":{port:04X}", f":{client:04X}"
    with open("/proc/net/tcp") as file:
        for line in file:
            _, here, there, _, queues, *_ = line.split()
            if (here[-5:], there[-5:]) == ends:
                return int(queues.split(":")[1], 16)
    return 0


def a_stop_sends_what_has_come(listening):
    """Of a client that takes nothing until then, so that the server does not read on."""
    port = int(port_of(listening[0]))
    part = bytes(range(256)) * 64
    with socket.socket() as client:
        client.settimeout(patience)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        deadline = time.monotonic() + patience
        sent = b""
        while unread_by(port, client.getsockname()[1]) < 3 * len(part):
            client.sendall(part)
            sent += part
            while struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, b"0000"))[0]:  # SIOCOUTQ
                expect(time.monotonic() < deadline, "all of it arrives")
        os.kill(listening.pid, signal.SIGTERM)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    os.waitid(os.P_PID, listening.pid, os.WEXITED | os.WNOWAIT)
    expect(received == sent, f"every byte comes back, not only {len(received)} of {len(sent)}")


if __name__ == "__main__":
    allow_descriptors(1200)
    for backend in backends():
        any_port = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        with server("readiness_callbacks", *any_port) as places:
            many_clients_at_once(places, 1000)
            a_half_closed_client_gets_its_bytes(places[0])
        with server("readiness_callbacks", *any_port) as places:
            who_finds_no_descriptor_is_accepted_when_there_is_one(places)
            a_stop_sends_what_has_come(places)
    done = run("readiness_callbacks", "--port", "70000", status=2)
    expect(done.stderr.count("\n") == 1 and "70000" in done.stderr, done.stderr)
    explained = run("readiness_callbacks", "--help").stdout
    expect("8001" in explained, f"its port is 8001 unless it is told another: {explained}")
