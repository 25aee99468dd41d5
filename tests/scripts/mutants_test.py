#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/mutants: how patches are applied, and what is made of the output of a suite."""

import importlib.machinery
import importlib.util
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = str(Path(__file__).resolve().parents[2] / "scripts/mutants")
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("mutants", SCRIPT)
mutants = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutants", loader))
loader.exec_module(mutants)

PATCH = """It says two.
suites: runtime net
first: tests/a_test.cpp
--- a/runtime/a.cpp
+++ b/runtime/a.cpp
@@ -4,3 +4,3 @@
 begin
-one
+two
 end
"""
FAILED = """[doctest] doctest version is "2.4.9"
===============================================================================
tests/a_test.cpp:8:
TEST CASE:  a first case

tests/a_test.cpp:9: MESSAGE: skipped on uring: Operation not permitted

0.000041 s: a first case
===============================================================================
tests/a_test.cpp:12:
TEST CASE:  a second case

tests/a_test.cpp:15: ERROR: CHECK( one == two ) is NOT correct!
"""
CRASHED = """TEST CASE:  a second case

tests/a_test.cpp:12: FATAL ERROR: test case CRASHED: SIGSEGV - Segmentation violation signal
"""

SUITES = {"allocations", "blocking", "net", "runtime", "testing", "threads"}


class mutants_test(unittest.TestCase):
    def planted(self, text):
        """What happens to a file of this text: (what is said against the patch, the file afterwards)"""
        with tempfile.TemporaryDirectory() as folder:
            patch, file = Path(folder, "wrong.patch"), Path(folder, "tree/runtime/a.cpp")
            patch.write_text(PATCH)
            file.parent.mkdir(parents=True)
            file.write_text(text)
            said = mutants.mutant(patch).apply(Path(folder, "tree"))
            return said, file.read_text()

    def test_a_patch_says_what_it_breaks_and_where(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "wrong.patch")
            path.write_text(PATCH)
            each = mutants.mutant(path)
            self.assertEqual((each.name, each.what, each.suites, each.first, each.files),
                             ("wrong", "It says two.", ["runtime", "net"], ["tests/a_test.cpp"],
                              ["runtime/a.cpp"]))

    def test_a_patch_is_applied_wherever_its_lines_stand(self):
        for before in ("1\n2\n3\n", "1\n2\n3\n4\n5\n"):
            after = "behind\n"
            self.assertEqual(self.planted(f"{before}begin\none\nend\n{after}"),
                             ("", f"{before}begin\ntwo\nend\n{after}"))

    def test_a_patch_whose_lines_have_changed_is_told_and_changes_nothing(self):
        said, left = self.planted("1\n2\n3\nbegin\nthree\nend\n")
        self.assertIn("does not apply", said)
        self.assertEqual(left, "1\n2\n3\nbegin\nthree\nend\n")

    def test_who_caught_it_is_the_first_test_case_that_failed(self):
        self.assertEqual(mutants.verdict(FAILED, 1), '"a second case"')
        self.assertEqual(mutants.verdict(CRASHED, -11), '"a second case", SIGSEGV')
        self.assertEqual(mutants.verdict("", -6), "exit status -6")
        self.assertEqual(mutants.verdict(FAILED, 0), "")

    def test_a_suite_that_hangs_has_caught_it_behind_the_last_case_that_ended(self):
        self.assertEqual(mutants.verdict("0.1 s: one\n12.5 s: two\n", None), 'a hang behind "two"')
        self.assertEqual(mutants.verdict("", None), "a hang")

    def test_every_patch_in_the_tree_has_its_three_lines(self):
        self.assertGreaterEqual(len(mutants.mutants([])), 12)
        for each in mutants.mutants([]):
            self.assertTrue(each.what.endswith("."), each.name)
            self.assertLessEqual(set(each.suites), SUITES, each.name)
            self.assertTrue(each.files, each.name)
            self.assertTrue(each.first, each.name)
            for file in each.first:
                self.assertTrue((mutants.ROOT / file).is_file(), f"{each.name}: there is no {file}")


if __name__ == "__main__":
    unittest.main()
