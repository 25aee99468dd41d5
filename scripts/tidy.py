#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of this code base as a test: prints `FILE:LINE: RULE` for each violation and exits 1.

    scripts/tidy.py [PATH...]     checks the tree, or shows only what concerns these files and folders
    scripts/tidy.py --tracked     leaves out files git does not know yet
    scripts/tidy.py --headers     compiles each header alone, too (slow)
    scripts/tidy.py --self-test   plants violations and proves that each is found
"""

import argparse
import concurrent.futures
import fnmatch
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tidy_source import read_tree

ROOT = Path(__file__).resolve().parent.parent

# ---- the rules, as data -------------------------------------------------------------------------

LINE_LENGTH = 110
FILE_LINES = 400
FUNCTION_LINES = 70
PAGE_LINES = {"README.md": 120, "docs/hacking.md": 120, "docs/architecture.md": 300, "docs/decisions/*": 60}

# Who may include whom: a file includes only what is on its own level or below. The first pattern that
# matches counts.
LEVELS = [
    (0, "runtime/leat/{bytes,cancel_reason,check,result,fd,list,clock,json_text,reference}.*"),
    (0, "runtime/leat/{standard_streams,thread_signals}.*"),
    (1, "runtime/leat/{operation,descriptor_owner,timers,chunk,returned_bytes,wait}.*"),
    (1, "runtime/leat/backends/backend.hpp"),
    (2, "runtime/leat/backends/*"),
    (3, "runtime/leat/{scheduler,inbox,frame,frame_pool,task_state,scope_node,group_scope,outcome}.*"),
    (3, "runtime/leat/{scheduler_looking,watch_thread,frame_upkeep,bystander,bystanders}.*"),
    (3, "runtime/leat/{awaited,bindings,error_text,ticks,dump,dump_*,counters,counting_backend,observer}.*"),
    (4, "runtime/leat/*"),
    (5, "net/leat/{address,endpoint,number,socket,socket_opening,socket_stream,unix_endpoint}.*"),
    (7, "net/leat/tls/connect.cpp"),
    (6, "net/leat/{tcp,udp,unix,tls,any_stream,copy}.*"),
    (6, "net/leat/{dns,tls}/*"),
    (7, "net/leat/{connect,framing,http,serve}.*"),
    (7, "net/leat/{framing,http}/*"),
    (8, "net/leat/*"),
    (9, "testing/*"),
]

# Only these files may include these headers.
CONTAINED = [
    ("the kernel's event interfaces", r"sys/epoll\.h|liburing(/.*)?\.h|linux/io_uring\.h",
     ["runtime/leat/backends/*", "bench/*", "tests/*"]),
    ("a concrete backend", r"leat/backends/(?!backend\.hpp|choose\.hpp)",
     ["runtime/leat/backends/*", "tests/*", "testing/*"]),
    ("choosing a backend", r"leat/backends/choose\.hpp",
     ["runtime/leat/backends/*", "runtime/leat/run.*", "tests/*", "testing/*"]),
    ("OpenSSL", r"openssl/", ["net/leat/tls/*.cpp", "testing/*.cpp", "tests/*", "bench/*"]),
    ("c-ares", r"ares", ["net/leat/dns/*.cpp", "tests/*", "bench/*"]),
    ("an HTTP parser", r"llhttp\.h|http_parser\.h", ["net/leat/http/*.cpp", "tests/*", "bench/*"]),
    ("a content coding", r"zlib\.h|brotli/", ["net/leat/http/*.cpp", "tests/*", "bench/*", "examples/*"]),
    ("libraries of the examples", r"CLI/|fmt/|nlohmann/", ["examples/*", "bench/*", "tests/*"]),
]

# What programs that use the library may include of it.
FACES = ["runtime", "threads", "fd", "from_callback", "pipe", "process", "net", "tls", "http",
         "http/serve_tls", "framing", "testing/certificates", "testing/check_stream",
         "testing/counted_memory", "testing/doctest",
         "testing/idle", "testing/leaks", "testing/memory_stream", "testing/scripted_stream",
         "testing/simulate", "testing/simulation", "testing/stream_pair", "testing/suspends"]
FACE_USERS = ["examples/*", "bench/*", "README.md"]

# (rule, where, pattern in code): comments and literals do not count here.
BANNED_CODE = [
    ("private members end in _, they do not begin with m_", ["*"], r"(?<!\.)\bm_\w+"),  # but doctest's do
    ("names ending in _t belong to the C library",
     ["*"], r"\b(?:using|struct|class|enum|union|concept)\s+(?:class\s+)?\w+_t\s*(?:[={]|: )"),
    ("names ending in _t belong to the C library", ["*"], r"\btypedef\b.*_t;"),
    ("say what it does: no Impl, Manager, Helper or util in a name",
     ["*"], r"\b(?:\w+_)?(?:impl|manager|helpers?|utils?)(?:_\w+)?\b|\w*(?:Impl|Manager|Helper|Util)\b"),
    ("the library does not print: hand a report to the caller",
     ["runtime/*", "net/*"], r"\bstd::(?:cout|cerr|clog)\b|\b(?:f|v|vf|d)?printf\(|\bputs\("),
    ("a test waits for events or moves virtual time, it does not sleep",
     ["tests/*.cpp", "testing/*"], r"\bsleep_for\b|\b(?:u|nano)sleep\(|(?<![\w.])::sleep\("),
    ("no macros in headers of the library", ["runtime/*.hpp", "net/*.hpp"], r"^\s*#\s*define\b"),
    ("no using-directive in a header", ["*.hpp"],  # but in what a macro puts into a function
     r"\busing\s+namespace\s+(?!std::(?:chrono_)?literals)(?!.*\\$)"),
]

# (rule, where, pattern in any line).
BANNED_TEXT = [
    ("what must be done now is done before it is committed", ["*"], r"\b(?:TODO\(now\)|FIXME|XXX\b)"),
    ("a path of one machine", ["*"], r"(?<![\w.}/])/(?:home|work|Users|root)/"),
    ("an address of a package registry: use what the machine is configured for",
     ["*"], r"//[\w.-]*(?:debian|pypi|npm|crates|rubygems|golang)[\w-]*\.(?:org|io|com)"),
    ("text speaks of the code as it is, not of how it was made",
     ["*"], r"(?i)\b(?:this|next|previous|earlier|later) session\b|\bas (?:requested|instructed)\b"),
    ("no tabs, no blanks at the end of a line",
     ["*.{cpp,hpp,c,h,py,md,build,txt}", "scripts/*"], r"\t|[ ]+$"),
]
DATA = ["tests/fuzz/corpus/*"]  # bytes that are as they are
TEXT_EXEMPT = ["scripts/tidy*.py", "LICENSE", "*.patch", *DATA]

# The C++ of these pages is what stands between `// MARK: begin` and `// MARK: end` in an example or a test.
MARKS = {"README.md": "README", "docs/guide.md": "GUIDE", "docs/http.md": "HTTP"}

# In a table whose last column has this title each row names the tests that show it: `FILE`: "TITLE", or a
# script alone. FILE stands for one of SHOWING. A row whose claim begins with one of CLAIMS_NOTHING may have
# none, and says "-".
SHOWN_BY = "shown by"
CLAIMS_NOTHING = ("-", "missing")
SHOWN = r'`([\w/.]+)`(?:: "([^"]*)")?'
SHOWING = ["tests/runtime/{}.cpp", "tests/{}.cpp", "tests/{}"]

LISTED_FOLDERS = ("runtime/", "net/", "testing/", "tests/", "examples/", "bench/")
UNLISTED = ["tests/install/*"]  # programs that other build systems compile
SPDX = re.compile(r"^(//|#|/\*) SPDX-License-Identifier: MIT")

# ---- the checks ---------------------------------------------------------------------------------


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, pattern) for wide in patterns for pattern in expand(wide))


def expand(pattern):
    """`a/{b,c}.*` as a/b.* and a/c.*."""
    found = re.match(r"(.*)\{(.*)\}(.*)", pattern)
    return [found[1] + word + found[3] for word in found[2].split(",")] if found else [pattern]


def level(path):
    return next((number for number, pattern in LEVELS if matches(path, [pattern])), None)


def file_of(name, tree):
    """The file that `#include <name>` means, when it is ours."""
    return next((f"{top}/{name}" for top in ("runtime", "net", "testing") if f"{top}/{name}" in tree), None)


def check_form(source, tree):
    limit = next((n for pattern, n in PAGE_LINES.items() if matches(source.path, [pattern])), FILE_LINES)
    counted = source.language != "other" and (source.language != "markdown" or limit != FILE_LINES)
    if counted and len(source.lines) > limit:
        yield limit + 1, f"{len(source.lines)} lines, at most {limit}"
    if source.language not in ("markdown", "other"):
        for number, line in enumerate(source.lines, 1):
            if len(line) > LINE_LENGTH and "://" not in line:
                yield number, f"{len(line)} columns, at most {LINE_LENGTH}"
        if source.text.strip() and not any(SPDX.match(line) for line in source.lines[:2]):
            yield 1, "begins with the SPDX-License-Identifier line"
    if source.is_header and "#pragma once" not in source.lines:
        yield 1, "a header says #pragma once"
    if source.text and not source.text.endswith("\n") and not matches(source.path, DATA):
        yield len(source.lines), "ends with a newline"
    for first, last in source.functions():
        if last - first + 1 > FUNCTION_LINES:
            yield first, f"a function of {last - first + 1} lines, at most {FUNCTION_LINES}"


def check_words(source, tree):
    if source.is_cpp:
        for number, line in enumerate(source.code, 1):
            for rule, where, pattern in BANNED_CODE:
                if line.lstrip().startswith("#include") or not matches(source.path, where):
                    continue
                if re.search(pattern, line):
                    yield number, rule
    if matches(source.path, TEXT_EXEMPT):
        return
    for rule, where, pattern in BANNED_TEXT:
        if matches(source.path, where):
            for number, line in enumerate(source.lines, 1):
                if re.search(pattern, line):
                    yield number, rule


def check_names(source, tree):
    stem = os.path.basename(source.path).split(".")[0]
    if source.is_cpp and re.search(r"(^|_)(impl|manager|helpers?|utils?|utilities|misc|common)(_|$)", stem):
        yield 1, "a file is named after the noun inside it"
    if source.is_cpp and not re.fullmatch(r"[a-z0-9_.]+", os.path.basename(source.path)):
        yield 1, "file names are snake_case"


def check_includes(source, tree):
    if not source.is_cpp:
        return
    own = level(source.path)
    for number, name, angled in source.includes:
        target = file_of(name, tree)
        for what, pattern, allowed in CONTAINED:
            if re.match(pattern, name) and not matches(source.path, allowed):
                yield number, f"<{name}>: {what} may be included only by {', '.join(allowed)}"
        if angled and name.startswith("leat/"):
            if target is None:
                yield number, f"<{name}> does not exist"
            elif own is not None and level(target) > own:
                yield number, f"<{name}> is above this file (level {level(target)} > {own})"
            if matches(source.path, FACE_USERS) and name not in [f"leat/{face}.hpp" for face in FACES]:
                yield number, f"<{name}>: programs include only the public faces"
        elif not angled and source.path.startswith(("runtime/", "net/")):
            yield number, f'"{name}": include from a root, with <>'


def check_own_header_first(source, tree):
    if not source.path.endswith(".cpp"):
        return
    own = source.path[:-4] + ".hpp"
    if own not in tree:
        return
    first = source.includes[0] if source.includes else (1, "", True)
    if not own.endswith("/" + first[1].removeprefix("./")):
        yield first[0], f"includes its own header first ({os.path.basename(own)})"


def check_listed(source, tree):
    if not source.path.endswith((".cpp", ".c")) or not source.path.startswith(LISTED_FOLDERS):
        return
    if matches(source.path, UNLISTED):
        return
    builds = [path for path in tree if os.path.basename(path) == "meson.build"]
    for path in builds:
        relative = os.path.relpath(source.path, os.path.dirname(path))
        names = "|".join(re.escape(name) for name in (relative, os.path.splitext(relative)[0]))
        if re.search(f"'(?:{names})'", tree[path].text):
            return
    if builds:
        yield 1, "is not listed in any meson.build"


def check_lists(source, tree):
    """File names that stand under each other, one a line, are in order and named once."""
    if os.path.basename(source.path) != "meson.build":
        return
    before = None
    for number, line in enumerate(source.lines, 1):
        named = re.fullmatch(r"\s+'([\w./]+\.[ch]pp)',", line)
        if named and before and named[1] <= before[1]:
            yield number, f"'{named[1]}' is named after '{before[1]}': lists of files are sorted"
        before = named


def installed_headers(tree):
    for top in ("runtime", "net", "testing"):
        build = tree.get(f"{top}/meson.build")
        if build:
            yield from (f"{top}/{name}" for name in re.findall(r"'(leat/[\w/]+\.hpp)'", build.text))


def check_installed(source, tree):
    """What an installed header includes is installed."""
    if not source.is_header or source.path not in set(installed_headers(tree)):
        return
    for number, name, _ in source.includes:
        target = file_of(name, tree)
        if target and target not in set(installed_headers(tree)):
            yield number, f"<{name}> is not installed: list it in {target.split('/')[0]}/meson.build"


def check_cycles(tree):
    graph = {path: [(number, file_of(name, tree)) for number, name, _ in source.includes]
             for path, source in tree.items() if source.is_header}
    done, stack = set(), []

    def visit(path):
        stack.append(path)
        for number, target in graph.get(path, []):
            if target in stack:
                yield path, number, "an include cycle: " + " -> ".join(stack[stack.index(target):] + [target])
            elif target and target not in done:
                yield from visit(target)
        done.add(stack.pop())

    for path in sorted(graph):
        if path not in done:
            yield from visit(path)


def marked_parts(tree, mark):
    """The lines between `// MARK: begin` and `// MARK: end` of the examples and the tests."""
    for source in tree.values():
        if source.path.startswith(("examples/", "tests/")):
            for part in re.findall(rf"// {mark}: begin\n(.*?)\n *// {mark}: end", source.text, re.DOTALL):
                yield source.path, part


def check_page_code(source, tree):
    """Each C++ block is a whole program (the install test builds the README's) or a marked part."""
    mark = MARKS.get(source.path)
    if mark is None:
        return
    blocks = [(source.text[: found.start()].count("\n") + 1, found[1])
              for found in re.finditer(r"```cpp\n(.*?)\n```", source.text, re.DOTALL)]
    parts = list(marked_parts(tree, mark))
    for number, block in blocks:
        if "int main(" not in block and all(part not in block for _, part in parts):
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


FILE_CHECKS = [check_form, check_words, check_names, check_includes, check_own_header_first, check_listed,
               check_lists, check_installed, check_page_code, check_links, check_shown]


def violations(tree):
    for source in tree.values():
        for check in FILE_CHECKS:
            exempt = check is check_links and matches(source.path, TEXT_EXEMPT)
            yield from () if exempt else ((source.path, *found) for found in check(source, tree))
    yield from check_cycles(tree)


def headers_alone(tree):
    """Compiles every header that no source file includes first."""
    compiler = shlex.split(os.environ.get("CXX", "clang++-19"))
    flags = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-pragma-once-outside-header"]
    roots = [f"-I{ROOT / top}" for top in ("runtime", "net", "testing")]
    alone = [path for path in tree if path.endswith(".hpp") and path.startswith(("runtime", "net", "testing"))
             and path[:-4] + ".cpp" not in tree]

    def compile_one(path):
        return path, subprocess.run([*compiler, *flags, *roots, "-x", "c++", str(ROOT / path)],
                                    capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, done in pool.map(compile_one, alone):
            if done.returncode:
                yield path, 1, "does not compile alone:\n" + done.stderr.strip()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("paths", nargs="*", metavar="PATH")
    arguments.add_argument("--tracked", action="store_true")
    arguments.add_argument("--headers", action="store_true")
    arguments.add_argument("--self-test", action="store_true")
    options = arguments.parse_args()
    if options.self_test:
        import tidy_plants
        return tidy_plants.run()
    tree = read_tree(ROOT, options.tracked)
    wanted = [os.path.relpath(os.path.abspath(path), ROOT) for path in options.paths]
    found = [*violations(tree), *(headers_alone(tree) if options.headers else ())]
    shown = sorted(hit for hit in found
                   if not wanted or any(hit[0] == path or hit[0].startswith(path + "/") for path in wanted))
    for path, number, rule in shown:
        print(f"{path}:{number}: {rule}")
    print(f"tidy: {len(tree)} files, {len(shown)} violations" if shown else f"tidy: {len(tree)} files, clean")
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
