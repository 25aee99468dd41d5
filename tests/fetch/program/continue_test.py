# SPDX-License-Identifier: MIT
"""leat-fetch --continue: half files of curl and wget, and what is there when it is killed meanwhile."""
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from fetching import backends, fetch, fetching, names_in
from origins import body_of, site
from programs import expect, patience

whole = body_of("continued", 3_000_000)
programs = {"curl": ("--silent", "-o", "file"), "wget": ("-q", "-t", "1", "-O", "file")}


def cut(asked):
    """A third of it, and the end of the connection."""
    asked.begin(200, len(whole))
    asked.wfile.write(whole[:1_000_000])
    asked.close_connection = True


def halves_of_others_are_gone_on_with(backend):
    for name, options in programs.items():
        if shutil.which(name) is None:
            print(f"{name} is not there")
            continue
        with tempfile.TemporaryDirectory() as out:
            subprocess.run([name, *options, site(cut).url + "/file"], cwd=out, check=False, timeout=patience)
            half = (Path(out) / "file").stat().st_size
            expect(0 < half < len(whole), f"{name} has left {half} bytes")
            done = fetch(site(lambda asked: asked.serve(whole)).url + "/file", "-d", out, "--continue",
                         "--backend", backend)
            expect(f"file: {len(whole) - half} bytes received" in done.stdout, done.stdout)
            expect((Path(out) / "file").read_bytes() == whole and names_in(out) == ["file"], name)


def a_death_leaves_no_half_file_under_the_name():
    def slowly(asked):
        if asked.headers["If-Range"]:
            asked.serve(whole)
            return
        asked.send_response(206)
        asked.send_header("ETag", '"1"')
        asked.send_header("Content-Range", f"bytes 1000000-{len(whole) - 1}/{len(whole)}")
        asked.send_header("Content-Length", str(len(whole) - 1_000_000))
        asked.end_headers()
        asked.wfile.write(whole[1_000_000:2_000_000])
        asked.wfile.flush()
        asked.server.sent.wait(patience)
    origin = site(slowly)
    origin.sent = threading.Event()
    with tempfile.TemporaryDirectory() as out:
        (Path(out) / "file").write_bytes(whole[:1_000_000])
        with fetching(out, origin.url + "/file", "--continue") as process:
            part = Path(out) / "file.part"
            while not part.exists() or part.stat().st_size < 1_500_000:
                expect(process.poll() is None, "it runs")
            process.kill()
            process.wait()
        origin.sent.set()
        expect(names_in(out) == ["file.part", "file.part.note"], str(names_in(out)))
        there = part.stat().st_size
        expect(part.read_bytes() == whole[:there], "nothing is lost")


if __name__ == "__main__":
    for backend in backends():
        halves_of_others_are_gone_on_with(backend)
    a_death_leaves_no_half_file_under_the_name()
