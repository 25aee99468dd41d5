# SPDX-License-Identifier: MIT
"""What tidy.py checks in pages: code, the headers and tests that they name, links, and lines that repeat."""

import os
import re

from headers import is_public
from tidy_source import file_of, matches

# The C++ of these pages is what stands between `// MARK: begin` and `// MARK: end` in an example or a test. A
# whole program of one of WHOLE is built by the install test instead. One of SHOWS_EXAMPLES may
# show lines of an example program as well; a line `// ...` stands for those that are left out.
MARKS = {"README.md": "README", "docs/blocking.md": "BLOCKING", "docs/daemons.md": "DAEMONS",
         "docs/files.md": "FILES", "docs/framing.md": "FRAMING",
         "docs/guide.md": "GUIDE", "docs/http.md": "HTTP", "docs/processes.md": "PROCESSES",
         "docs/sites.md": "SITES", "docs/sockets.md": "SOCKETS", "docs/tasks.md": "TASKS",
         "docs/test-kit.md": "TEST_KIT", "docs/threads.md": "THREADS",
         "docs/tls.md": "TLS", "docs/websocket.md": "WEBSOCKET"}
WHOLE = ["README.md"]
SHOWS_EXAMPLES = ["docs/blocking.md", "docs/guide.md"]

# In a table whose last column has this title each row names the tests that show it: `FILE`: "TITLE", or a
# script alone. FILE stands for one of SHOWING. A row whose claim begins with one of CLAIMS_NOTHING may have
# none, and says "-".
SHOWN_BY = "shown by"
CLAIMS_NOTHING = ("-", "missing")
SHOWN = r'`([\w/.]+)`(?:: "([^"]*)")?'
SHOWING = ["tests/runtime/{}.cpp", "tests/{}.cpp", "tests/{}"]

# No line of substance stands twice in these.
REPEATS_NOTHING = ["CHANGELOG.md", "docs/architecture.md"]


def marked_parts(tree, mark):
    """The lines between `// MARK: begin` and `// MARK: end` of the examples and the tests."""
    for source in tree.values():
        if source.path.startswith(("examples/", "tests/")):
            for part in re.findall(rf"// {mark}: begin\n(.*?)\n *// {mark}: end", source.text, re.DOTALL):
                yield source.path, part


def is_of_an_example(block, tree):
    """Whether these are lines of one example program."""
    parts = re.split(r"^ *// \.\.\.$", block, flags=re.M)
    shown = re.compile(".*?".join(re.escape(part.strip("\n")) for part in parts), re.DOTALL)
    return any(shown.search(other.text) for other in tree.values() if other.path.startswith("examples/"))


def check_page_code(source, tree):
    """Each C++ block is a marked part, lines of an example, or a whole program that is built by a test."""
    mark = MARKS.get(source.path)
    if mark is None:
        return
    blocks = [(source.text[: found.start()].count("\n") + 1, found[1])
              for found in re.finditer(r"```cpp\n(.*?)\n```", source.text, re.DOTALL)]
    parts = list(marked_parts(tree, mark))
    for number, block in blocks:
        whole = source.path in WHOLE and "int main(" in block
        if source.path in SHOWS_EXAMPLES and is_of_an_example(block, tree):
            continue
        if not whole and all(part not in block for _, part in parts):
            yield number, "code that is neither a whole program nor a marked part of an example or a test"
    for path, part in parts:
        if all(part not in block for _, block in blocks):
            yield 1, f"differs from the part of {path} that is marked // {mark}: begin"


def check_links(source, tree):
    """A page that is named exists."""
    if source.language not in ("markdown", "cpp", "python", "shell", "build"):
        return
    for number, line in enumerate(source.lines, 1):
        for name in re.findall(r"(?<![\w/.:*])((?:\.\./|\./)*[\w/-]+\.md)\b", line):
            beside = os.path.normpath(os.path.join(os.path.dirname(source.path), name))
            if beside not in tree and os.path.normpath(name) not in tree:
                yield number, f"{name} does not exist in this tree"


def check_shown(source, tree):
    """Each row of a table of claims names a test that exists."""
    inside = False
    for number, line in enumerate(source.lines if source.language == "markdown" else (), 1):
        cells = [cell.strip() for cell in line.strip("| ").split("|")] if line.startswith("|") else [""]
        inside = cells[-1] == SHOWN_BY or (inside and line.startswith("|"))
        if not inside or cells[-1] == SHOWN_BY or set(line) <= set("|-: "):
            continue
        if cells[-1] == "-" and any(cell.startswith(CLAIMS_NOTHING) for cell in cells[1:-1]):
            continue
        named = re.findall(SHOWN, cells[-1])
        if not named or re.sub(SHOWN, "", cells[-1]).strip("; "):
            yield number, f'"{cells[-1]}" is not `FILE`: "TITLE" of a test'
        for name, title in named:
            path = next((form.format(name) for form in SHOWING if form.format(name) in tree), None)
            if path is None or not path.endswith(("_test.cpp", "_test.py")):
                yield number, f"there is no test {name}"
            elif path.endswith(".cpp") and title not in tree[path].test_cases:
                yield number, f'{path} has no test case "{title}"'


def check_page_includes(source, tree):
    """A page names headers that are there, and that users may include."""
    for number, line in enumerate(source.lines if source.language == "markdown" else (), 1):
        for name in re.findall(r"<(leat/[\w/]+\.hpp)>", line):
            target = file_of(name, tree)
            if target is None:
                yield number, f"<{name}> does not exist"
            elif not is_public(target):
                yield number, f"<{name}> is internal: pages show public headers"


def check_repeats(source, tree):
    """No line stands twice in a page, and no two points of a list begin alike."""
    if not matches(source.path, REPEATS_NOTHING):
        return
    seen = {}
    for number, line in enumerate(source.lines, 1):
        point = re.match(r"\* ([^:]+(?:::[^:]+)*): ", line)
        for text in {line.strip("*|- "), *(point.groups() if point else ())}:
            if len(text) >= 30 or point:
                if seen.setdefault(text, number) != number:
                    yield number, f"says again what line {seen[text]} says"


CHECKS = [check_page_code, check_page_includes, check_repeats, check_links, check_shown]
