# SPDX-License-Identifier: MIT
"""reverse_server: requests in every form that clients send, and what ends a connection, with its reason."""
import contextlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from programs import backends, expect, folder, line_of, patience, run
from reverse_original import ask, receive

ORIGINAL = [sys.executable, str(Path(__file__).parent / "reverse_original.py")]


class running:
    """A reverse_server, and what it logs."""

    def __init__(self, process):
        self.process = process
        line = line_of(process.stdout)
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)", line)
        expect(match, line)
        self.port = int(match[1])

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), patience)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def reason(self, sock_name):
        """The next line of its log, which must be about this connection."""
        line = line_of(self.process.stderr)
        begin = "%s:%d: " % sock_name
        expect(line.startswith(begin), f"{line} begins with {begin}")
        return line.removeprefix(begin)


@contextlib.contextmanager
def server(*arguments):
    command = [folder / "reverse_server", "--host", "127.0.0.1", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    try:
        yield running(process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=patience)
        expect(process.returncode == 0, f"it ends cleanly: {process.returncode} {errors}")
        expect(errors == b"", f"nothing else is logged: {errors}")
    finally:
        process.kill()
        process.communicate()


def requests_in_every_form(backend):
    with server("--backend", backend) as serving, serving.connect() as sock:
        sock.sendall(b"00005abcde")
        expect(receive(sock, 10) == b"00005edcba", "the reply has the form of the request")
        for byte in b"00005abcde":
            sock.sendall(bytes([byte]))
        expect(receive(sock, 10) == b"00005edcba", "a byte at a time")
        sock.sendall(b"".join(b"%05d%d" % (len(str(i)), i) for i in range(1000)))
        expected = b"".join(b"%05d%s" % (len(str(i)), str(i).encode()[::-1]) for i in range(1000))
        expect(receive(sock, len(expected)) == expected, "1,000 requests in one packet, in order")
        for text in (b"x", b"\0\xff\n" * 100, b"0123456789" * 9999, b"a" * 99999):
            expect(ask(sock, text) == text[::-1], f"{len(text)} bytes")
        sock.sendall(b"00003abc")
        sock.shutdown(socket.SHUT_WR)
        expect(receive(sock, 8) == b"00003cba", "who has ended sending gets its reply")
        expect(sock.recv(1) == b"", "and then the end")


def ten_digits(backend):
    with server("--digits", "10", "--backend", backend) as serving, serving.connect() as sock:
        for text in (b"abcde", b"0123456789" * 100_000):
            expect(ask(sock, text, 10) == text[::-1], f"{len(text)} bytes")
        sock.sendall(b"0001048577")
        expect(sock.recv(1) == b"", "over the limit")
        expect(serving.reason(sock.getsockname())
               == "a message of 1048577 bytes, where at most 1048576 are allowed: too long", "")


def what_is_no_request_ends_its_connection(backend):
    malformed = {b"+0005abcde": '"+"', b"-0005abcde": '"-"', b" 0005abcde": '" "', b"0005 abcde": '"0005 "',
                 b"1_000": '"1_"', b"0x010": '"0x"', b"abcde": '"a"', b"\r\n": r'"\x0d"', b"0\0": r'"0\x00"',
                 "٠٠٠٠٥".encode(): r'"\xd9"', b"1e3": '"1e"', b"00.05": '"00."'}
    with server("--limit", "1000", "--backend", backend) as serving, serving.connect() as other:
        reasons = {sent: f"a message that begins with {shown}: not a length"
                   for sent, shown in malformed.items()}
        reasons[b"00000"] = "recv of a message: an empty message"
        reasons[b"01001"] = "a message of 1001 bytes, where at most 1000 are allowed: too long"
        for sent, reason in reasons.items():
            with serving.connect() as sock:
                expect(ask(sock, b"before") == b"erofeb", "what came before is answered")
                sock.sendall(sent)
                with contextlib.suppress(ConnectionResetError):
                    expect(sock.recv(1) == b"", f"{sent} ends the connection")
                logged = serving.reason(sock.getsockname())
                expect(logged == reason, f"{sent} is told as {logged}")
        with serving.connect() as sock:
            sock.sendall(b"00005abc")
            sock.shutdown(socket.SHUT_WR)
            expect(sock.recv(1) == b"", "an end inside of a request ends the connection")
            expect(serving.reason(sock.getsockname())
                   == "recv of a message: 8 bytes arrived: unexpected end of stream", "")
        expect(ask(other, b"still here") == b"ereh llits", "others go on")


def a_reset_during_a_reply_ends_its_connection(backend):
    with server("--backend", backend) as serving, serving.connect() as other:
        sock = serving.connect()
        name = sock.getsockname()
        for _ in range(200):  # more replies than the connection has room for
            sock.settimeout(0.2)
            try:
                sock.sendall(b"99999" + b"x" * 99999)
            except TimeoutError:
                break
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        logged = serving.reason(name)
        expect(re.fullmatch(r".*(Connection reset by peer|Broken pipe)", logged), logged)
        expect(ask(other, b"still here") == b"ereh llits", "others go on")


def clients_over_the_limit_wait(backend):
    with server("--connections", "2", "--backlog", "16", "--backend", backend) as serving:
        with serving.connect() as first, serving.connect() as second:
            for sock in (first, second):
                expect(ask(sock, b"in") == b"ni", "two are served")
            third = serving.connect()
            third.sendall(b"00003abc")
            expect(ask(first, b"on") == b"no", "the others go on")
            ready, _, _ = select.select([third], [], [], 0.2)
            expect(not ready, "a third one is not served")
            second.close()
            expect(receive(third, 8) == b"00003cba", "until another has left")
            third.close()


def with_the_original(backend):
    with server("--backend", backend) as serving:
        done = subprocess.run([*ORIGINAL, "connect", "127.0.0.1", str(serving.port), "20", "50"],
                              capture_output=True, text=True, timeout=patience)
        expect(done.stdout == "all came\n", done.stdout + done.stderr)


def the_clients_of_this_test_are_right():
    """They get the same from the server that they were written for."""
    original = subprocess.Popen([*ORIGINAL, "serve"], stdout=subprocess.PIPE, bufsize=0)
    try:
        with running(original).connect() as sock:
            expect(ask(sock, b"abcde") == b"edcba", "the original reverses")
    finally:
        original.kill()
        original.communicate()


def bad_arguments_are_told():
    for arguments in (["--digits", "0"], ["--digits", "20"], ["--limit", "0"], ["--backlog", "x"],
                      ["--port", "-1"]):
        done = run("reverse_server", *arguments, status=2)
        expect(done.stderr.count("\n") == 1, f"one line: {done.stderr}")
    expect("--digits" in run("reverse_server", "--help").stdout, "help names the options")


if __name__ == "__main__":
    bad_arguments_are_told()
    the_clients_of_this_test_are_right()
    for backend in backends():
        requests_in_every_form(backend)
        ten_digits(backend)
        what_is_no_request_ends_its_connection(backend)
        a_reset_during_a_reply_ends_its_connection(backend)
        clients_over_the_limit_wait(backend)
        with_the_original(backend)
