# SPDX-License-Identifier: MIT
"""at_once: what the README shows does what it says."""
from programs import expect, run

if __name__ == "__main__":
    shown = run("at_once").stdout
    expect(shown == "LEAT MILL WATER WHEEL STONE nothing ONE TWO THREE\n", shown)
