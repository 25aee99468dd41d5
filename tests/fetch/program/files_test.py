# SPDX-License-Identifier: MIT
"""fetch with --output-dir: which files it leaves, under which names, when it is whole, stopped or killed."""
import contextlib
import fcntl
import gzip
import http.server
import os
import resource
import select
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from programs import backends, expect, folder, patience, run

stored = gzip.compress(b"an archive" * 1000)


class Origin(http.server.BaseHTTPRequestHandler):
    """/stalled never sends all; /held/N sends a part, and the rest when `release` is set; /x.tar.gz is stored
    with a Content-Encoding; every other path and query is answered with itself."""
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves in one piece, unless it is flushed
    release = threading.Event()
    codings = []  # what was asked for

    def do_GET(self):
        Origin.codings.append(self.headers["Accept-Encoding"])
        if self.path == "/stalled":
            self.begin(100)
            self.wfile.write(b"half")
            self.wfile.flush()
            self.rfile.read(1)
        elif self.path.startswith("/held/"):
            whole = self.path.encode() * 1000
            self.begin(len(whole))
            self.wfile.write(whole[:1000])
            self.wfile.flush()
            Origin.release.wait(patience)
            self.wfile.write(whole[1000:])
        elif self.path == "/x.tar.gz":
            self.begin(len(stored), ("Content-Encoding", "gzip"))
            self.wfile.write(stored)
        else:
            self.begin(len(self.path))
            self.wfile.write(self.path.encode())

    def begin(self, length, *fields):
        self.send_response(200)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *_):
        pass


class server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that are killed are part of the test


def origin():
    listener = server(("127.0.0.1", 0), Origin)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{listener.server_port}"


def names_in(where):
    return sorted(file.name for file in Path(where).iterdir())


def await_files(process, where, sizes):
    """Until the files of `where` are these, each of at least so many bytes."""
    deadline = time.monotonic() + patience
    while True:
        with contextlib.suppress(FileNotFoundError):
            found = {name: (Path(where) / name).stat().st_size for name in names_in(where)}
            if found.keys() == sizes.keys() and all(found[name] >= sizes[name] for name in sizes):
                return
        expect(process.poll() is None and time.monotonic() < deadline, f"{sizes} of {where}: {found}")
        time.sleep(0.001)


@contextlib.contextmanager
def fetching(out, *arguments, **options):
    process = subprocess.Popen([folder / "fetch", *arguments, "--output-dir", out], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def a_signal_stops_it_also_where_nobody_reads_what_it_prints(base, backend):
    for number in (signal.SIGINT, signal.SIGTERM):
        for stream in ("stdout", "stderr"):
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            bad = "ftp:" if stream == "stderr" else ""
            urls = [f"{bad}{base}/{'x' * 100}/{n}" for n in range(300)]
            other = {"stdout": "stderr", "stderr": "stdout"}[stream]
            with tempfile.TemporaryDirectory() as out, \
                    subprocess.Popen([folder / "fetch", *urls, "--output-dir", out, "--backend", backend],
                                     **{stream: writer, other: subprocess.PIPE}) as process:
                full = select.poll()
                full.register(writer, select.POLLOUT)
                deadline = time.monotonic() + patience
                while full.poll(0) and time.monotonic() < deadline:
                    time.sleep(0.001)
                process.send_signal(number)
                try:
                    printed = process.communicate(timeout=patience)
                finally:
                    process.kill()
                expect(stream == "stderr" or printed == (None, b""), f"nothing else is told: {printed}")
                expect(process.returncode == -number, f"{number.name} ends it: {process.returncode}")
                expect(not [name for name in names_in(out) if name.endswith(".part")], "no half file")
            os.close(reader)
            os.close(writer)


def a_signal_stops_all_in_order(base, backend):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with tempfile.TemporaryDirectory() as out, \
                fetching(out, base + "/good", base + "/stalled", "--backend", backend) as process:
            await_files(process, out, {"good": 5, "stalled.part": 4})
            process.send_signal(number)
            printed, errors = process.communicate(timeout=patience)
            expect(process.returncode == -number, f"{number.name} ends it: {process.returncode} {errors}")
            expect(names_in(out) == ["good"], f"no half file: {names_in(out)}")
            expect(errors == "" and printed.endswith(f", 0 failed, stopped by {number.name}\n"),
                   printed + errors)


def a_signal_that_is_ignored_stays_so(base):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as out, fetching(out, base + "/stalled", preexec_fn=ignore) as process:
        await_files(process, out, {"stalled.part": 4})
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=patience)
        expect(process.returncode == -signal.SIGTERM and "SIGTERM" in printed, "as with nohup: " + printed)


