# SPDX-License-Identifier: MIT
"""fetch_libcurl and a server that answers nobody before all have asked: so one thread must have all transfers
under way at once. By address, by a name, over TLS, and where one of the URLs fails."""
import contextlib
import http.server
import os
import shutil
import ssl
import sys
import tempfile
import threading
from pathlib import Path

from certificates import authority
from programs import expect, folder, run

count = 20


class held_back(http.server.BaseHTTPRequestHandler):
    """Answers when `count` requests have come."""
    protocol_version = "HTTP/1.1"
    gate = threading.Barrier(count)

    def do_GET(self):
        body = b"x" * 70_000
        self.gate.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class server(http.server.ThreadingHTTPServer):
    request_queue_size = count
    daemon_threads = True

    def handle_error(self, *_):
        """Of a client that does not trust it."""


@contextlib.contextmanager
def origin(context=None):
    """The port of a server that runs meanwhile; with `context` it speaks TLS."""
    with server(("127.0.0.1", 0), held_back) as serves:
        if context:  # each shakes hands in its own thread
            serves.socket = context.wrap_socket(serves.socket, server_side=True,
                                                do_handshake_on_connect=False)
        threading.Thread(target=serves.serve_forever, daemon=True).start()
        yield serves.server_port
        serves.shutdown()


def all_are_fetched_at_once(place, **options):
    urls = [f"{place}/{number}" for number in range(count)]
    lines = run("fetch_libcurl", *urls, **options).stdout.splitlines()
    expect(sorted(lines) == sorted(f"{url}: 70000 bytes, No error" for url in urls), lines)


def a_failure_is_told(port):
    held_back.gate = threading.Barrier(1)
    done = run("fetch_libcurl", f"http://127.0.0.1:{port}/", "nonsense://a")
    expect("/: 70000 bytes, No error\n" in done.stdout, done.stdout)
    expect("nonsense://a: 0 bytes, Unsupported protocol\n" in done.stdout, done.stdout)


def over_tls():
    with tempfile.TemporaryDirectory() as home:
        trusted = authority(Path(home))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(trusted.issue("origin"))
        with origin(context) as port:
            place = f"https://127.0.0.1:{port}"
            all_are_fetched_at_once(place, env={**os.environ, "CURL_CA_BUNDLE": trusted.file})
            done = run("fetch_libcurl", f"{place}/", env={**os.environ, "CURL_CA_BUNDLE": "/dev/null"})
            expect("/: 0 bytes, " in done.stdout and "No error" not in done.stdout, done.stdout)


if __name__ == "__main__":
    if not (folder / "fetch_libcurl").exists():
        print("libcurl is not installed")
        sys.exit(77)
    if shutil.which("openssl"):
        over_tls()
    with origin() as port:
        for host in "127.0.0.1", "localhost":
            all_are_fetched_at_once(f"http://{host}:{port}")
        a_failure_is_told(port)
