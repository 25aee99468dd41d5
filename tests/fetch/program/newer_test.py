# SPDX-License-Identifier: MIT
"""leat-fetch --newer: a folder that is brought up to a list again and again."""
import os
import tempfile
from pathlib import Path

import fetching
from fetching import backends, fetch, names_in, summary_of
from origins import body_of, site_of
from programs import expect


def notes_are_kept(out):
    """Whether its file system has extended attributes."""
    try:
        os.setxattr(out, "user.leat.probe", b"x")
        return True
    except OSError:
        return False


def a_folder_is_brought_up_to_a_list(backend):
    files = {f"/{number}": body_of(number, 1000 * number) for number in range(1, 40)}
    origin = site_of(files)
    urls = "\n".join(origin.url + path for path in files)

    def bring(*options, **how):
        return fetch("-i", "-", "-d", out, "--newer", "--backend", backend, *options, input=urls, **how)

    def check():
        for path, body in files.items():
            expect((Path(out) / path[1:]).read_bytes() == body, f"{path} is that of the server")
        expect(len(names_in(out)) == len(files), str(names_in(out)))
    with tempfile.TemporaryDirectory() as out:
        if not notes_are_kept(out):
            print(f"{out} has no extended attributes")
            return
        bring()
        check()
        last = summary_of(bring())
        expect("39 of 39 URLs, 0 bytes" in last and ", 39 kept" in last, last)
        for number in (3, 5, 7):
            files[f"/{number}"] = body_of(-number, 500)
        last = summary_of(bring())
        expect("39 of 39 URLs, 1500 bytes" in last and ", 36 kept" in last, last)
        check()
        (Path(out) / "9").write_bytes(b"mine")
        done = bring(status=fetching.file)
        expect("/9: 9 was changed since" in done.stderr and done.stderr.count("\n") == 1, done.stderr)
        expect((Path(out) / "9").read_bytes() == b"mine", "it is not replaced")
        bring("--if-there", "replace")
        check()


if __name__ == "__main__":
    for backend in backends():
        a_folder_is_brought_up_to_a_list(backend)
