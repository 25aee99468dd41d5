#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the test suites of a build folder and adds them up: scripts/run_suites.py FOLDER [NAME...]

A doctest suite counts its test cases, a script counts as one test. A suite that crashes, times out or says
nothing fails. A test case that says MESSAGE("skipped: REASON") counts as skipped, as does a script that
exits with 77; one that says MESSAGE("skipped on BACKEND: REASON") ran on others and adds a skipped one.
The last line is `N passed, N failed` and, when there were any, `, N skipped`.
"""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time

SUMMARY = re.compile(r"\[doctest\] test cases: *(\d+) *\| *(\d+) passed *\| *(\d+) failed *\| *(\d+) skipped")
SKIPPED = re.compile(r"MESSAGE: (skipped( on \w+)?: .*)$", re.MULTILINE)
SHOWN_OF_FAILURE = 30_000
DEFAULTS = {  # a sanitizer's finding ends the program
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}


def introspect(what, folder):
    asked = subprocess.run(["meson", "introspect", what, folder], stdout=subprocess.PIPE, check=True)
    return json.loads(asked.stdout)


def suites_of(folder, names):
    suites = sorted(introspect("--tests", folder), key=lambda suite: -suite["priority"])  # long ones first
    return [suite for suite in suites if not names or any(name in suite["name"] for name in names)]


def is_sanitized(folder):
    options = introspect("--buildoptions", folder)
    return any(option["name"] == "b_sanitize" and option["value"] != "none" for option in options)


def run(suite, sanitized):
    """(output, exit status or None when it had to be killed)"""
    # Under sanitizers everything takes several times as long; what chance finds is found without them.
    defaults = {**DEFAULTS, "LEAT_SEEDS": "8"} if sanitized else DEFAULTS
    # Whoever runs this, with nohup or in the background, may ignore signals; tests send them to programs.
    command = ["env", "--default-signal=HUP,INT,QUIT,TERM", *suite["cmd"]]
    process = subprocess.Popen(
        command, cwd=suite["workdir"], env={**defaults, **os.environ, **suite["env"]},
        text=True, errors="replace", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=suite["timeout"] * (4 if sanitized else 1))
        return output, process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return output, None


def count(suite, output, status):
    """(passed, failed, skipped, what went wrong besides failed test cases, reasons for skipping)"""
    ended = "timed out" if status is None else f"exit status {status}"
    if status is not None and status < 0:
        ended = f"ended by {signal.Signals(-status).name}"
    if "script" in str(suite["suite"]):
        if status == 77:
            return 0, 0, 1, "", ["skipped: " + output.strip().rsplit("\n", 1)[-1]]
        return (1, 0, 0, "", []) if status == 0 else (0, 1, 0, ended, [])
    summary = SUMMARY.search(output)
    if not summary or summary[1] == "0":
        return 0, 1, 0, f"ran no test, {ended}", []
    passed, failed, skipped = (int(summary[field]) for field in (2, 3, 4))
    found = SKIPPED.findall(output)
    passed -= sum(1 for _, backend in found if not backend)
    skipped += len(found)
    reasons = [reason for reason, _ in found]
    if status != 0 and failed == 0:
        return passed, 1, skipped, f"all test cases passed, but {ended}", reasons
    return passed, failed, skipped, "", reasons


def line(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    suites = suites_of(folder, names)
    total = [0, 0, 0]
    sanitized = is_sanitized(folder)

    def timed(suite):
        start = time.monotonic()
        return suite, *run(suite, sanitized), time.monotonic() - start

    # Most of them wait most of the time.
    with concurrent.futures.ThreadPoolExecutor(min(4, 2 * (os.cpu_count() or 1))) as pool:
        for ended in concurrent.futures.as_completed([pool.submit(timed, suite) for suite in suites]):
            suite, output, status, seconds = ended.result()
            *counts, trouble, reasons = count(suite, output, status)
            total = [sum(pair) for pair in zip(total, counts)]
            if counts[1]:
                print(output[-SHOWN_OF_FAILURE:].rstrip())
            note = f" ({trouble})" if trouble else ""
            print(f"{suite['name']}: {line(*counts)} in {seconds:.1f} s{note}")
            for reason in sorted(set(reasons)):
                print(f"    {reason} ({reasons.count(reason)} times)")
            sys.stdout.flush()
    if not suites:
        print("no suite " + (f"is called {' or '.join(names)}" if names else "was built"))
        total[1] = 1
    print(line(*total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
