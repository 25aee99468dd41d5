#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every awaitable that users get is in the list of those that can be tasks of their own.

    every_awaitable_test.py SOURCE_FOLDER
"""

import re
import sys
import unittest
from pathlib import Path

ROOT = Path(sys.argv[1])
LIST = ROOT / "tests/net/any_awaitable_test.cpp"

# What only the library itself awaits, and the bases of others.
OURS = {
    "accept_awaiter", "connect_awaiter", "copy_awaiter", "end_awaiter", "final_awaiter",
    "group_body_awaiter", "io_awaiter", "lease_awaiter", "nested_awaiter", "leaf_awaiter", "share_awaiter",
    "socket_awaiter", "value_awaiter",
}


def declared():
    """The names of the awaiters in the headers."""
    names = set()
    for folder in ("runtime", "net", "testing"):
        for header in sorted((ROOT / folder).rglob("*.hpp")):
            for line in header.read_text().splitlines():
                if re.match(r"\s*(class|struct)\b", line):
                    names.update(re.findall(r"\b\w+_awaiter\b", line.split(" : ")[0]))
    return names


class every_awaitable_test(unittest.TestCase):
    def test_each_awaiter_is_in_the_list(self):
        listed = set(re.findall(r"\b\w+_awaiter\b", LIST.read_text()))
        self.assertLess({"recv_awaiter", "sleep_awaiter", "timeout_awaiter"}, declared())
        self.assertEqual(declared() - listed - OURS, set())


unittest.main(argv=sys.argv[:1])
