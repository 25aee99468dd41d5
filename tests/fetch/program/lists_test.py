# SPDX-License-Identifier: MIT
"""leat-fetch and lists of URLs: as every editor writes them, from pipes that stay open, and of any length:
LEAT_URLS=1000000 in the environment makes the longest one longer."""
import itertools
import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from fetching import bad_input, fetch, program, summary_of
from origins import site
from programs import expect, line_of, patience


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
            done = fetch("-i", listed.name, "--discard")
            lines = sorted(line for line in done.stdout.splitlines() if line.startswith("GET: "))
            expect(lines == [f"GET: {url}" for url in urls], f"{what}: {done.stdout!r}")
            done = fetch("--input-file", "-", "--discard", stdin=listed.file)
            expect("3 of 3 URLs" in done.stdout, f"{what} on standard input: {done.stdout!r}")
            listed.file.seek(0)
        Path(listed.name).write_bytes("\ufeff".encode("utf-16-le") + urls[0].encode("utf-16-le"))
        done = fetch("-i", listed.name, "--discard", status=bad_input)
        expect(done.stderr == f"error: {listed.name}: the list is in UTF-16, not in UTF-8\n", done.stderr)


def a_list_that_cannot_be_read_stops_no_other(base):
    with tempfile.NamedTemporaryFile() as listed:
        Path(listed.name).write_text(base + "/a\n")
        done = fetch("-i", "/", "-i", "/no/such/list", "-i", listed.name, "--discard", status=bad_input)
        expect(sorted(done.stderr.splitlines()) == ["error: /: Is a directory",
                                                    "error: /no/such/list: No such file or directory"],
               done.stderr)
        expect(f"bytes received from {base}/a.\n" in done.stdout, done.stdout)


def what_a_pipe_has_is_fetched_before_its_end(base):
    process = subprocess.Popen([program, "-i", "-", "--discard"], stdin=subprocess.PIPE, bufsize=0,
                               stdout=subprocess.PIPE)
    try:
        for path in ("/first", "/second"):
            process.stdin.write(f"{base}{path}\n".encode())
            expect(line_of(process.stdout) == f"GET: {base}{path}", "it begins at once")
            told = line_of(process.stdout)
            expect(told == f"{len(path)} bytes received from {base}{path}.", f"and is fetched: {told}")
        process.stdin.write(f"{base}/last".encode())  # without a line's end
        process.stdin.close()
        rest = process.stdout.read().decode()
        expect(f"\n5 bytes received from {base}/last.\n3 of 3 URLs" in rest, rest)
        expect(process.wait(patience) == 0, "it ends with its list")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# A sanitizer keeps memory that was given back, and takes several times as long.
sanitized = b"__asan_init" in program.read_bytes()


def memory_of(process):
    """The most that it has had, in MB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1000
    return 0


def the_length_of_a_list_costs_no_memory(count):
    """Of a host that refuses, and of lines that are no URLs."""
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # and does not listen
        base = f"http://127.0.0.1:{refusing.getsockname()[1]}"
        process = subprocess.Popen([program, "-i", "-", "--discard", "--quiet", "--tries", "1"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        errors = [0]

        def count_errors():
            for _ in process.stderr:
                errors[0] += 1
        reader = threading.Thread(target=count_errors)
        reader.start()
        try:
            numbers = iter(range(count))
            while some := list(itertools.islice(numbers, 1000)):
                process.stdin.write("".join(f"{base}/a/path/of/some/length/{number}\n" for number in some))
            process.stdin.flush()
            most = memory_of(process)  # all but what the pipe holds has been read
            process.stdin.close()
            expect(process.wait() == 5, f"nobody listens: {process.returncode}")
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
            process.stderr.close()
    print(f"{count} URLs: at most {most:.1f} MB")
    expect(errors[0] == count, f"each failure is told: {errors[0]} of {count}")
    expect(sanitized or most <= 40, f"{most} MB of memory")


if __name__ == "__main__":
    base = site(lambda asked: asked.reply(200, asked.path.encode())).url
    lists_of_urls_come_from_every_editor(base)
    a_list_that_cannot_be_read_stops_no_other(base)
    what_a_pipe_has_is_fetched_before_its_end(base)
    the_length_of_a_list_costs_no_memory(int(os.environ.get("LEAT_URLS", 2_000 if sanitized else 20_000)))
