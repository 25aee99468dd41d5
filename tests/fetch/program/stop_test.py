# SPDX-License-Identifier: MIT
"""leat-fetch when it is to end early: a signal leaves what can be gone on with, and so does a reader of its
output that goes away."""
import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from fetching import backends, fetch, fetching, names_in, program
from origins import body_of, site
from programs import expect, line_of, patience

large = body_of("large", 1_000_000)
sent = 600_000  # of it, before it is held; more than a file keeps in memory
release = threading.Event()


def answer(asked):
    """/held/... sends a part of its file, and the rest when it is released, or is asked for with a range."""
    if not asked.path.startswith("/held/"):
        asked.serve(asked.path.encode())
    elif asked.headers["Range"]:
        asked.serve(large)
    else:
        asked.begin(200, len(large), *([] if asked.path.endswith("/plain") else [("ETag", '"one"')]))
        asked.wfile.write(large[:sent])
        asked.wfile.flush()
        release.wait(patience)
        asked.wfile.write(large[sent:])


def await_part(process, part):
    """Until something of it is on the disk."""
    deadline = time.monotonic() + patience
    while True:
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_size > 0:
                return
        expect(process.poll() is None and time.monotonic() < deadline, f"{part} is there in time")
        time.sleep(0.001)


def a_signal_leaves_what_can_be_gone_on_with(origin, backend):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            urls = [origin.url + path for path in ("/good", "/held/a", "/held/plain")]
            again = out / "again"
            with fetching(out, *urls, "--failed", again, "--backend", backend) as process:
                await_part(process, out / "a.part")
                await_part(process, out / "plain.part")
                process.send_signal(number)
                printed, errors = process.communicate(timeout=patience)
            expect(process.returncode == -number, f"{number.name} ends it: {process.returncode} {errors}")
            expect(errors == "" and f", 0 failed, stopped by {number.name}\n" in printed, printed + errors)
            expect(sorted(again.read_text().split()) == sorted(urls[1:]),
                   f"what was under way is in the list of what is to be fetched again: {again.read_text()}")
            again.unlink()
            expect(names_in(out) == ["a.part", "a.part.note", "good"],
                   f"what has no ETag cannot be gone on with: {names_in(out)}")
            there = (out / "a.part").stat().st_size
            origin.requests.clear()
            done = fetch(urls[1], "--output-dir", out, "--backend", backend)
            ranges = [fields["Range"] for path, fields in origin.requests if path == "/held/a"]
            expect(ranges[0] == f"bytes={there}-", f"it is gone on with behind {there} bytes: {ranges}")
            expect((out / "a").read_bytes() == large and names_in(out) == ["a", "good"], done.stdout)


def a_program_is_told_what_was_stopped(origin, backend):
    release.clear()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        urls = [origin.url + path for path in ("/good", "/held/a", "/held/b")]
        with fetching(out, *urls, "--json", "--per-host", "2", "--backend", backend) as process:
            await_part(process, out / "a.part")
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=patience)
        told = [json.loads(line) for line in printed.splitlines()]
        begun = {each["number"] for each in told if each["event"] == "began"}
        ended = [each["number"] for each in told if each["event"] in ("ended", "stopped")]
        expect(sorted(ended) == sorted(begun), f"each that began has an end: {begun} {ended}")
        stopped = {each["url"]: each for each in told if each["event"] == "stopped"}
        expect(stopped[urls[1]]["file"] == "a" and stopped[urls[1]]["size"] == len(large), str(stopped))
        expect(told[-1]["stopped"] == "SIGTERM", str(told[-1]))


def what_a_stopped_run_has_not_fetched_is_listed(origin, backend):
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        listed, again = Path(name) / "list", Path(name) / "again"
        paths = ["good", "held/a"] + [f"later/{number}" for number in range(100)]
        lines = [f"{origin.url}/{path}\tout=of/{at}" for at, path in enumerate(paths)]
        listed.write_text("\n".join(lines))
        with fetching(out, "-i", listed, "-P", "1", "--failed", again,
                      "--backend", backend) as process:
            await_part(process, out / "of/1.part")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=patience)
        expect(process.returncode == -signal.SIGINT and errors == "", f"{process.returncode} {errors}")
        expect(sorted(again.read_text().splitlines()) == sorted(lines[1:]), again.read_text())
        fetch("-i", again, "--output-dir", out, "--if-there", "fail", "--backend", backend)
        expect(names_in(out / "of") == sorted(str(at) for at in range(len(paths))), str(names_in(out / "of")))


