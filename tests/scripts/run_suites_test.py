#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/run_suites.py adds up honestly: nothing that went wrong may look like a success."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import run_suites  # noqa: E402

SUMMARY = "[doctest] test cases: {} | {} passed | {} failed | {} skipped\n"


def suite(script, kind="leat:doctest", seconds=30):
    return {"name": "a", "cmd": ["sh", "-c", script], "workdir": "/", "env": {}, "suite": [kind],
            "timeout": seconds}


def counted(script, **options):
    made = suite(script, **options)
    return run_suites.count(made, *run_suites.run(made, False))


def says(summary, then=""):
    return f"echo '{summary.strip()}'; {then}"


class run_suites_test(unittest.TestCase):
    def test_doctest_cases_are_counted_one_by_one(self):
        self.assertEqual(counted(says(SUMMARY.format(9, 6, 1, 2), "exit 1"))[:3], (6, 1, 2))

    def test_a_suite_without_a_summary_fails(self):
        self.assertEqual(counted("echo hello")[:3], (0, 1, 0))

    def test_a_suite_without_test_cases_fails(self):
        self.assertEqual(counted(says(SUMMARY.format(0, 0, 0, 0)))[:3], (0, 1, 0))

    def test_a_crash_after_the_summary_fails(self):
        passed, failed, _, trouble, _ = counted(says(SUMMARY.format(3, 3, 0, 0), "kill -SEGV $$"))
        self.assertEqual((passed, failed), (3, 1))
        self.assertIn("SIGSEGV", trouble)

    def test_a_failing_exit_status_after_success_fails(self):
        self.assertEqual(counted(says(SUMMARY.format(3, 3, 0, 0), "exit 1"))[:3], (3, 1, 0))

    def test_a_suite_that_hangs_is_killed_with_its_children_and_fails(self):
        passed, failed, _, trouble, _ = counted("sleep 1000 & sleep 1000", seconds=0.2)
        self.assertEqual((passed, failed, trouble), (0, 1, "ran no test, timed out"))

    def test_a_case_that_says_it_was_skipped_did_not_pass(self):
        script = "echo 'a.cpp:7: MESSAGE: skipped: no filter'; " + says(SUMMARY.format(3, 3, 0, 0))
        self.assertEqual(counted(script), (2, 0, 1, "", ["skipped: no filter"]))

    def test_a_case_that_ran_on_other_backends_passed_and_the_one_left_out_is_counted(self):
        script = "echo 'a.cpp:7: MESSAGE: skipped on uring: refused'; " + says(SUMMARY.format(3, 3, 0, 0))
        self.assertEqual(counted(script), (3, 0, 1, "", ["skipped on uring: refused"]))

    def test_a_script_is_one_test(self):
        self.assertEqual(counted("true", kind="leat:script")[:3], (1, 0, 0))
        self.assertEqual(counted("false", kind="leat:script")[:3], (0, 1, 0))

    def test_a_script_may_skip_itself_and_says_why(self):
        skipped = counted("echo no network; exit 77", kind="leat:script")
        self.assertEqual(skipped, (0, 0, 1, "", ["skipped: no network"]))

    def test_the_last_line_names_skipped_tests_only_when_there_are_any(self):
        self.assertEqual(run_suites.line(3, 0, 0), "3 passed, 0 failed")
        self.assertEqual(run_suites.line(3, 1, 2), "3 passed, 1 failed, 2 skipped")


if __name__ == "__main__":
    unittest.main()
