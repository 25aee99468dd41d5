# SPDX-License-Identifier: MIT
"""The test of tidy.py: a small clean tree, and one planted violation after another that must be found."""

import headers
import tidy
from tidy_source import Source

SPDX = "// SPDX-License-Identifier: MIT\n"
MESON = "# SPDX-License-Identifier: MIT\n"
HEADER = SPDX + "// a thing: what it gives.\n#pragma once\n"
BODY = "int f() {\n" + "    ++x;\n" * 69 + "}\n"

CLEAN = {
    "README.md": "# leat\n```cpp\nint echo();\n```\nsee docs/guide.md\n",
    "docs/guide.md": "# guide\n| a | b | shown by |\n|---|---|---|\n"
    + "| a | - why | - |\n| a | missing: b | - |\n"
    + '| a | b | `task_test`: "a task"; `net/tcp_test`: "a long title; it ends" |\n'
    + "| a | b | `examples/echo_test.py` |\n",
    "tests/meson.build": MESON + "files('runtime/task_test.cpp', 'net/tcp_test.cpp')\n",
    "tests/runtime/task_test.cpp": SPDX + 'VIRTUAL_TEST("a task") {}\n// TEST_CASE("gone")\n',
    "tests/net/tcp_test.cpp": SPDX + 'TEST_CASE(\n    "a long "\n    "title; it ends" * skip(true)) {}\n',
    "tests/examples/echo_test.py": MESON,
    "runtime/meson.build": MESON + "files('leat/check.cpp')\n'leat/check.hpp' 'leat/task.hpp'\n",
    "runtime/leat/check.hpp": HEADER + "struct link {};\nusing std::size_t;\n",
    "runtime/leat/check.cpp": SPDX
    + '#include <leat/check.hpp>\nauto text = R"(m_x printf( )"; // m_x, 1\'000\n',
    "runtime/leat/task.hpp": HEADER + "#include <leat/check.hpp>\n",
    "runtime/leat/core/private.hpp": HEADER
    + "namespace leat {\nclass task;\ntemplate <typename T>\nstruct a;\nnamespace detail {\n"
    + "struct b {\n    void f() {}\n};\n}\n}\n",
    "net/meson.build": MESON + "'leat/tcp.hpp'\n",
    "net/leat/tcp.hpp": HEADER + "#include <leat/task.hpp>\nclass tls_session;\n",
    "CHANGELOG.md": "* `a::b`: one thing that is new for users\n* `a::c`: one thing\n* `a::d`: one thing\n",
    "examples/meson.build": MESON + "names = ['echo']\n",
    "examples/echo.cpp": SPDX + "// README: begin\nint echo();\n// README: end\n",
    "scripts/run": "#!/bin/sh\n# SPDX-License-Identifier: MIT\n",
    "tests/fuzz/corpus/url/odd": "//a/\t ",
}
CLEAN["docs/decisions/0004-core-is-a-layer.md"] = "# core\n"
CLEAN["docs/sockets.md"] = "# sockets\n"
CLEAN["docs/headers.md"] = headers.page({path: Source(path, text) for path, text in CLEAN.items()})


def added(path, line):
    return {path: CLEAN.get(path, MESON) + line + "\n"}


