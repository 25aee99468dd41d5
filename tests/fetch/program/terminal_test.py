# SPDX-License-Identifier: MIT
"""fetch on a terminal, where it shows its progress."""
import os
import pty
import subprocess
import sys

from fetch_test import origin
from programs import expect, folder, patience


def a_terminal_shows_progress(plain):
    try:
        controller, terminal = pty.openpty()
    except OSError as error:  # a container without devpts
        print(f"no terminal can be opened: {error}")
        sys.exit(77)
    process = subprocess.Popen([folder / "fetch", f"{plain}/size/999"], stdout=terminal)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:
        pass  # the terminal is gone with the program
    expect(process.wait(patience) == 0, "it ends well on a terminal")
    expect(b"0 of 1 done, " in shown and b"GET: " not in shown and b"1 of 1 URLs" in shown, repr(shown))


if __name__ == "__main__":
    a_terminal_shows_progress(origin())
