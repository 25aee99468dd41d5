# SPDX-License-Identifier: MIT
"""leat-fetch on a terminal, where it shows its progress, unless it is told not to."""
import os
import pty
import subprocess
import sys

from fetching import program
from origins import site
from programs import expect, patience


def shown_on_a_terminal(*arguments):
    try:
        controller, terminal = pty.openpty()
    except OSError as error:  # a container without devpts
        print(f"no terminal can be opened: {error}")
        sys.exit(77)
    process = subprocess.Popen([program, *arguments], stdout=terminal, env={**os.environ, "TERM": "xterm"})
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:
        pass  # the terminal is gone with the program
    os.close(controller)
    expect(process.wait(patience) == 0, "it ends well on a terminal")
    return shown.decode()


if __name__ == "__main__":
    url = site(lambda asked: asked.serve(b"some")).url + "/page"
    shown = shown_on_a_terminal("--discard", url)
    expect("GET: " not in shown and "1 of 1" in shown, repr(shown))
    plain = shown_on_a_terminal("--discard", "--plain", url)
    expect(f"GET: {url}" in plain and "\x1b" not in plain, repr(plain))
    expect(shown_on_a_terminal("--discard", "--quiet", url) == "", "nothing to tell")
