# SPDX-License-Identifier: MIT
"""An origin that misbehaves on purpose, in as many ways as it has paths. Over TLS with a context."""
import socket
import ssl
import struct
import threading

good_body = bytes(range(256)) * 300


def head(status="200 OK", *fields):
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode("latin-1")


def with_length(body, length=None):
    return head("200 OK", f"Content-Length: {len(body) if length is None else length}") + body


chunked = head("200 OK", "Transfer-Encoding: chunked")
until_close = head("200 OK", "Connection: close")
fixed_answers = {
    "/good": with_length(good_body),
    "/not-when-kept": with_length(b"new"),  # a connection that was used before is closed instead
    "/good/until-close": until_close + good_body,
    "/short": with_length(b"only this", 100),
    "/chunk/short": chunked + b"64\r\nonly this",
    "/chunk/no-last": chunked + b"4\r\nthis\r\n",
    "/chunk/letters": chunked + b"xyz\r\n",
    "/chunk/negative": chunked + b"-4\r\nthis\r\n0\r\n\r\n",
    "/chunk/huge": chunked + b"f" * 17 + b"\r\nthis\r\n",
    "/chunk/none": chunked + b"\r\nthis\r\n",
    "/chunk/no-newline": chunked + b"4\r\nthisXX0\r\n\r\n",
    "/lengths": head("200 OK", "Content-Length: 4", "Content-Length: 5") + b"this",
    "/length/negative": head("200 OK", "Content-Length: -4") + b"this",
    "/length/huge": head("200 OK", "Content-Length: " + "9" * 30) + b"this",
    "/header/1-MB": head("200 OK", "X: " + "x" * 1_000_000, "Content-Length: 0"),
    "/header/100000-fields": head("200 OK", *["X: x"] * 100_000, "Content-Length: 0"),
    "/header/ends": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/not-http": b"220 mail.example ESMTP\r\n",
    "/nothing": b"",
    "/not-tls": head("400 Bad Request", "Content-Length: 0"),  # what a TLS handshake is answered
    "/gzip/broken": head("200 OK", "Content-Encoding: gzip", "Content-Length: 9") + b"not gzip!",
    "/loop": head("302 Found", "Location: /loop", "Content-Length: 0"),
    "/nowhere": head("302 Found", "Location: http://:0:0/", "Content-Length: 0"),
    "/unchanged": head("304 Not Modified", "Connection: close"),  # though nothing was known of it
    "/choices": head("300 Multiple Choices", "Content-Length: 4") + b"this",
    "/missing": head("404 Not Found", "Content-Length: 0"),
    "/escapes": head("404 \x9b2J" + "x" * 5000, "Content-Length: 0"),
}


class origin:
    """Serves in threads of its own until the program ends."""

    def __init__(self, context=None):
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.listener.getsockname()[1]}"
        self.at_gate = threading.Event()  # somebody has asked for /gate
        self.release = threading.Event()  # and is answered
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        try:
            stream = self.context.wrap_socket(peer, server_side=True) if self.context else peer
            with peer, stream:
                kept = False
                while asked := read_head(stream):
                    path = asked.split()[1].decode()
                    if kept and path == "/not-when-kept" or not self.answer(stream, path):
                        break
                    kept = True
        except (OSError, ssl.SSLError):
            pass  # whoever is misbehaved to hangs up

    def answer(self, stream, path):
        """True: the connection is kept for another request."""
        if path.startswith("/endless/"):
            further = f"Location: {path}x"
            stream.sendall(head("302 Found", further, "Content-Length: 0"))
        elif path == "/reset":
            return reset(stream)
        elif path == "/reset/in-body":
            stream.sendall(with_length(b"some", 100))
            return reset(stream)
        elif path == "/silent":
            stream.recv(1)
        elif path == "/stalled":
            stream.sendall(with_length(b"some", 100))
            stream.recv(1)
        elif path == "/slow":
            for byte in with_length(b"slow but steady"):
                stream.sendall(bytes([byte]))
        elif path == "/half-closed":
            stream.sendall(until_close + good_body)
            stream.shutdown(socket.SHUT_WR)
            stream.recv(1)
        elif path == "/gate":
            self.at_gate.set()
            self.release.wait()
            stream.sendall(with_length(b"through"))
        else:
            stream.sendall(fixed_answers[path])
        return path in ("/gate", "/slow", "/good", "/loop", "/missing") or path.startswith("/endless/")


def read_head(stream):
    received = stream.recv(1)
    if received == b"\x16":
        return b"GET /not-tls HTTP/1.1"
    while received and not received.endswith(b"\r\n\r\n"):
        piece = stream.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def reset(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
