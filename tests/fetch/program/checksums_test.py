# SPDX-License-Identifier: MIT
"""leat-fetch with lists of checksums, beside sha256sum(1): each reads what the other one has written."""
import hashlib
import subprocess
import tempfile
from pathlib import Path

from fetching import backends, checksum, fetch, names_in, summary_of
from origins import body_of, site
from programs import expect, patience


def answer(asked):
    asked.serve(body_of(asked.path, 10_000 + len(asked.path)))


odd_names = ["plain", "two  spaces", " before", "*star", "dir/in it", "caf\u00e9", "#hash",
             "a = b", "(x) = 1", "a\u00a0b"]


def sha256sum(*arguments, cwd):
    return subprocess.run(["sha256sum", *arguments], cwd=cwd, capture_output=True, text=True,
                          timeout=patience)


def lists_are_those_of_sha256sum(base, backend):
    with tempfile.TemporaryDirectory() as made:
        out, told, listed = Path(made) / "out", Path(made) / "SHA256SUMS", Path(made) / "urls"
        listed.write_text("".join(f"{base}/{number}\tout={name}\n" for number, name in enumerate(odd_names)))
        fetch("-i", listed, "-d", out, "--write-checksums", told, "--backend", backend)
        names = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
        expect(len(names) == len(odd_names), f"each has its name: {names}")
        done = sha256sum("--check", "--strict", told, cwd=out)
        expect(done.returncode == 0, done.stdout + done.stderr)
        lines = told.read_bytes().splitlines()
        for number, line in enumerate(lines):  # in the order of the list
            sum_of = hashlib.sha256(body_of(f"/{number}", 10_000 + len(f"/{number}"))).hexdigest()
            expect(line.lstrip(b"\\").startswith(sum_of.encode()), f"{number}: {line!r}")
        theirs = Path(made) / "theirs"
        theirs.write_text(sha256sum("--", *names, cwd=out).stdout)
        again = Path(made) / "again"
        done = fetch("-i", listed, "-d", again, "--checksums", theirs)
        expect(", 0 failed\n" in done.stdout and "checksum" not in done.stdout, summary_of(done))
        done = fetch("-i", listed, "-d", again, "--checksums", theirs, "--if-there", "skip",
                     "--write-checksums", told)
        expect(f", {len(odd_names)} kept" in done.stdout, summary_of(done))
        expect(told.read_bytes().splitlines() == lines, "of files that are kept it is the same")


def what_is_wrong_is_told(base):
    with tempfile.TemporaryDirectory() as made:
        out, sums, told = Path(made) / "out", Path(made) / "sums", Path(made) / "told"
        sums.write_text(f"{hashlib.sha256(b'x').hexdigest()}  wrong\n{hashlib.md5(b'x').hexdigest()}  none\n")
        done = fetch(f"{base}/wrong", f"{base}/other", "-d", out, "--checksums", sums,
                     "--write-checksums", told, status=checksum)
        expect(f"error: {base}/wrong: its sha-256 is " in done.stderr, done.stderr)
        expect(names_in(out) == ["other"], str(names_in(out)))
        told_last = ", 1 failed, 1 without a checksum, 2 checksums of no file here"
        expect(told_last in summary_of(done), done.stdout)
        expect(told.read_text().endswith("  other\n") and told.read_text().count("\n") == 1, told.read_text())
        sums.write_text("nonsense\n")
        done = fetch(f"{base}/wrong", "--checksums", sums, status=1)
        expect(done.stderr == f"leat-fetch: {sums}: line 1: no checksum and name\n", done.stderr)
        done = fetch(f"{base}/wrong", "--checksums", sums, "--head", status=2)
        expect("--checksums" in done.stderr and done.stderr.count("\n") == 1, done.stderr)


if __name__ == "__main__":
    base = site(answer).url
    for backend in backends():
        lists_are_those_of_sha256sum(base, backend)
    what_is_wrong_is_told(base)
