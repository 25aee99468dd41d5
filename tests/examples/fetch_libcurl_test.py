# SPDX-License-Identifier: MIT
"""fetch_libcurl and a server that answers nobody before all have asked: so one thread must have all transfers
under way at once. By address, by a name, and where one of the URLs fails."""
import http.server
import sys
import threading

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


def all_are_fetched_at_once(host, port):
    urls = [f"http://{host}:{port}/{number}" for number in range(count)]
    lines = run("fetch_libcurl", *urls).stdout.splitlines()
    expect(sorted(lines) == sorted(f"{url}: 70000 bytes, No error" for url in urls), lines)


def a_failure_is_told(port):
    held_back.gate = threading.Barrier(1)
    done = run("fetch_libcurl", f"http://127.0.0.1:{port}/", "nonsense://a")
    expect("/: 70000 bytes, No error\n" in done.stdout, done.stdout)
    expect("nonsense://a: 0 bytes, Unsupported protocol\n" in done.stdout, done.stdout)


if __name__ == "__main__":
    if not (folder / "fetch_libcurl").exists():
        print("libcurl is not installed")
        sys.exit(77)
    with server(("127.0.0.1", 0), held_back) as origin:
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        for host in "127.0.0.1", "localhost":
            all_are_fetched_at_once(host, origin.server_port)
        a_failure_is_told(origin.server_port)
        origin.shutdown()
