# SPDX-License-Identifier: MIT
"""Runs leat-fetch for the tests beside this file."""
import contextlib
import subprocess
from pathlib import Path

from programs import expect, folder, patience, run

program = folder / "leat-fetch"
bad_input, refused, interrupted, checksum, file = 3, 7, 12, 14, 15  # exit statuses, by what has failed
several_kinds = 1


def fetch(*arguments, status=0, **options):
    """Runs it to its end, which must be with `status`."""
    return run("leat-fetch", *arguments, status=status, **options)


def backends():
    """All of them, without io_uring where the kernel refuses it."""
    done = subprocess.run([program, "--backend", "uring", "--discard", "nonsense"], capture_output=True,
                          text=True, timeout=patience)
    expect(done.returncode in (bad_input, 1), f"it runs: {done}")
    return ["epoll", "poll"] + ["uring"] * (done.returncode == bad_input)


@contextlib.contextmanager
def fetching(out, *arguments, **options):
    """It runs with its files in `out`, and is killed at the end if it still does."""
    process = subprocess.Popen([program, *arguments, "--output-dir", out], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def names_in(where):
    return sorted(file.name for file in Path(where).iterdir())


def summary_of(done):
    """The last line of what a run has printed."""
    return done.stdout.splitlines()[-1] if done.stdout else ""
