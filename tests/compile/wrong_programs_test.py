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
leat::task<> answer(leat::tcp_stream stream, std::string name) { co_return; }
leat::task<> lent(leat::tcp_stream& stream) { co_return; }
leat::task<> body(leat::tcp_stream stream, leat::tcp_listener listener, leat::task_group& group,
                  leat::event& flag, std::span<std::byte> into) {
"""
END = "\n    co_return;\n}\n"

NOT_AWAITABLE = "what is awaited is an awaitable, a task, or a callable that gives one"
NO_X = "this takes an awaitable, a task, or a callable that gives one"
MOVE = "a task is awaited once: move it"
CALLED = "what is spawned is called with these arguments, and cannot be"
KEPT = "what is not copied is moved into the new task: std::move(argument)"
HANDLER = "the handler of serve() takes the stream of a connection by value and gives a task"
GROUP_BODY = "the body of a task group is called with the group and gives a task"
SCOPE_BODY = "the body of a cancel scope is called with the scope and gives a task"
FOR_EACH = "the function is called with each item of the range, and gives a task or an awaitable"
IGNORED = "ignoring return"  # value ...
TEMPORARY = "the callable gives an awaitable that refers to a temporary of the callable"

RIGHT = "co_await leat::gather(number(1), leat::timeout(1s, flag.wait()));"

# what is wrong: (the body of a coroutine, the beginning of the sentence)
WRONG = {
    "awaiting a number": ("co_await 42;", NOT_AWAITABLE),
    "awaiting a task that has a name": ("auto later = number(1); co_await later;", MOVE),
    "awaiting a const task": ("const auto later = number(1); co_await std::move(later);", MOVE),
    "a timeout for a task that has a name": (
        "auto later = number(1); co_await leat::timeout(1s, later);", MOVE),
    "a timeout for a number": ("co_await leat::timeout(1s, 42);", NO_X),
    "shielding an object": ("co_await leat::shield(no_awaitable());", NO_X),
    "the result of a string": ('co_await leat::as_result("text");', NO_X),
    "gathering a number": ("co_await leat::gather(number(1), 42);", NO_X),
    "gathering a task that has a name": (
        "auto later = number(1); co_await leat::gather(later, number(2));", MOVE),
    "a race with a function that gives no task": (
        "co_await leat::race(number(1), [] { return 7; });", NO_X),
    "spawning a number": ("leat::spawn(42);", CALLED),
    "spawning with arguments that do not fit": ('leat::spawn(number, "text");', CALLED),
    "spawning in a group with arguments that do not fit": ('group.spawn(number, "text");', CALLED),
    "lending without std::ref": ("leat::spawn(lent, stream);", CALLED),
    "a forgotten move": ('leat::spawn(answer, stream, "name");', KEPT),
    "a forgotten move in a group": ('group.spawn(answer, stream, "name");', KEPT),
    "a forgotten move when there is room": (
        'co_await group.spawn_when_free(answer, stream, "name");', KEPT),
    "a handler that takes more than a stream": (
        "co_await leat::serve(std::move(listener), answer);", HANDLER),
    "a handler that takes a reference": ("co_await leat::serve(std::move(listener), lent);", HANDLER),
    "a handler that gives no task": (
        "co_await leat::serve(std::move(listener), [](leat::tcp_stream) {});", HANDLER),
    "a handler that is a number": ("co_await leat::serve(std::move(listener), 42);", HANDLER),
    "the body of a group that gives no task": (
        "co_await leat::with_task_group([](leat::task_group& g) { g.spawn(number(1)); });", GROUP_BODY),
    "the body of a group that does not take it": (
        "co_await leat::with_task_group([]() -> leat::task<> { co_return; });", GROUP_BODY),
    "the body of a scope that gives no task": (
        "co_await leat::with_cancel_scope([](leat::cancel_scope& scope) { scope.cancel(); });", SCOPE_BODY),
    "the body of a scope that does not take it": (
        "co_await leat::with_cancel_scope([]() -> leat::task<> { co_return; });", SCOPE_BODY),
    "mapping by a function that gives no task": (
        "std::vector v{1}; co_await leat::map_concurrently(v, 3, [](int n) { return n; });", FOR_EACH),
    "a function for each of other items": (
        "std::vector v{1}; co_await leat::for_each_concurrently(v, 3, answer);", FOR_EACH),
    "gathering a range that is kept": (
        "std::vector<leat::task<int>> v; co_await leat::gather(v);",
        "what is in a range is awaited once: move the range, std::move(range)"),
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
        "the cleanup is a task, or a callable that gives an awaitable or a task"),
}

# What compiles and is warned of.
UNHEARD = {
    "whether a deadline was kept": 'co_await leat::move_on_after(1s, stream.send_all("text"));',
    "how many bytes were sent": 'co_await stream.send("text");',
    "how many bytes came": "co_await stream.recv(into);",
    "how it ended": 'co_await leat::as_result(stream.send_all("text"));',
    "the outcome": "co_await leat::as_outcome(number(1));",
}


def compile_headers(folder):
    """Once for all programs. Both compilers find what is precompiled beside the header."""
    header = Path(folder, "headers.hpp")
    header.write_text(HEADERS)
    subprocess.run([*COMPILE, "-x", "c++-header", header, "-o", f"{header}.gch"], check=True)
    return header


def told_of(header, program):
    """What the compiler says of a program, a warning being an error; its first line, None for nothing."""
    done = subprocess.run(
        [*COMPILE, "-Werror=unused-result", "-fsyntax-only", "-include", header, "-x", "c++", "-"],
        input=BEGIN + program + END, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return next((line for line in done.stdout.splitlines() if "error:" in line), None)


class wrong_programs_test(unittest.TestCase):
    def check(self, programs):
        """That each of them, {what: (program, sentence)}, is told of by its sentence first."""
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            header = compile_headers(folder)
            right, *told = pool.map(lambda program: told_of(header, program),
                                    [RIGHT, *(program for program, _ in programs.values())])
        self.assertIsNone(right)
        for (what, (_, sentence)), error in zip(programs.items(), told):
            with self.subTest(what):
                self.assertIsNotNone(error, "it compiles")
                self.assertIn(sentence, error)

    def test_what_is_wrong_is_told_in_the_first_error(self):
        self.check(WRONG)

    def test_what_is_ignored_by_mistake_is_warned_of(self):
        version = subprocess.run([*COMPILER, "--version"], text=True, capture_output=True, check=True)
        if "clang" not in version.stdout:
            self.skipTest("g++ (14.2) does not heed [[nodiscard]] behind a co_await")
        self.check({what: (program, IGNORED) for what, program in UNHEARD.items()})


unittest.main(argv=sys.argv[:1])
