# SPDX-License-Identifier: MIT
"""tls_echo_server: clients of Python's ssl get their bytes back, and a proper end, also when it stops."""
import contextlib
import socket
import ssl
import tempfile
import threading
from pathlib import Path

from certificates import authority
from programs import backends, expect, patience, port_of, run, server


@contextlib.contextmanager
def client(trust, place):
    """An end without TLS's own close is an error to it."""
    with socket.create_connection(("127.0.0.1", port_of(place)), timeout=patience) as below:
        with trust.wrap_socket(below, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as stream:
            yield stream


def receive_all(stream):
    received = b""
    while chunk := stream.recv(65536):
        received += chunk
    return received


def every_byte_comes_back(trust, place):
    part = bytes(range(256)) * 100
    with client(trust, place) as stream:
        for _ in range(40):  # in turn: a stream of Python's ssl is not for two threads
            stream.sendall(part)
            received = b""
            while len(received) < len(part):
                received += stream.recv(65536)
            expect(received == part, "every byte comes back")


def who_does_not_trust_it_is_refused(place):
    try:
        with client(ssl.create_default_context(), place):
            expect(False, "a client without the authority connects")
    except ssl.SSLCertVerificationError:
        pass


def a_stop_ends_every_client_in_order(trust, arguments, backend):
    ends = []
    with contextlib.ExitStack() as clients:
        with server("tls_echo_server", *arguments, "--backend", backend) as places:
            every_byte_comes_back(trust, places[0])
            who_does_not_trust_it_is_refused(places[0])
            streams = [clients.enter_context(client(trust, places[0])) for _ in range(20)]
            for stream in streams:
                stream.sendall(b"still here")
                expect(stream.recv(100) == b"still here", "each is served")
            readers = [threading.Thread(target=lambda s=stream: ends.append(receive_all(s)))
                       for stream in streams]
            for reader in readers:
                reader.start()
        for reader in readers:
            reader.join(patience)
    expect(ends == [b""] * 20, f"all have a proper end: {ends}")


def runs_in_the_background(trust, arguments, scratch):
    """Files that it was told of by relative paths are found, although a daemon runs elsewhere."""
    done = run("tls_echo_server", *arguments, "--daemon", "start", "--pid-file", "echo.pid", cwd=scratch)
    try:
        every_byte_comes_back(trust, done.stdout.strip())
    finally:
        run("tls_echo_server", *arguments, "--daemon", "stop", "--pid-file", "echo.pid", cwd=scratch)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        made = authority(Path(scratch))
        both = made.issue("server")
        arguments = ["--port", "0", "--certificate", both, "--key", both]
        trust = ssl.create_default_context(cafile=made.file)
        for backend in backends():
            a_stop_ends_every_client_in_order(trust, arguments, backend)
        name = Path(both).name
        runs_in_the_background(trust, ["--port", "0", "--certificate", name, "--key", name], scratch)
    done = run("tls_echo_server", "--port", "0", "--certificate", "/nowhere.pem", "--key", "/nowhere.pem",
               status=1)
    expect(done.stderr.count("\n") == 1 and "/nowhere.pem" in done.stderr, done.stderr)
    done = run("tls_echo_server", status=2)
    expect(done.stderr.count("\n") == 1 and "--certificate" in done.stderr, done.stderr)
