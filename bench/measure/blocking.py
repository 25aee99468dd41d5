# SPDX-License-Identifier: MIT
"""Libraries that block, in blocking functions: how long many of their waits of one second take at once in one
thread, and how much of its stack each touches. The servers are started here: one that answers each request of
HTTP after a second, and PostgreSQL, as the test of the example does it."""
import contextlib
import http.server
import os
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from . import build, report, servers, steps


class late(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(1)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 10_000)

    def log_message(self, *_):
        pass


class late_server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True


@contextlib.contextmanager
def late_origin():
    with late_server(("127.0.0.1", 0), late) as origin:
        threading.Thread(target=origin.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{origin.server_port}/"
        origin.shutdown()


@contextlib.contextmanager
def postgres(folder):
    """Where PostgreSQL is reached, or None when it is not installed."""
    os.environ.setdefault("EXAMPLES", str(folder))
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "examples"))
    import postgres_test as server

    programs = server.programs_of_server()
    home = tempfile.mkdtemp(prefix="pg")  # a Unix socket's path is short
    try:
        with server.postgres(programs, home) if programs else contextlib.nullcontext() as place:
            yield place
    finally:
        shutil.rmtree(home)


def one(folder, what, program, place, count):
    path = folder / "bench" / program
    if place is None or not path.exists():
        packages = "libcurl4-openssl-dev libpq-dev postgresql"
        print(f"{what} is left out: apt-get install {packages}", file=sys.stderr)
        return None
    rounds = [steps.output_of([path, place, count]).split() for _ in range(3)]
    seconds = sorted(float(each[0]) for each in rounds)[1]
    touched = max(int(each[1]) for each in rounds)
    return [f"{count} {what}", f"{seconds:.2f}", f"{touched / 1024:.0f}"]


def measure(arguments):
    folder = arguments.build_dir
    build.bring_up_to_date(folder)
    rows = [one(folder, "sleeps", "blocking_sleeps", "", arguments.count)]
    with late_origin() as url:
        rows.append(one(folder, "transfers by libcurl", "blocking_transfers", url, arguments.count))
    with postgres(folder) as place:
        rows.append(one(folder, "queries by libpq", "blocking_queries", place, arguments.count))
    rows = [row for row in rows if row is not None]
    print("waits of 1 s at once, median of 3 rounds; the most of a stack that one has touched")
    report.print_table(["what", "seconds", "KiB touched"], rows)
    report.write_json(folder, "blocking", {"blocking": rows})
