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
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import headers
import tidy_pages
from headers import is_public
from tidy_source import expand, file_of, matches, read_tree

ROOT = Path(__file__).resolve().parent.parent

# ---- the rules, as data -------------------------------------------------------------------------

LINE_LENGTH = 110
FILE_LINES = 400
FUNCTION_LINES = 70
PAGE_LINES = {"README.md": 120, "docs/hacking.md": 120, "docs/architecture.md": 300, "docs/decisions/*": 60}

# Who may include whom: a file includes only what stands on its own line or above it. The longest pattern that
# matches counts. Folders, but for the ground, the contract of backends, and the faces.
LEVELS = [
    ["runtime/leat/{bytes,cancel_reason,check,chunk,clock,fd,outcome,result}.*",
     "runtime/leat/core/standard_streams.*"],
    ["runtime/leat/core/{backend,descriptor_owner,file_operation,list,operation,pushback,wait}.*"],
    ["runtime/leat/backends/*"],
    ["runtime/leat/core/*", "runtime/leat/observe/*", "runtime/leat/task.hpp"],
    ["runtime/leat/sync/*"],
    ["runtime/leat/*"],
    ["runtime/leat/fibre/*", "runtime/leat/framing/*", "runtime/leat/system/*", "runtime/leat/threads/*"],
    ["runtime/leat/{blocking,framing,runtime,threads}.hpp"],
    ["net/leat/core/*", "net/leat/{address,endpoint,unix_endpoint}.*"],
    ["net/leat/*"],  # dns/ and tls/ are on this level, too
    ["net/leat/http/*", "net/leat/http.hpp"],
    ["net/leat/websocket/*", "net/leat/websocket.hpp"],
    ["testing/*"],
]

# Only these files may include these headers.
CONTAINED = [
    ("the kernel's event interfaces", r"sys/epoll\.h|liburing(/.*)?\.h|linux/io_uring\.h",
     ["runtime/leat/backends/*", "runtime/leat/fibre/hooks/*", "bench/*", "examples/io_models/*", "tests/*"]),
    ("what is internal", r"leat/(.*/)?core/|leat/backends/", ["runtime/*", "net/*", "testing/*", "tests/*"]),
    ("a concrete backend", r"leat/backends/(?!choose\.hpp)",
     ["runtime/leat/backends/*", "tests/*", "testing/*"]),
    ("choosing a backend", r"leat/backends/choose\.hpp",
     ["runtime/leat/backends/*", "runtime/leat/run.*", "tests/*", "testing/*"]),
    ("OpenSSL", r"openssl/", ["net/leat/tls/*.cpp", "net/leat/websocket/core/*.cpp",
     "fetch/files/digest.cpp", "testing/*.cpp", "tests/*", "bench/*"]),
    ("c-ares", r"ares", ["net/leat/dns/core/*.cpp", "tests/*", "bench/*"]),
    ("an HTTP parser", r"llhttp\.h|http_parser\.h", ["net/leat/http/core/*.cpp", "tests/*", "bench/*"]),
    ("a content coding", r"zlib\.h|zstd\.h|brotli/", ["net/leat/http/core/*.cpp",
     "net/leat/websocket/core/*.cpp", "tests/*", "examples/*"]),
    ("public suffixes", r"libpsl\.h", ["net/leat/http/core/*.cpp"]),
    ("nghttp2", r"nghttp2/", ["net/leat/http/core/h2_*", "tests/*"]),
    ("libraries of the programs", r"CLI/|fmt/|nlohmann/|expat\.h", ["examples/*", "fetch/*", "tests/*"]),
]

# Headers of a core/ that declare something outside of a `detail` namespace: why, and which. One that no
# longer does is an error.
OUTSIDE_DETAIL = [
    ("users hold them by reference or by value, and include them through a public header",
     ["runtime/leat/core/{descriptor_owner,frame,inbox,scheduler,task_state}.hpp",
      "net/leat/core/socket.hpp"]),
    ("the contract of backends, whose namespace is leat",
     ["runtime/leat/core/{backend,file_operation,list,operation,timers,wait}.hpp"]),
]

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
    ("an awaiter has its await_suspend from awaiter_of",
     ["net/*", "testing/*", "runtime/leat/{sync,system,threads}/*", "runtime/leat/{io,sleep,task}.hpp"],
     r"\bawait_suspend\b"),
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

