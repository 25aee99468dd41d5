# SPDX-License-Identifier: MIT
"""fetch: plain lines for what arrives and what does not, whatever becomes of the others."""
import http.server
import threading

from programs import expect, run


class Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind, _, rest = self.path.strip("/").partition("/")
        self.send_response({"size": 200, "redirect": 302}.get(kind, 404))
        if kind == "redirect":
            self.send_header("Location", "/" + rest)
        self.end_headers()
        self.wfile.write(b"x" * int(rest) if kind == "size" else b"nothing")

    def log_message(self, *_):
        pass


def origin():
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{listener.server_port}"


def all_arrive(base):
    sizes = {f"{base}/size/{size}": size for size in (0, 1, 70000)} | {f"{base}/redirect/size/999": 999}
    lines = run("fetch", *sizes).stdout.splitlines()
    begun = [line for line in lines if line.startswith("GET: ")]
    expect(sorted(begun) == sorted(f"GET: {url}" for url in sizes), f"each is begun: {lines}")
    expect(all(f"{size} bytes received from {url}." in lines for url, size in sizes.items()),
           f"each arrives: {lines}")
    expect(len(lines) == 2 * len(sizes), f"and that is all: {lines}")


def one_failure_stops_no_other(base):
    good = f"{base}/size/999"
    bad = {f"{base}/missing": "the server answered 404", "http://127.0.0.1:1/": "Connection refused",
           "ftp://127.0.0.1/": "ftp"}
    done = run("fetch", *bad, good, status=1)
    expect(f"999 bytes received from {good}.\n" in done.stdout, done.stdout)
    for url, why in bad.items():
        lines = [line for line in done.stderr.splitlines() if url in line]
        expect(len(lines) == 1 and why in lines[0], f"{url}: one line with {why!r}: {done.stderr}")


if __name__ == "__main__":
    all_arrive(origin())
    one_failure_stops_no_other(origin())
