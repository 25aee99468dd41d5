# SPDX-License-Identifier: MIT
"""The demonstration runs to its end, and at once is quicker than in turn."""
import os
import re
import subprocess
import sys

from programs import expect, folder, patience

if __name__ == "__main__":
    script, fetch = sys.argv[1:]
    done = subprocess.run(["bash", script, folder, fetch], capture_output=True, text=True, timeout=patience,
                          env=os.environ)
    expect(done.returncode == 0, done.stderr)
    expect(re.search(r"^200 URLs: +200 of 200 URLs, \d+ bytes in \d+\.\d+ s, 0 failed$", done.stdout, re.M),
           done.stdout[-500:])
    in_turn, at_once = re.findall(r"^poems (?:in turn|at once): (\S+)$", done.stdout, re.M)
    expect(at_once < in_turn, f"at once {at_once} is quicker than in turn {in_turn}")
