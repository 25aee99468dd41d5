#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/units.py: which test files may be compiled as one."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import units  # noqa: E402


class Units(unittest.TestCase):
    def units(self, *texts, size=8):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, text in enumerate(texts):
                path = Path(folder) / f"{number}_test.cpp"
                path.write_text(text)
                files.append(units.test_file(path))
            return [[int(each.path.name.split("_")[0]) for each in unit]
                    for unit in units.units_of(files, size)]

    def test_files_without_a_common_name_share_a_unit_up_to_its_size(self):
        texts = ["int one() {\n}\n", "int two() {\n}\n", "constexpr int three = 3;\n"]
        self.assertEqual(self.units(*texts), [[0, 1, 2]])
        self.assertEqual(self.units(*texts, size=2), [[0, 1], [2]])

    def test_a_name_that_is_declared_twice_parts_them(self):
        for declared in ("task<> ask(int who) {\n", "struct ask {\n", "using ask = int;\n",
                         "constexpr std::array<int, 2> ask{1, 2};\n", "#define ask 1\n",
                         "std::vector<int> ask;\n"):
            self.assertEqual(self.units(declared, "int ask() {\n}\n"), [[0], [1]], declared)

    def test_a_name_of_one_that_the_other_only_uses_parts_them(self):
        self.assertEqual(self.units("int ask() {\n}\n", "TEST_CASE(\"x\") {\n    ask(1);\n}\n"), [[0], [1]])

    def test_members_qualified_names_texts_and_comments_part_nobody(self):
        other = "TEST_CASE(\"ask\") {\n    x.ask(leat::ask, y->ask);  // ask\n}\n"
        self.assertEqual(self.units("int ask() {\n}\n", other), [[0, 1]])

    def test_one_word_for_two_names_parts_them_and_for_the_same_name_does_not(self):
        one, other = "using a::name;\n", "using b::name;\n"
        self.assertEqual(self.units(one, other, one), [[0, 2], [1]])

    def test_files_that_open_other_namespaces_are_apart(self):
        opens = "using namespace a;\n"
        self.assertEqual(self.units(opens, "int x;\n", opens), [[0, 2], [1]])
        self.assertEqual(self.units("using namespace std::literals;\n", "int x;\n"), [[0, 1]])


if __name__ == "__main__":
    unittest.main()
