# SPDX-License-Identifier: MIT
"""leat-fetch and its output folder: which files it leaves there, under which names, and what happens when
there is no room for them."""
import gzip
import os
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import fetching
from fetching import backends, fetch, names_in
from origins import body_of, site, site_of
from programs import expect, patience

stored = gzip.compress(b"an archive" * 1000)


def answer(asked):
    """Every path and query with itself, but for an archive that is stored with a Content-Encoding."""
    if asked.path == "/x.tar.gz":
        asked.reply(200, stored, ("Content-Encoding", "gzip"))
    else:
        asked.reply(200, asked.path.encode())


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
        "/" + "long" * 100: ("long" * 100)[:230],
        "/" + "a" + "%C3%A9" * 200: "a" + "\u00e9" * 114,  # in bytes 229, and no half character
    }
    with tempfile.TemporaryDirectory() as out:
        (Path(out) / "there").write_text("mine")
        done = fetch(*[base + path for path in names], "--output-dir", out, "--backend", backend)
        expect(names_in(out) == sorted([*names.values(), "there"]), str(names_in(out)))
        expect((Path(out) / "there").read_text() == "mine", "no file is replaced")
        for path, name in names.items():
            content = (Path(out) / name).read_bytes()
            sent = path.removesuffix("?") if path == "/page?" else path
            expect(content in (path.encode(), sent.encode()), f"{name} has {content!r}, of {path}")
            line = f"{name}: {len(content)} bytes received from {base}{path}.\n"
            expect(line in done.stdout, f"{line!r} is told: {done.stdout}")


def files_lie_as_on_the_site(base):
    host = base.removeprefix("http://").partition(":")[0]
    with tempfile.TemporaryDirectory() as out:
        fetch(base + "/a/b/c", base + "/a/d?e", base + "/a/%2e%2e/%2e%2e/f", "--tree", "--output-dir", out)
        found = sorted(str(file.relative_to(out)) for file in Path(out).rglob("*") if file.is_file())
        expect(len(found) == 3 and all(name.startswith(host) for name in found), str(found))
        expect([name.split("/", 1)[1] for name in found] == ["a/b/c", "a/d?e", "f"], str(found))
        done = fetch(base, "--tree", "-o", "{name}", status=2)
        expect(done.stderr == "leat-fetch: --tree and --output contradict each other\n", done.stderr)


def four_thousand_urls_with_one_name(base):
    with tempfile.TemporaryDirectory() as out:
        urls = "\n".join(f"{base}/{number}/same" for number in range(4000))
        fetch("-i", "-", "--output-dir", out, input=urls)
        found = {(Path(out) / name).read_text(): name for name in names_in(out)}
        wrong = [(number, found.get(f"/{number}/same")) for number in range(4000)
                 if found.get(f"/{number}/same") != ("same" if number == 0 else f"same.{number}")]
        expect(not wrong and len(found) == 4000, f"in the order of the URLs: {wrong[:5]}")


def few_descriptors_are_shared_by_all(base, backend):
    urls = "\n".join(f"{base}/{number}" for number in range(200))

    def thirty():
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
    with tempfile.TemporaryDirectory() as out:
        done = fetch("-i", "-", "--output-dir", out, "--backend", backend, input=urls,
                     preexec_fn=thirty)
        expect(done.stderr == "" and "200 of 200 URLs" in done.stdout, f"all arrive: {done.stderr[:300]}")
        wrong = [number for number in range(200) if (Path(out) / str(number)).read_text() != f"/{number}"]
        expect(not wrong, f"each in its file: {wrong[:5]}")


def bytes_are_as_they_were_stored():
    origin = site(answer)
    base = origin.url
    with tempfile.TemporaryDirectory() as out:
        fetch(base + "/x.tar.gz", "--output-dir", out)
        expect((Path(out) / "x.tar.gz").read_bytes() == stored, "nothing is unpacked")
        done = fetch(base + "/x.tar.gz", "--output-dir", out, "--compressed")
        expect((Path(out) / "x.tar.gz.1").read_bytes() == gzip.decompress(stored), "unpacked when asked for")
        first, second = (fields["Accept-Encoding"] for _, fields in origin.requests)
        expect(first is None and "gzip" in second, f"compression is asked for when wanted: {first}, {second}")
        expect("x.tar.gz.1: 10000 bytes received from " in done.stdout, done.stdout)


