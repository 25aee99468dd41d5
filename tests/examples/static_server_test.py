# SPDX-License-Identifier: MIT
"""static_server and a client that is not ours: curl asks for files, parts of them, what has changed, and what
it must not get."""
import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from programs import backends, expect, patience, server


def curl(*arguments):
    """What it prints, as bytes; it must succeed."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--noproxy", "*", *map(str, arguments)],
                          capture_output=True, timeout=patience)
    expect(done.returncode == 0, f"curl {arguments}: {done.stderr.decode()}")
    return done.stdout


def status(*arguments):
    return curl("--output", os.devnull, "--write-out", "%{http_code}", *arguments).decode()


def whole_files_and_parts(base, large):
    expect(curl(base + "/") == b"<p>index", "a folder is answered by its index")
    expect(curl("--location", base + "/below?x=1") == b"<p>below", "a folder is found without its slash")
    expect(curl(base + "/large") == large, "every byte of a large file")
    for part, expected in {"0-9": large[:10], "-7": large[-7:], "3000000-": large[3_000_000:],
                           "100-2000000": large[100:2_000_001]}.items():
        expect(curl("--range", part, base + "/large") == expected, f"the bytes {part}")
    several = curl("--range", "0-1,1000000-1199999", base + "/large")
    expect(large[1_000_000:1_200_000] in several and several.count(b"Content-Range: bytes") == 2, "two parts")
    expect(status("--range", f"{len(large)}-", base + "/large") == "416", "there is nothing behind the end")
    expect(b"Content-Length: 3333333\r\n" in curl("--head", base + "/large"), "HEAD tells the length")


def goes_on_where_it_ended(base, large, folder):
    part = folder / "part"
    part.write_bytes(large[:1_234_567])
    curl("--continue-at", "-", "--output", part, base + "/large")
    expect(part.read_bytes() == large, "a download goes on")


def asks_whether_it_has_changed(base, folder):
    tag = folder / "tag"
    curl("--etag-save", tag, base + "/page.txt")
    compare = ["--etag-compare", tag, base + "/page.txt"]
    expect(status(*compare) == "304", "who has the tag has the file")
    expect(status("--time-cond", "1 Jan 2038", base + "/page.txt") == "304", "and who has it of a later date")
    expect(status("--time-cond", "1 Jan 2000", base + "/page.txt") == "200", "but not of an earlier one")
    expect(status("--header", 'If-Match: "other"', base + "/page.txt") == "412", "another state is told")


def is_not_led_astray(base):
    for path in ("/../secret", "/%2e%2e/secret", "/..%2fsecret", "/out", "/up/secret", "/fifo", "/.hidden",
                 "//etc/passwd", "/page.txt%00", "/below/..%5c..%5csecret"):
        expect(status("--path-as-is", base + path) == "404", f"{path} is not found")
    expect(status("--request", "DELETE", base + "/page.txt") == "405", "nothing is deleted")


def sends_compressed_files(base):
    head = curl("--head", "--compressed", base + "/style.css")
    expect(b"Content-Encoding: gzip\r\n" in head and b"Content-Type: text/css" in head, f"compressed: {head}")
    expect(curl("--compressed", base + "/style.css") == b"p {}\n" * 1000, "what was compressed is the same")
    expect(curl(base + "/style.css") == b"p {}\n" * 1000, "who does not ask gets it plain")


def many_at_once(base, large):
    with ThreadPoolExecutor(8) as clients:
        pages = list(clients.map(curl, [base + "/large"] * 24))
    expect(all(page == large for page in pages), "every byte, for many at once")


def no_file_stays_open(base, pid, root):
    deadline = time.monotonic() + patience
    links = Path(f"/proc/{pid}/fd")
    while found := [link for link in links.iterdir() if root in Path(os.path.realpath(link)).parents]:
        expect(time.monotonic() < deadline, f"no file stays open, but {found}")
        expect(status(base + "/none") == "404", "the server goes on")


def make_site(folder, large):
    root = folder / "root"
    (root / "below").mkdir(parents=True)
    (folder / "secret").write_text("secret")
    (root / "index.html").write_text("<p>index")
    (root / "below" / "index.html").write_text("<p>below")
    (root / "page.txt").write_text("page")
    (root / ".hidden").write_text("hidden")
    (root / "large").write_bytes(large)
    (root / "style.css").write_bytes(b"p {}\n" * 1000)
    (root / "style.css.gz").write_bytes(gzip.compress(b"p {}\n" * 1000))
    (root / "out").symlink_to("../secret")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "fifo")
    return root


if __name__ == "__main__":
    if shutil.which("curl") is None:
        print("curl is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = random.Random(1).randbytes(3_333_333)
        root = make_site(folder, large)
        for backend in backends():
            with server("static_server", "--port", "0", "--folder", root, "--precompressed",
                        "--backend", backend) as listening:
                base = f"http://{listening[0]}"
                whole_files_and_parts(base, large)
                goes_on_where_it_ended(base, large, folder)
                asks_whether_it_has_changed(base, folder)
                is_not_led_astray(base)
                sends_compressed_files(base)
                many_at_once(base, large)
                no_file_stays_open(base, listening.pid, root)
