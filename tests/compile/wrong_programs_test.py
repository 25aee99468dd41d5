#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that do not compile: the first error says in one sentence what is wrong.

    wrong_programs_test.py SOURCE_FOLDER COMPILER...
"""

import concurrent.futures
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, COMPILER = Path(sys.argv[1]), sys.argv[2:]
COMPILE = [*COMPILER, "-std=c++20", *(f"-I{ROOT / folder}" for folder in ("runtime", "net", "testing"))]

HEADERS = "#include <leat/runtime.hpp>\n#include <leat/net.hpp>\n"
BEGIN = """
using namespace std::chrono_literals;
leat::task<int> number(int n) { co_return n; }
struct no_awaitable {};
leat::task<> body(leat::tcp_stream stream, leat::event& flag, std::span<std::byte> into) {
"""
END = "\n    co_return;\n}\n"

NOT_AWAITABLE = "what is awaited is an awaitable, a task, or a callable that gives one"
NO_X = "this takes an awaitable, a task, or a callable that gives one"
MOVE = "a task is awaited once: move it"
TEMPORARY = "the callable gives an awaitable that refers to a temporary of the callable"

RIGHT = "co_await leat::gather(number(1), leat::timeout(1s, flag.wait()));"

# what is wrong: (the body of a coroutine, the beginning of the sentence)
WRONG = {
    "awaiting a number": ("co_await 42;", NOT_AWAITABLE),
    "awaiting a task that has a name": ("auto later = number(1); co_await later;", MOVE),
    "a timeout for a number": ("co_await leat::timeout(1s, 42);", NO_X),
    "shielding an object": ("co_await leat::shield(no_awaitable());", NO_X),
    "the result of a string": ('co_await leat::as_result("text");', NO_X),
    "gathering a number": ("co_await leat::gather(number(1), 42);", NO_X),
    "gathering a task that has a name": (
        "auto later = number(1); co_await leat::gather(later, number(2));", MOVE),
    "a race with a function that gives no task": (
        "co_await leat::race(number(1), [] { return 7; });", NO_X),
    "spawning a number": ("leat::spawn(42);", "what is spawned is called with these arguments"),
    "spawning with arguments that do not fit": (
        'leat::spawn(number, "text");', "what is spawned is called with these arguments"),
    "spawning a function that gives no task": (
        "leat::spawn([](int n) { return n; }, 3);",
        "what is spawned is an awaitable, a task, or a callable that gives one"),
    "spawning a task that has a name": ("auto later = number(1); leat::spawn(later);", MOVE),
    "a callable whose temporary is gone": (
        "co_await leat::timeout(1s, [&] { return leat::shield(stream.recv(into)); });", TEMPORARY),
    "a spawned callable whose temporary is gone": (
        "leat::spawn([&] { return leat::timeout(1s, flag.wait()); });", TEMPORARY),
    "finally without a cleanup": (
        "co_await leat::finally(number(1), 42);",
        "the cleanup is a callable that gives an awaitable or a task"),
}


def compile_headers(folder):
    """Once for all programs. Both compilers find what is precompiled beside the header."""
    header = Path(folder, "headers.hpp")
    header.write_text(HEADERS)
    subprocess.run([*COMPILE, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
    return header


def first_error(header, program):
    """The first error of a program, or None when it compiles."""
    done = subprocess.run([*COMPILE, "-fsyntax-only", "-include", header, "-x", "c++", "-"],
                          input=BEGIN + program + END, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode == 0:
        return None
    return next(line for line in done.stdout.splitlines() if "error:" in line)


class wrong_programs_test(unittest.TestCase):
    def test_what_is_wrong_is_told_in_the_first_error(self):
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            header = compile_headers(folder)
            programs = [RIGHT, *(program for program, _ in WRONG.values())]
            right, *told = pool.map(first_error, [header] * len(programs), programs)
        self.assertIsNone(right)
        for (what, (_, sentence)), error in zip(WRONG.items(), told):
            with self.subTest(what):
                self.assertIsNotNone(error, "it compiles")
                self.assertIn(sentence, error)


unittest.main(argv=sys.argv[:1])