def what_is_there_is_treated_as_asked(base):
    def content(out):
        return {name: (Path(out) / name).read_text() for name in names_in(out)}
    with tempfile.TemporaryDirectory() as out:
        (Path(out) / "there").write_text("mine")
        done = fetch(base + "/there", "--output-dir", out, "--if-there", "skip")
        expect(content(out) == {"there": "mine"} and ", 1 kept" in done.stdout, done.stdout)
        done = fetch(base + "/there", "--output-dir", out, "--if-there", "fail", status=fetching.file)
        expect(content(out) == {"there": "mine"} and "File exists" in done.stderr, done.stderr)
        fetch(base + "/there", "--output-dir", out)
        expect(content(out) == {"there": "mine", "there.1": "/there"}, str(content(out)))
        fetch(base + "/there", "--output-dir", out, "--if-there", "replace")
        expect(content(out) == {"there": "/there", "there.1": "/there"}, str(content(out)))


def nothing_is_written_through_a_link(base):
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as elsewhere:
        os.symlink(Path(elsewhere) / "aim", Path(out) / "page")
        fetch(base + "/page", "--output-dir", out, "--if-there", "replace")
        expect(names_in(elsewhere) == [] and not (Path(out) / "page").is_symlink(), str(names_in(elsewhere)))


def a_stalled_host_holds_up_no_other(base):
    held = threading.Event()

    def hold(asked):
        held.wait(patience)
        asked.reply(404, b"")
    stalled = site(hold)
    urls = [f"{stalled.url}/{number}" for number in range(200)] + [f"{base}/{n}" for n in range(200)]
    process = subprocess.Popen([fetching.program, "-i", "-", "--discard", "--parallel", "10", "--tries", "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True)
    try:
        process.stdin.write("\n".join(urls) + "\n")
        process.stdin.flush()  # and stays open
        arrived = 0
        while arrived < 200:
            line = process.stdout.readline()
            expect(line, "it goes on")
            arrived += " bytes received from " in line
        held.set()
        process.communicate(timeout=patience)
    finally:
        process.kill()
        process.wait()
    expect(process.returncode == fetching.refused, f"all is told in the end: {process.returncode}")


in_a_small_file_system = """
mount -t tmpfs -o size=200k none "$1" || exit 77
"$2" "$3/small" "$3/tiny" "$3/large" --output-dir "$1" --tries 1 --parallel 1
status=$?
cat "$1/small" > "$4/small"
ls "$1" > "$4/names"
exit $status
"""


def a_full_disk_stops_no_other():
    """In a file system of 200 kB, which only the process that uses it can see. What has come of a file that
    is too large is kept, so there is no room behind it."""
    files = {"/small": b"small", "/large": body_of("large", 1_000_000), "/tiny": b"tiny"}
    with tempfile.TemporaryDirectory() as out, tempfile.TemporaryDirectory() as seen:
        done = subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                               in_a_small_file_system, "sh", out, fetching.program, site_of(files).url, seen],
                              capture_output=True, text=True, timeout=patience)
        if done.returncode not in (0, fetching.file):
            print(f"no file system can be mounted: {done.stderr}", file=sys.stderr)
            return
        expect(done.returncode == fetching.file, f"status {done.returncode}: {done.stderr}")
        expect("/large: " in done.stderr and "No space left on device" in done.stderr, done.stderr)
        expect(done.stderr.count("\n") == 1 and "2 of 3 URLs" in done.stdout, done.stderr + done.stdout)
        expect((Path(seen) / "small").read_bytes() == b"small", "what was there is kept")
        names = (Path(seen) / "names").read_text().split()
        expect("large" not in names and {"small", "tiny", "large.part"} <= set(names), str(names))


if __name__ == "__main__":
    base = site(answer).url
    for backend in backends():
        each_url_has_a_name_of_its_own(base, backend)
        few_descriptors_are_shared_by_all(base, backend)
    files_lie_as_on_the_site(base)
    four_thousand_urls_with_one_name(base)
    bytes_are_as_they_were_stored()
    what_is_there_is_treated_as_asked(base)
    nothing_is_written_through_a_link(base)
    a_stalled_host_holds_up_no_other(base)
    a_full_disk_stops_no_other()