def a_reader_that_goes_away_stops_all_in_order(base, backend):
    Origin.release.clear()
    with tempfile.TemporaryDirectory() as out:
        with fetching(out, base + "/held/1", base + "/stalled", "--backend", backend) as process:
            await_files(process, out, {"1.part": 1000, "stalled.part": 4})
            process.stdout.close()
            Origin.release.set()  # now it has something to tell
            process.wait(patience)
            expect(process.returncode == -signal.SIGPIPE, f"as by SIGPIPE: {process.returncode}")
            expect(process.stderr.read() == "", "it says nothing")
            process.stdout, process.stderr = None, None
        expect(names_in(out) == ["1"], f"only what was whole: {names_in(out)}")


def a_full_disk_behind_standard_output_is_an_error(base):
    with tempfile.TemporaryDirectory() as out, open("/dev/full", "w") as full:
        done = subprocess.run([folder / "fetch", base + "/good", "--output-dir", out], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=patience)
        expect((done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n"),
               str(done))


def what_is_killed_leaves_an_unfinished_name_and_hinders_nobody(base):
    Origin.release.clear()
    with tempfile.TemporaryDirectory() as out:
        with fetching(out, base + "/held/1") as process:
            await_files(process, out, {"1.part": 1000})
            process.kill()
            process.wait(patience)
        expect(names_in(out) == ["1.part"], str(names_in(out)))
        Origin.release.set()
        run("fetch", base + "/held/1", "--output-dir", out)
        expect(names_in(out) == ["1", "1.part"], str(names_in(out)))
        expect((Path(out) / "1").read_bytes() == b"/held/1" * 1000, "the second time it is whole")
        expect((Path(out) / "1.part").stat().st_size == 1000, "nobody has touched the other")


def two_runs_share_a_folder(base):
    Origin.release.clear()
    url = base + "/held/1"
    with tempfile.TemporaryDirectory() as out, fetching(out, url, url) as one:
        await_files(one, out, {"1.part": 1000, "1.1.part": 1000})
        with fetching(out, url) as other:
            await_files(other, out, {"1.part": 1000, "1.1.part": 1000, "1.2.part": 1000})
            Origin.release.set()
            told = [process.communicate(timeout=patience)[0] for process in (one, other)]
        expect(names_in(out) == ["1", "1.1", "1.2"], str(names_in(out)))
        for name in names_in(out):
            expect((Path(out) / name).read_bytes() == b"/held/1" * 1000, f"{name} is whole")
            lines = "".join(told).splitlines()
            told_once = lines.count(f"{name}: 7000 bytes received from {url}.") == 1
            expect(told_once, f"{name} is told once: {told}")


def each_url_has_a_name_of_its_own(base, backend):
    names = {  # in this order
        "/page?id=1": "page?id=1",
        "/page?id=2": "page?id=2",
        "/page": "page",
        "/again/page": "page.1",
        "/page.1": "page.1.1",
        "/?id=1": "index.html?id=1",
        "/page?": "page.2",
        "/page?path=/a/b": "page?path=_a_b",
        "/page?path=%2e%2e%2Fb": "page?path=.._b",
        "/x.part": "x.part_",
        "/there": "there.1",
        "/-rf": "_rf",
        "/caf%C3%A9": "caf\u00e9",
        "/%ff%00%1b%C2%9b%E2%80%AE%0a": "______",
        "/" + "long" * 100: "long" * 50,
        "/" + "a" + "%C3%A9" * 200: "a" + "\u00e9" * 99,
    }
    with tempfile.TemporaryDirectory() as out:
        (Path(out) / "there").write_text("mine")
        done = run("fetch", *[base + path for path in names], "--output-dir", out, "--backend", backend)
        expect(names_in(out) == sorted([*names.values(), "there"]), str(names_in(out)))
        expect((Path(out) / "there").read_text() == "mine", "no file is replaced")
        for path, name in names.items():
            content = (Path(out) / name).read_bytes()
            sent = path.removesuffix("?") if path == "/page?" else path
            expect(content in (path.encode(), sent.encode()), f"{name} has {content!r}, of {path}")
            line = f"{name}: {len(content)} bytes received from {base}{path}.\n"
            expect(line in done.stdout, f"{line!r} is told: {done.stdout}")


def four_thousand_urls_with_one_name(base):
    with tempfile.TemporaryDirectory() as out:
        urls = "\n".join(f"{base}/{number}/same" for number in range(4000))
        run("fetch", "-i", "-", "--output-dir", out, input=urls)
        found = {(Path(out) / name).read_text(): name for name in names_in(out)}
        wrong = [(number, found.get(f"/{number}/same")) for number in range(4000)
                 if found.get(f"/{number}/same") != ("same" if number == 0 else f"same.{number}")]
        expect(not wrong and len(found) == 4000, f"in the order of the URLs: {wrong[:5]}")


def few_descriptors_are_shared_by_all(base, backend):
    urls = "\n".join(f"{base}/{number}" for number in range(200))

    def thirty():
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
    with tempfile.TemporaryDirectory() as out:
        done = run("fetch", "-i", "-", "--output-dir", out, "--backend", backend, input=urls,
                   preexec_fn=thirty)
        expect(done.stderr == "" and "200 of 200 URLs" in done.stdout, f"all arrive: {done.stderr[:300]}")
        wrong = [number for number in range(200) if (Path(out) / str(number)).read_text() != f"/{number}"]
        expect(not wrong, f"each in its file: {wrong[:5]}")


def bytes_are_as_they_were_stored(base):
    with tempfile.TemporaryDirectory() as out:
        Origin.codings.clear()
        run("fetch", base + "/x.tar.gz", "--output-dir", out)
        expect((Path(out) / "x.tar.gz").read_bytes() == stored, "nothing is unpacked")
        expect(Origin.codings == [None], f"nothing is asked for: {Origin.codings}")
        done = run("fetch", base + "/x.tar.gz", "--output-dir", out, "--compressed")
        expect((Path(out) / "x.tar.gz.1").read_bytes() == gzip.decompress(stored), "unpacked when asked for")
        expect("gzip" in Origin.codings[1], f"then it is asked for: {Origin.codings}")
        expect("x.tar.gz.1: 10000 bytes received from " in done.stdout, done.stdout)


def lists_of_urls_come_from_every_editor(base):
    urls = [f"{base}/{name}" for name in "abc"]
    mark = b"\xef\xbb\xbf"
    plain = [url.encode() for url in urls]
    lists = {
        "a byte order mark": mark + b"\n".join(plain),
        "CR LF": b"\r\n".join(plain) + b"\r\n",
        "CR": b"\r".join(plain),
        "blanks": b"\n".join(b" \t" + url + b" \t\r" for url in plain) + b"\n \n\t\n",
        "comments": mark + b"# all of them\r\n\r\n" + b"\r\n  # another\r\n".join(plain),
        "lists put together": b"\r\n".join(mark + url for url in plain),
    }
    with tempfile.NamedTemporaryFile() as listed:
        for what, text in lists.items():
            Path(listed.name).write_bytes(text)
            done = run("fetch", "-i", listed.name)
            lines = sorted(line for line in done.stdout.splitlines() if line.startswith("GET: "))
            expect(lines == [f"GET: {url}" for url in urls], f"{what}: {done.stdout!r}")
            done = run("fetch", "--input-file", "-", stdin=listed.file)
            expect("3 of 3 URLs" in done.stdout, f"{what} on standard input: {done.stdout!r}")
            listed.file.seek(0)
        Path(listed.name).write_bytes("\ufeff".encode("utf-16-le") + urls[0].encode("utf-16-le"))
        done = run("fetch", "-i", listed.name, status=1)
        expect(done.stderr == "fetch: the list of URLs is in UTF-16, not in UTF-8\n", done.stderr)
    done = run("fetch", "-i", "/", status=1)
    expect(done.stderr == "fetch: /: Is a directory\n", done.stderr)
    done = run("fetch", "-i", "/no/such/list", status=1)
    expect(done.stderr == "fetch: /no/such/list: No such file or directory\n", done.stderr)


if __name__ == "__main__":
    base = origin()
    for backend in backends():
        a_signal_stops_all_in_order(base, backend)
        a_reader_that_goes_away_stops_all_in_order(base, backend)
        a_signal_stops_it_also_where_nobody_reads_what_it_prints(base, backend)
        each_url_has_a_name_of_its_own(base, backend)
        few_descriptors_are_shared_by_all(base, backend)
    a_signal_that_is_ignored_stays_so(base)
    a_full_disk_behind_standard_output_is_an_error(base)
    what_is_killed_leaves_an_unfinished_name_and_hinders_nobody(base)
    two_runs_share_a_folder(base)
    four_thousand_urls_with_one_name(base)
    bytes_are_as_they_were_stored(base)
    lists_of_urls_come_from_every_editor(base)