# (files put into the clean tree, a part of the rule that must be reported)
PLANTS = [
    (added("runtime/leat/check.cpp", "\n" * 400), "lines, at most 400"),
    (added("README.md", "\n" * 120), "lines, at most 120"),
    (added("runtime/leat/check.cpp", "// " + "x" * 108), "111 columns"),
    (added("scripts/run", "# " + "x" * 109), "111 columns"),
    ({"runtime/leat/task.hpp": "#pragma once\n"}, "SPDX"),
    ({"scripts/run": "#!/bin/sh\necho\n"}, "SPDX"),
    ({"runtime/leat/task.hpp": SPDX}, "#pragma once"),
    ({"runtime/leat/task.hpp": HEADER + "int x;"}, "ends with a newline"),
    (added("runtime/leat/check.cpp", BODY), "a function of 71 lines"),
    (added("runtime/leat/check.cpp", "namespace leat {\nclass a {\n" + BODY + "};\n}"), "of 71 lines"),
    (added("runtime/leat/check.cpp", "struct a make(int b)\n" + BODY[8:]), "a function of 71 lines"),
    ({"scripts/a.py": MESON + "def f():\n" + "    x\n" * 70}, "a function of 71 lines"),
    (added("runtime/leat/task.hpp", "int m_size;"), "m_"),
    (added("runtime/leat/task.hpp", "struct chunk_t {};"), "_t belong"),
    (added("runtime/leat/task.hpp", "using chunk_t = int;"), "_t belong"),
    (added("runtime/leat/task.hpp", "typedef int chunk_t;"), "_t belong"),
    (added("runtime/leat/task.hpp", "class TaskImpl;"), "say what it does"),
    (added("runtime/leat/task.hpp", "struct task_impl;"), "say what it does"),
    (added("net/leat/tcp.hpp", "struct socket_manager;"), "say what it does"),
    (added("net/leat/tcp.hpp", "namespace util {}"), "say what it does"),
    ({"net/leat/tcp_helper.hpp": HEADER}, "named after the noun"),
    ({"net/leat/TcpStream.hpp": HEADER}, "snake_case"),
    (added("net/leat/tcp.hpp", 'inline void f() { std::printf("x"); }'), "does not print"),
    (added("net/leat/tcp.hpp", "inline void f() { std::cerr << 1; }"), "does not print"),
    ({"tests/a_test.cpp": SPDX + "void f() { std::this_thread::sleep_for(1s); }\n"}, "does not sleep"),
    (added("net/leat/tcp.hpp", "void await_suspend(int waiter) noexcept {}"), "from awaiter_of"),
    (added("runtime/leat/task.hpp", "#define LEAT_TWICE 2"), "no macros"),
    (added("runtime/leat/task.hpp", "using namespace std;"), "no using-directive"),
    (added("docs/guide.md", "TODO" + "(now): write it"), "what must be done now"),
    (added("docs/guide.md", "cd /ho" + "me/someone/leat"), "a path of one machine"),
    (added("scripts/run", "curl https://ftp.debian" + ".org/x"), "package registry"),
    (added("docs/guide.md", "In the next ses" + "sion we add DNS."), "text speaks of the code"),
    (added("scripts/run", "true "), "no blanks at the end"),
    (added("runtime/leat/task.hpp", "\tint x;"), "no tabs"),
    (added("runtime/leat/check.hpp", "#include <leat/task.hpp>"), "is above this file"),
    (added("runtime/leat/task.hpp", "#include <leat/tcp.hpp>"), "is above this file"),
    (added("runtime/leat/task.hpp", "#include <leat/tsak.hpp>"), "does not exist"),
    (added("runtime/leat/task.hpp", "#include <sys/epoll.h>"), "the kernel's event interfaces"),
    (added("net/leat/tcp.hpp", "#include <liburing.h>"), "the kernel's event interfaces"),
    (added("net/leat/tcp.hpp", "#include <leat/backends/epoll.hpp>"), "a concrete backend"),
    (added("net/leat/tcp.hpp", "#include <leat/backends/choose.hpp>"), "choosing a backend"),
    (added("net/leat/tcp.hpp", "#include <openssl/ssl.h>"), "OpenSSL"),
    (added("net/leat/tcp.hpp", "#include <ares.h>"), "c-ares"),
    (added("net/leat/tcp.hpp", "#include <nghttp2/nghttp2.h>"), "nghttp2"),
    (added("net/leat/tcp.hpp", "#include <llhttp.h>"), "an HTTP parser"),
    (added("net/leat/tcp.hpp", "#include <zlib.h>"), "a content coding"),
    (added("net/leat/tcp.hpp", "#include <libpsl.h>"), "public suffixes"),
    (added("net/leat/tcp.hpp", "#include <fmt/core.h>"), "libraries of the programs"),
    (added("net/leat/tcp.hpp", '#include "endpoint.hpp"'), "include from a root"),
    (added("examples/echo.cpp", "#include <leat/core/private.hpp>"), "what is internal may be included"),
    (added("bench/echo.cpp", "#include <leat/http/core/parser.hpp>"), "what is internal may be included"),
    (added("runtime/leat/core/private.hpp", "#include <leat/sync/event.hpp>"), "does not exist"),
    ({"runtime/leat/sync/event.hpp": HEADER,
      **added("runtime/leat/core/private.hpp", "#include <leat/sync/event.hpp>")}, "is above this file"),
    (added("runtime/leat/core/wait.hpp", "#include <leat/core/private.hpp>"), "is above this file"),
    ({"runtime/leat/check.cpp": SPDX + "#include <vector>\n#include <leat/check.hpp>\n"},
     "its own header first"),
    ({"runtime/leat/lost.cpp": SPDX}, "is not listed in any meson.build"),
    ({"examples/lost.cpp": SPDX}, "is not listed in any meson.build"),
    (added("net/meson.build", "    'b.cpp',\n    'a.cpp',"), "lists of files are sorted"),
    (added("net/meson.build", "    'a.cpp',\n    'a.cpp',"), "lists of files are sorted"),
    (added("runtime/leat/task.hpp", "#include <leat/core/private.hpp>"), "is not installed"),
    ({"runtime/leat/sync/event.hpp": HEADER}, "a public header is installed"),
    (added("runtime/leat/core/private.hpp", "namespace leat {\nstruct c {\n};\n}"),
     "struct c: what core/ declares"),
    (added("runtime/leat/core/private.hpp", "namespace leat::http {\nint f(int x);\n}"),
     "int f(int x): what core/ declares"),
    ({"runtime/leat/core/scheduler.hpp": HEADER + "namespace leat::detail {\nstruct c {};\n}\n"},
     "take it off OUTSIDE_DETAIL"),
    ({"runtime/leat/a.hpp": HEADER + "#include <leat/b.hpp>\n",
      "runtime/leat/b.hpp": HEADER + "#include <leat/a.hpp>\n"}, "an include cycle"),
    (added("README.md", "```cpp\nint other();\n```"), "neither a whole program nor"),
    (added("examples/echo.cpp", "// README: begin\nint later();\n// README: end"), "differs from the part"),
    (added("docs/guide.md", "```cpp\nint other();\n```"), "neither a whole program nor"),
    (added("docs/guide.md", "```cpp\nint echo();\n// ...\nint other();\n```"), "neither a whole program nor"),
    (added("docs/tls.md", "```cpp\nint echo();\n```"), "neither a whole program nor"),
    (added("docs/guide.md", "```cpp\nint main() { return 1; }\n```"), "neither a whole program nor"),
    (added("tests/net/tcp_test.cpp", "// GUIDE: begin\nint later();\n// GUIDE: end"),
     "differs from the part"),
    (added("docs/guide.md", "see `<leat/core/private.hpp>`"), "is internal: pages show public headers"),
    (added("docs/guide.md", "see `<leat/tsak.hpp>`"), "<leat/tsak.hpp> does not exist"),
    (added("CHANGELOG.md", "and\n* `a::b`: one thing that is new for users"), "says again what line 1 says"),
    (added("CHANGELOG.md", "* `a::b`: another"), "says again what line 1 says"),
    ({"docs/architecture.md": "| a line of a table | with words |\n" * 2}, "says again what line 1 says"),
    ({"docs/headers.md": "# Public headers\n"}, "differs from what the headers say"),
    ({"runtime/leat/task.hpp": SPDX + "#pragma once\n"}, "opens with a comment that says what it gives"),
    (added("docs/guide.md", "see docs/missing.md"), "does not exist in this tree"),
    (added("docs/guide.md", "see ../../elsewhere.md"), "does not exist in this tree"),
    (added("docs/guide.md", "| a | b | - |"), "of a test"),
    (added("docs/guide.md", "| a | b | net/ |"), "of a test"),
    (added("docs/guide.md", '| a | b | `task_test`: "a task" and others |'), "of a test"),
    (added("docs/guide.md", "| a | b | `meson.build` |"), "there is no test meson.build"),
    (added("docs/guide.md", '| a | b | `lost_test`: "a task" |'), "there is no test lost_test"),
    (added("docs/guide.md", "| a | b | `examples/lost_test.py` |"), "there is no test examples/lost_test"),
    (added("docs/guide.md", "| a | b | `task_test` |"), 'task_test.cpp has no test case ""'),
    (added("docs/guide.md", '| a | b | `task_test`: "gone" |'), 'has no test case "gone"'),
    (added("docs/guide.md", '| a | b | `task_test`: "a task"; `net/tcp_test`: "a long" |'),
     'net/tcp_test.cpp has no test case "a long"'),
]


def found_in(files):
    tree = {path: Source(path, text) for path, text in files.items()}
    return [": ".join(map(str, hit)) for hit in (*tidy.violations(tree), *headers.differences(tree))]


def run():
    failures = [f"the clean tree is not clean: {hit}" for hit in found_in(CLEAN)]
    reported = []
    for files, rule in PLANTS:
        hits = found_in({**CLEAN, **files})
        reported += hits
        if not any(rule in hit for hit in hits):
            failures.append(f"not found: {rule!r} planted in {', '.join(files)}; found {hits}")
    for rule in [row[0] for row in tidy.BANNED_CODE + tidy.BANNED_TEXT + tidy.CONTAINED]:
        if not any(rule in hit for hit in reported):
            failures.append(f"no plant for the rule {rule!r}")
    idle = " ".join(rule for *_, rule in tidy.idle_patterns({"README.md": None}))
    if "pattern runtime/leat/sync/* matches no file" not in idle or "README.md" in idle:
        failures.append(f"patterns that match no file are not told: {idle}")
    for failure in failures:
        print(failure)
    print(f"tidy: {len(PLANTS)} plants, {len(failures)} failures")
    return 1 if failures else 0
