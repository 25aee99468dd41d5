# SPDX-License-Identifier: MIT
"""http_hello, asked by clients of HTTP/2 that are not ours: curl, nghttp, h2load, and python3-h2 with frames
that no client should send. Those that are missing are left out."""
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import backends, expect, folder, patience, port_of, server

sys.path.append("/usr/lib/python3/dist-packages")
try:
    import h2.config
    import h2.connection
    import h2.errors
    import h2.events
except ImportError:
    h2 = None


def said_by(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience)
    expect(done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def ask_with_curl(place):
    for how, version in (("--http2-prior-knowledge", "2"), ("--http2", "1.1"), ("--http1.1", "1.1")):
        said = said_by("curl", "--silent", "--noproxy", "*", "--write-out", "%{http_version} %{http_code}",
                       how, f"http://{place}/", "--data", "x" * 100_000)
        expect(said == f"hello\n{version} 200", f"curl {how} is answered, not {said!r}")


def ask_with_nghttp(place):
    said = said_by("nghttp", *[f"http://{place}/{number}" for number in range(20)])
    expect(said == "hello\n" * 20, f"nghttp is answered, not {said!r}")


def ask_with_h2load(place):
    said = said_by("h2load", "-n", "5000", "-c", "10", "-m", "100", f"http://{place}/")
    expect("5000 succeeded, 0 failed, 0 errored" in said, f"h2load is answered: {said}")


def ask_over_tls():
    """demo_origin, which speaks both versions over TLS."""
    with tempfile.TemporaryDirectory() as made:
        authority = Path(made) / "authority.pem"
        with server("demo_origin", authority, listeners=2) as (_, place):
            url = f"https://{place}/40"
            for how, version in (("--http2", "2"), ("--http1.1", "1.1")):
                said = said_by("curl", "--silent", "--noproxy", "*", "--cacert", authority,
                               *["--output", "/dev/null"] * 2, "--write-out",
                               "%{http_version} %{http_code} %{size_download} ", how, url, url)
                expect(said.split() == [version, "200", "2600"] * 2, f"curl {how} is answered, not {said!r}")


class peer:
    """A connection that sends what it is told to."""

    def __init__(self, place):
        self.socket = socket.create_connection(("127.0.0.1", int(port_of(place))), timeout=patience)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()
        self.fields = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a")]

    def send(self, extra=b""):
        """False when the server has ended the connection."""
        try:
            self.socket.sendall(self.h2.data_to_send() + extra)
            return True
        except OSError:
            return False

    def events(self):
        """Until the server ends the connection."""
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            yield from self.h2.receive_data(data)
            self.send()

    def goaway(self):
        for event in self.events():
            if isinstance(event, h2.events.ConnectionTerminated):
                return event.error_code
        return None


def reset_rapidly(place):
    client = peer(place)
    for number in range(1, 4001, 2):
        client.h2.send_headers(number, client.fields, end_stream=True)
        client.h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        if number % 200 == 1 and not client.send():
            break
    client.send()
    code = client.goaway()
    expect(code in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None), f"rapid resets are not {code}")


def flood(place, frame, times):
    client = peer(place)
    client.send(frame * times)
    code = client.goaway()
    expect(code in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None), f"a flood is not {code}")


def misbehave(place):
    reset_rapidly(place)
    flood(place, bytes([0, 0, 8, 6, 0, 0, 0, 0, 0]) + b"12345678", 5000)
    flood(place, bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]), 5000)
    client = peer(place)
    client.send(bytes([0, 0, 1, 1, 0, 0, 0, 0, 1]) + b"\x82" + bytes([0, 0, 0, 9, 0, 0, 0, 0, 1]) * 5000)
    expect(client.goaway() in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None), "a head has an end")
    client = peer(place)
    client.h2.send_headers(1, client.fields, end_stream=True)
    client.send()
    body = b""
    for event in client.events():
        body += event.data if isinstance(event, h2.events.DataReceived) else b""
        if isinstance(event, h2.events.StreamEnded):
            break
    expect(body == b"hello\n", "who behaves is answered after all of that")


if __name__ == "__main__":
    asks = [ask for tool, ask in (("curl", ask_with_curl), ("nghttp", ask_with_nghttp),
                                  ("h2load", ask_with_h2load)) if shutil.which(tool)]
    if h2 is not None:
        asks.append(misbehave)
    if not asks:
        print("skipped: none of curl, nghttp, h2load and python3-h2 is here")
        sys.exit(77)
    for backend in backends():
        with server("http_hello", "--host", "127.0.0.1", "--port", "0", "--backend", backend) as (where,):
            for ask in asks:
                ask(where)
    if shutil.which("curl") and (folder / "demo_origin").exists():
        ask_over_tls()
