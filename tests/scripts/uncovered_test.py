#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/uncovered.py: how lines are counted, and when they are too few."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/uncovered.py"

ONE = """SF:runtime/leat/a.cpp
DA:1,5
DA:2,0
DA:3,0
DA:4,0
DA:7,0
end_of_record
SF:net/leat/b.hpp
DA:10,1
DA:11,1
end_of_record
"""
OTHER = """SF:runtime/leat/a.cpp
DA:3,2
end_of_record
"""


def counted(*texts, least=0):
    """(status, what was printed, what --all wrote)"""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number, text in enumerate(texts):
            names.append(f"{folder}/{number}.lcov")
            Path(names[-1]).write_text(text)
        options = ["--all", f"{folder}/all", "--least", str(least)]
        done = subprocess.run([sys.executable, SCRIPT, *options, *names],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout.splitlines(), Path(folder, "all").read_text().splitlines()


class uncovered_test(unittest.TestCase):
    def test_lines_that_did_not_run_are_told_in_stretches(self):
        status, shown, everything = counted(ONE)
        self.assertEqual(status, 0)
        self.assertEqual(shown[0], "runtime/leat/a.cpp: 4 of 5 lines did not run: 2-4 7")
        self.assertEqual(everything, ["runtime/leat/a.cpp:2-4", "runtime/leat/a.cpp:7"])

    def test_a_line_that_ran_in_one_program_has_run(self):
        self.assertEqual(counted(ONE, OTHER)[2],
                         ["runtime/leat/a.cpp:2", "runtime/leat/a.cpp:4", "runtime/leat/a.cpp:7"])

    def test_each_folder_and_the_whole_have_a_share(self):
        self.assertEqual(counted(ONE)[1][1:],
                         ["net: 100.0 % of 2 lines ran", "runtime: 20.0 % of 5 lines ran",
                          "coverage: 42.9 % of 7 lines ran, at least 0 % have to"])

    def test_too_few_lines_are_a_failure_and_so_are_none(self):
        self.assertEqual(counted(ONE, least=42)[0], 0)
        self.assertEqual(counted(ONE, least=43)[0], 1)
        self.assertEqual(counted("", least=90)[0], 1)


if __name__ == "__main__":
    unittest.main()
