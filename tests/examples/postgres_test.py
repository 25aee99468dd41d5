# SPDX-License-Identifier: MIT
"""postgres and a real PostgreSQL, which is started here and listens on a Unix socket only: queries at once in
one thread, and what is left in the server of one that was given up."""
import contextlib
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import expect, folder, line_of, patience, run


def programs_of_server():
    """The folder of the newest one."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, default=None)


def somebody():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if name in
                {entry.pw_name for entry in pwd.getpwall()})
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres(programs, home):
    """Where the server that runs meanwhile is reached."""
    alone = somebody()
    if alone:
        os.chown(home, alone["user"], alone["group"])
    place = ["-D", f"{home}/data"]
    made = subprocess.run([programs / "initdb", *place, "-A", "trust", "-U", "leat", "--no-sync"], cwd=home,
                          text=True, capture_output=True, timeout=patience, **alone)
    expect(made.returncode == 0, made.stderr)
    process = subprocess.Popen([programs / "postgres", *place, "-k", home, "-c", "listen_addresses=",
                                "-c", "fsync=off"], cwd=home, stderr=subprocess.PIPE, bufsize=0, **alone)
    try:
        while "ready to accept connections" not in (line := line_of(process.stderr)):
            expect(line, "the server starts")
        yield f"host={home} user=leat dbname=postgres"
        process.terminate()
        process.communicate(timeout=patience)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    programs = programs_of_server()
    if programs is None or not (folder / "postgres").exists():
        print("PostgreSQL or libpq is not installed")
        sys.exit(77)
    home = tempfile.mkdtemp(prefix="pg")  # a Unix socket's path is short
    try:
        with postgres(programs, home) as place:
            lines = run("postgres", place).stdout.splitlines()
    finally:
        shutil.rmtree(home)
    expect(re.fullmatch(r"50 queries of 0\.2 s, 50 of them at once: \d+\.\d\d s", lines[0]), lines)
    expect(lines[1:] == ["a query of 60 s was given up after 0.1 s",
                         "its session has ended in the server"], lines)
    print(lines[0])
