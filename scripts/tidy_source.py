# SPDX-License-Identifier: MIT
"""What tidy.py reads: the files of the tree, and a C++ file taken apart just far enough to check it."""

import fnmatch
import functools
import os
import re
import subprocess
from pathlib import Path

CPP_SUFFIXES = (".cpp", ".hpp", ".c", ".h")
BLANKED = re.compile(
    r'R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"'  # a raw string
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"  # not the separator of 1'000
    r"|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)
TEST_CASE = re.compile(
    r'\b(?:(?:[A-Z]+_)?TEST(?:_[A-Z]+)?|LEAT_SIMULATE)'
    r'\(\s*(?:\w+,\s*)?((?:"(?:\\.|[^"\\\n])*"\s*)+)'
)
FORWARD = re.compile(r"\s*(template\s*<.*>\s*)?(extern|class|struct|enum)\b[\w\s:]*$")
CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum|extern|export)\b")


class Source:
    """One file: its path from the root, its text, and what is derived from them."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")
        self.is_cpp = path.endswith(CPP_SUFFIXES)
        self.is_header = path.endswith((".hpp", ".h"))
        self.language = language_of(path, self.lines[0] if self.lines else "")

    @functools.cached_property
    def code(self):
        """The lines of a C++ file with comments and the insides of literals blanked."""
        blank = lambda found: re.sub(r"[^\n]", " ", found.group())
        return BLANKED.sub(blank, self.text).split("\n")[: len(self.lines)]

    @functools.cached_property
    def includes(self):
        """(line number, name, whether in angle brackets) of each #include."""
        pattern = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
        found = ((number, pattern.match(line)) for number, line in enumerate(self.lines, 1))
        return [(number, match.group(2), match.group(1) == "<") for number, match in found if match]

    @functools.cached_property
    def test_cases(self):
        """The titles of the test cases: the first string of TEST_CASE, LEAT_SIMULATE and their like."""
        code = "\n".join(self.code)
        return {"".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', found[1]))
                for found in TEST_CASE.finditer(self.text) if code[found.start()] != " "}

    def declared_outside(self, name):
        """(line, text) of what stands in a namespace, but in none with that name; not of what is only named
        there to be declared elsewhere."""
        namespaces, depth, head, start = [], 0, "", 1
        for number, line in enumerate(self.code, 1):
            for character in "" if line.lstrip().startswith("#") else line + " ":
                outermost = depth == len(namespaces)
                if not head.strip():
                    head, start = "", number
                if character in "{;" and outermost:
                    opened = re.search(r"\bnamespace\s+([\w:]+)\s*$", head) if character == "{" else None
                    if opened:
                        namespaces.append(opened[1])
                    elif namespaces and not any(name in path.split("::") for path in namespaces):
                        if head.strip() and not (character == ";" and FORWARD.match(head)):
                            yield start, " ".join(head.split())
                    head = ""
                elif outermost:
                    head += character
                depth += (character == "{") - (character == "}")
                if depth < len(namespaces):
                    namespaces.pop()
                if character == "}":
                    head = ""

    def functions(self):
        """(first line, last line) of every outermost block of code, from its brace to the closing one."""
        if self.language == "python":
            yield from python_functions(self.lines)
        if not self.is_cpp:
            return
        depth, container_depth, start, head = 0, 0, None, ""
        for number, line in enumerate(self.code, 1):
            if line.lstrip().startswith("#"):
                continue
            for character in line:
                if character == "{":
                    if start is None and depth == container_depth:
                        if CONTAINER.search(head) and not opens_function(head):
                            container_depth += 1
                        elif ")" in head:
                            start = number
                    depth += 1
                    head = ""
                elif character == "}":
                    depth -= 1
                    if depth < container_depth:
                        container_depth = depth
                    if start is not None and depth == container_depth:
                        yield start, number
                        start = None
                    head = ""
                elif character == ";":
                    head = ""
                else:
                    head += character
            head += " "


def opens_function(head):
    """Whether `head` { starts a function although it names a class, as in `struct a make(int b) {`."""
    after_key = re.sub(r"template\s*<.*?>\s*(?=\w|\[)|\balignas\s*\([^)]*\)|\brequires\b.*", " ", head)
    return ")" in after_key and not re.match(r"\s*(inline\s+)?(namespace|extern)\b", after_key)


def python_functions(lines):
    """(first line, last line) of every outermost `def`."""
    start = indent = last = None
    for number, line in enumerate([*lines, "end"], 1):
        if not line.strip():
            continue
        here = len(line) - len(line.lstrip())
        if start is not None and here <= indent and not line.lstrip().startswith(")"):
            yield start, last
            start = None
        if start is None and re.match(r"\s*(async )?def ", line):
            start, indent = number, here
        last = number


def language_of(path, first_line):
    name = os.path.basename(path)
    if path.endswith(CPP_SUFFIXES):
        return "cpp"
    if path.endswith(".py") or (first_line.startswith("#!") and "python" in first_line):
        return "python"
    if path.endswith(".sh") or (first_line.startswith("#!") and re.search(r"\b(ba)?sh\b", first_line)):
        return "shell"
    if name in ("meson.build", "meson_options.txt", "CMakeLists.txt") or path.endswith(".cmake"):
        return "build"
    return "markdown" if path.endswith(".md") else "other"


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, pattern) for wide in patterns for pattern in expand(wide))


def expand(pattern):
    """`a/{b,c}.*` as a/b.* and a/c.*."""
    found = re.match(r"(.*)\{(.*)\}(.*)", pattern)
    return [found[1] + word + found[3] for word in found[2].split(",")] if found else [pattern]


def file_of(name, tree):
    """The file that `#include <name>` means, when it is ours."""
    return next((f"{top}/{name}" for top in ("runtime", "net", "testing") if f"{top}/{name}" in tree), None)


def read_tree(root, tracked_only):
    """Every text file git knows of or would add (so nothing ignored), as {path: Source}."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached"]
    if not tracked_only:
        command += ["--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True)
    if listed.returncode == 0:
        paths = sorted(set(filter(None, listed.stdout.decode().split("\0"))))
    else:  # an exported tree without git
        files = (path.relative_to(root) for path in sorted(Path(root).rglob("*")) if path.is_file())
        paths = [str(path) for path in files if not re.match(r"(build[^/]*|\.git|subprojects)/", str(path))]
    tree = {}
    for path in paths:
        full = Path(root, path)
        if full.is_symlink() or not full.is_file():
            continue
        data = full.read_bytes()
        if b"\0" not in data:
            tree[path] = Source(path, data.decode("utf-8", "replace"))
    return tree
