# SPDX-License-Identifier: MIT
"""static_server behind an haproxy of this test, which tells it by the PROXY protocol, 1 and 2, whom a
connection is from; and that nobody else can say so."""
import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import backends, expect, patience, port_of, server

settings = """
global
    log stderr format raw local0 warning
defaults
    mode {mode}
    log global
    timeout connect 60s
    timeout client 60s
    timeout server 60s
"""
# Between listeners, whose descriptors it is handed, and the server. It also asks by itself, again and again,
# whether the server is there, with headers that tell of no client.
listen = """
listen {name}
    bind fd@{descriptor}
    server leat {place} {how} check check-send-proxy inter 50ms fall 1
"""


def listeners_here():
    """One of IPv4, and one of IPv6 where that is."""
    yield socket.create_server(("127.0.0.1", 0))
    with contextlib.suppress(OSError):
        yield socket.create_server(("::1", 0), family=socket.AF_INET6)


@contextlib.contextmanager
def haproxy(program, place, mode, folder):
    """A running haproxy, and where it listens and speaks version 1 or 2 to the server."""
    text = settings.format(mode=mode)
    with contextlib.ExitStack() as opened:
        listeners = []
        for how in ("send-proxy", "send-proxy-v2"):
            for listener in map(opened.enter_context, listeners_here()):
                text += listen.format(name=f"{how}-{len(listeners)}", descriptor=listener.fileno(),
                                      place=place, how=how)
                listeners.append(listener)
        there = [listener.getsockname()[:2] for listener in listeners]
        (folder / "settings").write_text(text)
        process = subprocess.Popen([program, "-db", "-q", "-f", folder / "settings"],
                                   pass_fds=[listener.fileno() for listener in listeners],
                                   stderr=subprocess.PIPE, text=True)
    try:
        yield there
        expect(process.poll() is None, "haproxy goes on until the end")
    finally:
        process.kill()
        said = process.communicate(timeout=patience)[1]
    expect("DOWN" not in said, f"haproxy finds the server there, always: {said}")


def asked_from(address, there, path):
    """Two answers on one connection from `address`."""
    client = http.client.HTTPConnection(*there, timeout=patience, source_address=(address, 0))
    bodies = []
    for _ in range(2):
        client.request("GET", path)
        bodies.append(client.getresponse().read())
    client.close()
    return bodies


def tells_whom_a_connection_is_from(places, listening):
    for there in places:
        addresses = ("::1",) if there[0] == "::1" else ("127.0.0.1", "127.0.0.3", "127.88.77.66")
        for address in addresses:
            path = f"/page.txt?{there[1]}"
            bodies = asked_from(address, there, path)
            expect(bodies == [b"page"] * 2, f"the page comes through haproxy, not {bodies}")
            for _ in range(2):
                line = listening.said.readline()
                expect(line.startswith(f"{address} - - [") and f'"GET {path} HTTP/1.1" 200 4 ' in line,
                       f"the log tells of {address}, and not: {line}")


def nobody_else_says_so(place):
    """This test is no proxy: what comes from other addresses is reset before it has said anything."""
    request = b"PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    where, said = ("127.0.0.1", int(port_of(place))), b""
    with contextlib.suppress(ConnectionError):
        with socket.create_connection(where, patience, ("127.0.0.2", 0)) as stranger:
            stranger.sendall(request)
            said = stranger.recv(100)
    expect(said == b"", f"a stranger hears nothing, not {said}")


if __name__ == "__main__":
    program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        print("haproxy is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "site").mkdir()
        (folder / "site" / "page.txt").write_text("page")
        for backend in backends():
            for mode in ("http", "tcp"):
                with server("static_server", "--port", "0", "--folder", folder / "site", "--log",
                            "--proxy", "127.0.0.1", "--backend", backend) as listening:
                    with haproxy(program, listening[0], mode, folder) as places:
                        tells_whom_a_connection_is_from(places, listening)
                        nobody_else_says_so(listening[0])
