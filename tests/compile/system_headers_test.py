#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What public headers bring into a program beside leat: few headers of the system, which take few names.

    system_headers_test.py SOURCE_FOLDER COMPILER...
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, COMPILER = Path(sys.argv[1]), sys.argv[2:]
FOLDERS = ("runtime", "net", "testing")

# The headers of the system whose types or numbers a public header needs. libstdc++ has others of its own:
# since C++20 its <memory> and <atomic> bring <unistd.h>.
NEEDED = {"netinet/in.h", "signal.h", "sys/socket.h", "sys/types.h", "sys/uio.h", "sys/un.h"}

FRAMEWORK = "doctest/doctest.h"  # of <leat/testing/doctest.hpp>

# Names of headers that were once among them, and of the libraries that leat stands on.
TAKEN = """
struct tcphdr { int mine; };
struct tcp_info { int mine; };
struct pollfd { int mine; };
struct epoll_event { int mine; };
struct signalfd_siginfo { int mine; };
struct io_uring { int mine; };
struct ares_channeldata { int mine; };
struct ssl_st { int mine; };
struct z_stream_s { int mine; };
enum states { TCP_ESTABLISHED, POLLIN, EPOLLIN, TCP_NODELAY };
int epoll_wait, poll, signalfd, SSL_read, inflate;
"""
# Functions of <unistd.h> leave room for types of their names: with the word struct, or in a namespace.
SHARED = """
struct link { struct link* next; };
namespace shop {
struct link { link* next; };
enum class access { read, write };
int read, write, pause, pipe, link_count;
inline link first{};
}
struct link first{};
int main() { return shop::first.next == nullptr && first.next == nullptr ? 0 : 1; }
"""

sys.path.insert(0, str(ROOT / "scripts"))
from headers import is_public  # noqa: E402


def public_headers():
    paths = (path.relative_to(ROOT) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.hpp")))
    return [str(path) for path in paths if is_public(str(path))]


def of_the_tree(name):
    """The header that <name> is, if it is one of leat's."""
    return next((ROOT / folder / name for folder in FOLDERS if (ROOT / folder / name).exists()), None)


def reachable(start):
    """Each header of leat's that `start` includes in the end, with the headers of others in it."""
    others, waiting = {}, list(start)
    while waiting:
        header = waiting.pop()
        if header not in others:
            names = re.findall(r"^#include [<\"](.+)[>\"]", header.read_text(), re.MULTILINE)
            ours = [of_the_tree(name) for name in names]
            waiting += filter(None, ours)
            others[header] = [name for name, own in zip(names, ours) if own is None]
    return others


class system_headers_test(unittest.TestCase):
    def test_public_headers_include_few_of_the_system(self):
        found = reachable(ROOT / path for path in public_headers())
        self.assertGreater(len(found), len(public_headers()))
        unexpected = [f"{header.relative_to(ROOT)}: <{name}>" for header, names in sorted(found.items())
                      for name in names if name.endswith(".h") and name not in NEEDED | {FRAMEWORK}]
        self.assertEqual(unexpected, [])

    def test_a_program_may_have_names_that_the_system_has(self):
        # That of a test framework brings what the framework wants.
        headers = [re.sub("^[a-z]+/", "", path) for path in public_headers()
                   if not path.endswith("doctest.hpp")]
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program.cpp"
            program.write_text("".join(f"#include <{name}>\n" for name in headers) + TAKEN + SHARED)
            paths = [f"-I{ROOT / each}" for each in FOLDERS]
            done = subprocess.run([*COMPILER, "-std=c++20", "-fsyntax-only", *paths, str(program)], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


unittest.main(argv=sys.argv[:1])
