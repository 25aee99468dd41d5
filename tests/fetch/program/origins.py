# SPDX-License-Identifier: MIT
"""Origins for the tests beside this file, in threads of Python's."""
import hashlib
import http.server
import re
import threading

from programs import patience


def body_of(seed, size):
    """Bytes that differ from those of any other seed, and at each place from those a page further on."""
    block = hashlib.shake_256(str(seed).encode()).digest(size)
    return block


def tag_of(body):
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


class handler(http.server.BaseHTTPRequestHandler):
    """Its server is a site, which tells what its answers are."""
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves in one piece, unless it is flushed

    def do_GET(self):
        self.server.note(self)
        self.server.answer(self)

    def begin(self, status, length, *fields):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def reply(self, status, body, *fields):
        self.begin(status, len(body), *fields)
        self.wfile.write(body)

    def serve(self, body, *fields):
        """All of it, or the range that is asked for if it is still of this file; nothing if it is known."""
        tag = tag_of(body)
        fields = (("ETag", tag), ("Accept-Ranges", "bytes"), *fields)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or "")
        if self.headers["If-None-Match"] == tag:
            self.begin(304, 0, *fields)
        elif asked is None or self.headers["If-Range"] not in (None, tag):
            self.reply(200, body, *fields)
        elif (first := int(asked[1])) < len(body):
            self.reply(206, body[first:], *fields,
                       ("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}"))
        else:
            self.reply(416, b"", *fields, ("Content-Range", f"bytes */{len(body)}"))

    def log_message(self, *_):
        pass


class site(http.server.ThreadingHTTPServer):
    """Serves until the program ends. `answer` is a function of a handler. `requests` are those that have
    come: their paths and headers."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer, context=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.answer = answer
        self.requests = []
        self.change = threading.Condition()
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def note(self, asked):
        with self.change:
            self.requests.append((asked.path, asked.headers))
            self.change.notify_all()

    def asked_for(self, path):
        """Whether it is, in time."""
        with self.change:
            return self.change.wait_for(lambda: path in (each for each, _ in self.requests), patience)

    def handle_error(self, *_):
        pass  # clients that are killed, or refuse a certificate, are part of the tests


def site_of(files):
    """Serves bytes by their path; what is not there is answered 404."""
    def answer(asked):
        if asked.path in files:
            asked.serve(files[asked.path])
        else:
            asked.reply(404, b"no")
    return site(answer)
