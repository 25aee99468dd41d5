#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/headers.md: the public headers, what the opening comment of each says first, and its smallest example.

    scripts/headers.py             says whether the page is what the headers say (scripts/tidy.py does, too)
    scripts/headers.py --write     writes it
"""

import argparse
import os
import re
import sys
from pathlib import Path

from tidy_source import matches, read_tree

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/headers.md"
# What lies in these folders is the library's own. Every other header is public: users include it, and it is
# installed.
INTERNAL = ["*/core/*", "runtime/leat/backends/*"]
FACE = "The public face of "
ROOMS = {
    "runtime/leat": "Tasks, time, cancellation, and what everything stands on",
    "runtime/leat/sync": "Between the tasks of one scheduler",
    "runtime/leat/threads": "Between threads",
    "runtime/leat/fibre": "Blocking code in tasks",
    "runtime/leat/framing": "Lines and messages",
    "runtime/leat/system": "Processes, pipes, signals and files",
    "runtime/leat/observe": "Looking at a running program",
    "net/leat": "Sockets and servers",
    "net/leat/dns": "Names",
    "net/leat/tls": "TLS",
    "net/leat/http": "HTTP",
    "net/leat/websocket": "WebSocket",
    "testing/leat/testing": "For tests",
}
# The pages of docs/ that explain the headers of a room, task by task.
PAGES = {
    "Between threads": "threads",
    "Blocking code in tasks": "blocking",
    "Lines and messages": "framing",
    "Processes, pipes, signals and files": "processes files",
    "Sockets and servers": "sockets",
    "TLS": "tls",
    "HTTP": "http sites",
    "WebSocket": "websocket",
    "For tests": "test-kit",
}
BEGIN = """# Public headers

What programs may include, by folder. Each row is the opening comment of the header, shortened: the header
itself says when an operation completes, what must stay alive, and what a cancellation does. What lies in a
folder `core/`, or in `leat/backends/`, is the library's own: docs/decisions/0004-core-is-a-layer.md says why.
`scripts/headers.py --write` writes this page.
"""


def is_public(path):
    """Whether users include it."""
    return (path.endswith(".hpp") and path.startswith(("runtime/leat/", "net/leat/", "testing/leat/"))
            and not matches(path, INTERNAL))


def opening(source):
    """The lines of the comment that a header begins with, without `//`."""
    lines = []
    for line in source.lines[1:]:
        if not line.startswith("//"):
            break
        lines.append(line[2:].rstrip())
    return lines


def gives(lines):
    """The first sentence, without the name that it may begin with."""
    paragraph = []
    for line in lines:
        if not line.strip() or line.startswith("   "):
            break
        paragraph.append(line.strip())
    text = " ".join(paragraph)
    text = text.removeprefix(FACE)
    text = re.sub(r"^(?:[\w:<>(),]+ ){0,3}[\w:<>(),]+?: (?=\S+ \S)", "", text)
    text = re.split(r"(?<=\.) ", text)[0].rstrip(".:")
    code = re.match(r"\S*[_():.]", text)
    return text if code else text[:1].upper() + text[1:]


def example(lines):
    """The first statement of the indented lines."""
    taken, point = [], False
    for line in lines:
        point = line.startswith("   ") and (point or line.lstrip().startswith("*"))
        if not line.startswith("   ") or point or line.lstrip().startswith("//"):
            if taken:
                break
            continue
        code = re.sub(r"\s+// .*|\s{6,}\S.*", "", line.strip())  # a comment, a second column
        taken.append(code)
        text = " ".join(taken)
        balanced = all(text.count(a) == text.count(b) for a, b in ("()", "{}", "[]"))
        if balanced and text.endswith((";", "}")):
            return text
    return ""


def cell(text):
    return re.sub(r"<leat/[\w/]+\.hpp>", r"`\g<0>`", text).replace("|", "\\|")


def row(name, source):
    lines = opening(source)
    shown = example(lines)
    return f"| `<{name}>` | {cell(gives(lines))} | {f'`{cell(shown)}`' if shown else ''} |\n"


def page(tree):
    rooms = {title: [] for title in ("The faces: most programs include only these", *ROOMS.values())}
    faces = next(iter(rooms))
    for path in sorted(filter(is_public, tree)):
        is_face = " ".join(opening(tree[path])).strip().startswith(FACE)
        title = faces if is_face else ROOMS.get(os.path.dirname(path), os.path.dirname(path))
        rooms.setdefault(title, []).append(row(path.split("/", 1)[1], tree[path]))
    text = BEGIN
    for title, rows in rooms.items():
        if rows:
            text += f"\n## {title}\n\n"
            if title in PAGES:
                links = " and ".join(f"[{page}.md]({page}.md)" for page in PAGES[title].split())
                text += f"Explained in {links}.\n\n"
            text += f"| header | gives | smallest example |\n|---|---|---|\n{''.join(rows)}"
    return text


def differences(tree):
    """What is wrong, for scripts/tidy.py: (path, line, rule)."""
    for path in sorted(filter(is_public, tree)):
        if not gives(opening(tree[path])):
            yield path, 2, "a public header opens with a comment that says what it gives"
    now = tree[PAGE].text if PAGE in tree else ""
    wanted = page(tree).split("\n")
    if now.split("\n") != wanted:
        same = next((n for n, pair in enumerate(zip(now.split("\n"), wanted)) if pair[0] != pair[1]), 0)
        yield PAGE, same + 1, "differs from what the headers say: scripts/headers.py --write"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--write", action="store_true")
    options = arguments.parse_args()
    tree = read_tree(ROOT, False)
    if options.write:
        Path(ROOT, PAGE).write_text(page(tree))
        return 0
    found = list(differences(tree))
    for path, number, rule in found:
        print(f"{path}:{number}: {rule}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
