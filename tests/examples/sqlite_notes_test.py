# SPDX-License-Identifier: MIT
"""sqlite_notes and a database in a file: it is kept, and others go on while SQLite works."""
import os
import sys
import tempfile

from programs import expect, folder, run

if __name__ == "__main__":
    if not (folder / "sqlite_notes").exists():
        print("SQLite is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="sqlite") as home:
        for count in 100_000, 200_000:
            lines = run("sqlite_notes", f"{home}/notes").stdout.splitlines()
            expect(lines == [f"{count} notes are kept", "others went on meanwhile"], lines)
        expect(os.listdir(home) == ["notes"], "no journal is left behind")
        failed = run("sqlite_notes", f"{home}/none/notes", status=1)
        expect("unable to open database file" in failed.stderr, failed.stderr)
