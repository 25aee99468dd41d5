# SPDX-License-Identifier: MIT
"""redis_workers and a real Redis, which is started here and listens on a Unix socket only."""
import os
import shutil
import subprocess
import sys
import tempfile

from programs import expect, folder, line_of, patience, run


def program_of_server():
    """Debian's redis-tools has the server under another name; it goes by the name that it is called by."""
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


if __name__ == "__main__":
    program = program_of_server()
    if program is None or not (folder / "redis_workers").exists():
        print("Redis or hiredis is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="redis") as home:
        place = f"{home}/socket"
        process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", place, "--save", "",
                                    "--dir", home], executable=program, stdout=subprocess.PIPE, bufsize=0)
        try:
            while "ready to accept connections" not in (line := line_of(process.stdout)):
                expect(line, "the server starts")
            lines = run("redis_workers", place).stdout.splitlines()
        finally:
            process.terminate()
            process.communicate(timeout=patience)
    expect(lines == ["20 workers have done 1000 jobs",
                     "a receive timeout: Resource temporarily unavailable"], lines)