def of_a_pipe_is_listed_what_had_been_read(origin, backend):
    with tempfile.TemporaryDirectory() as name:
        out, again = Path(name) / "out", Path(name) / "again"
        reader, writer = os.pipe()
        urls = [f"{origin.url}/held/{number}" for number in range(3)]
        with fetching(out, "-i", "-", "-P", "1", "--failed", again, "--backend", backend,
                      stdin=reader) as process:
            os.write(writer, "\n".join(urls).encode())  # the last one may go on
            await_part(process, out / "0.part")
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=patience)
        expect(process.returncode == -signal.SIGTERM, f"it does not wait for more: {process.returncode}")
        expect(again.read_text().splitlines() == urls[:2], again.read_text())
        os.close(reader)
        os.close(writer)


def a_second_signal_ends_it_too(origin, backend):
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        with fetching(out, origin.url + "/held/a", "--backend", backend) as process:
            await_part(process, out / "a.part")
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            process.wait(patience)
        expect(process.returncode in (-signal.SIGTERM, -signal.SIGINT), str(process.returncode))
        expect("a" not in names_in(out), "what is not whole has not got its name")


def a_signal_that_is_ignored_stays_so(origin):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as name, \
            fetching(name, origin.url + "/held/a", preexec_fn=ignore) as process:
        await_part(process, Path(name) / "a.part")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=patience)
        expect(process.returncode == -signal.SIGTERM and "SIGTERM" in printed, "as with nohup: " + printed)


def a_signal_stops_it_also_where_nobody_reads_what_it_prints(origin, backend):
    for number in (signal.SIGINT, signal.SIGTERM):
        for stream in ("stdout", "stderr"):
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            bad = "ftp:" if stream == "stderr" else ""
            urls = [f"{bad}{origin.url}/{'x' * 100}/{n}" for n in range(300)]
            other = {"stdout": "stderr", "stderr": "stdout"}[stream]
            with tempfile.TemporaryDirectory() as out, \
                    subprocess.Popen([program, *urls, "--output-dir", out, "--backend", backend],
                                     **{stream: writer, other: subprocess.PIPE}) as process:
                full = select.poll()
                full.register(writer, select.POLLOUT)
                deadline = time.monotonic() + patience
                while full.poll(0) and time.monotonic() < deadline:
                    time.sleep(0.001)
                process.send_signal(number)
                try:
                    process.communicate(timeout=patience)
                finally:
                    process.kill()
                expect(process.returncode == -number, f"{number.name} ends it: {process.returncode}")
            os.close(reader)
            os.close(writer)


def a_reader_that_goes_away_stops_it_in_order(origin, backend):
    release.clear()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        process = subprocess.Popen([program, origin.url + "/held/a", "-i", "-", "--output-dir", out,
                                    "--failed", out / "again", "--backend", backend],
                                   stdin=subprocess.PIPE, bufsize=0, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            expect(line_of(process.stdout).startswith("GET: "), "it begins")
            await_part(process, out / "a.part")
            process.stdout.close()
            process.stdin.write(f"{origin.url}/good\n".encode())  # now it has something to tell
            process.wait(patience)
            expect(process.returncode == -signal.SIGPIPE, f"as by SIGPIPE: {process.returncode}")
            expect(process.stderr.read() == b"", "it says nothing")
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stderr.close()
        expect({"a.part", "a.part.note"} <= set(names_in(out)), f"it can be gone on with: {names_in(out)}")
        listed = ["/held/a"] + ["/good"] * (not (out / "good").exists())
        again = sorted((out / "again").read_text().splitlines())
        expect(again == sorted(origin.url + path for path in listed), f"what is not there is listed: {again}")


def a_full_disk_behind_standard_output_is_an_error(origin):
    with tempfile.TemporaryDirectory() as out, open("/dev/full", "w") as full:
        done = subprocess.run([program, origin.url + "/good", "--output-dir", out], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=patience)
        expect((done.returncode, done.stderr) == (1, "leat-fetch: standard output: No space left on "
                                                     "device\n"), str(done))


if __name__ == "__main__":
    origin = site(answer)
    for backend in backends():
        a_signal_leaves_what_can_be_gone_on_with(origin, backend)
        a_program_is_told_what_was_stopped(origin, backend)
        what_a_stopped_run_has_not_fetched_is_listed(origin, backend)
        of_a_pipe_is_listed_what_had_been_read(origin, backend)
        a_second_signal_ends_it_too(origin, backend)
        a_signal_stops_it_also_where_nobody_reads_what_it_prints(origin, backend)
        a_reader_that_goes_away_stops_it_in_order(origin, backend)
    a_signal_that_is_ignored_stays_so(origin)
    a_full_disk_behind_standard_output_is_an_error(origin)