LISTED_FOLDERS = ("runtime/", "net/", "testing/", "fetch/", "tests/", "examples/", "bench/")
UNLISTED = ["tests/install/*"]  # programs that other build systems compile
SPDX = re.compile(r"^(//|#|/\*) SPDX-License-Identifier: MIT")

# ---- the checks ---------------------------------------------------------------------------------


def level(path):
    found = [(len(pattern), number) for number, patterns in enumerate(LEVELS) for wide in patterns
             for pattern in expand(wide) if matches(path, [pattern])]
    return max(found)[1] if found else None


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
        elif not angled and source.path.startswith(("runtime/", "net/")):
            yield number, f'"{name}": include from a root, with <>'


def check_own_header_first(source, tree):
    if not source.path.endswith(".cpp"):
        return
    own = source.path[:-4] + ".hpp"
    if own not in tree:
        return
    first = source.includes[0] if source.includes else (1, "", True)
    if not f"/{own}".endswith("/" + first[1].removeprefix("./")):
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
    """A public header is installed, and what an installed header includes is, too."""
    installed = set(installed_headers(tree)) if source.is_header else ()
    if is_public(source.path) and source.path not in installed:
        yield 1, "a public header is installed: list it in meson.build, or put it into core/"
    for number, name, _ in source.includes if source.path in installed else ():
        target = file_of(name, tree)
        if target and target not in installed:
            yield number, f"<{name}> is not installed: list it in {target.split('/')[0]}/meson.build"


def check_detail(source, tree):
    """What core/ declares is in a namespace `detail`."""
    if not source.is_header or not matches(source.path, ["runtime/*/core/*", "net/*/core/*"]):
        return
    outside = list(source.declared_outside("detail"))
    listed = matches(source.path, [pattern for _, patterns in OUTSIDE_DETAIL for pattern in patterns])
    if listed and not outside:
        yield 1, "declares nothing outside of `detail` any more: take it off OUTSIDE_DETAIL"
    for number, name in () if listed else outside:
        yield number, f"{name}: what core/ declares is in a namespace `detail`"


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


FILE_CHECKS = [check_form, check_words, check_names, check_includes, check_own_header_first, check_listed,
               check_lists, check_installed, check_detail, *tidy_pages.CHECKS]


def patterns():
    """Every pattern of the rules above."""
    lists = [*LEVELS, PAGE_LINES, headers.INTERNAL, tidy_pages.REPEATS_NOTHING, tidy_pages.MARKS, DATA,
             TEXT_EXEMPT, UNLISTED, [f"{folder}*" for folder in LISTED_FOLDERS],
             *(where for *_, where in CONTAINED + OUTSIDE_DETAIL),
             *(where for _, where, _ in BANNED_CODE + BANNED_TEXT)]
    return sorted({narrow for where in lists for wide in where for narrow in expand(wide)})


def idle_patterns(tree):
    """A rule for files that are gone holds nothing."""
    for pattern in patterns():
        if not any(matches(path, [pattern]) for path in tree):
            yield "scripts/tidy.py", 1, f"the pattern {pattern} matches no file"


def violations(tree):
    for source in tree.values():
        for check in FILE_CHECKS:
            exempt = check is tidy_pages.check_links and matches(source.path, TEXT_EXEMPT)
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
    found = [*violations(tree), *idle_patterns(tree), *headers.differences(tree),
             *(headers_alone(tree) if options.headers else ())]
    shown = sorted(hit for hit in found
                   if not wanted or any(hit[0] == path or hit[0].startswith(path + "/") for path in wanted))
    for path, number, rule in shown:
        print(f"{path}:{number}: {rule}")
    print(f"tidy: {len(tree)} files, {len(shown)} violations" if shown else f"tidy: {len(tree)} files, clean")
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
