#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a C++ source of a page, with a policy that lets its own script and style run and nothing else, no
script that a URL or a server might have brought in.

    embed_page.py PAGE OUTPUT
"""
import base64
import hashlib
import re
import sys
from pathlib import Path


def sources(page, tag):
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in found]
    return " ".join(f"'sha256-{each}'" for each in hashes)


def main():
    page = Path(sys.argv[1]).read_text()
    # Styles of single elements are set by the script, which a policy of styles does not concern.
    policy = f"default-src 'none'; script-src {sources(page, 'script')}; style-src {sources(page, 'style')}"
    text = page.replace("@POLICY@", policy).encode()
    numbers = ",".join(str(byte - 256 if byte > 127 else byte) for byte in text)
    lines = re.sub(r"(.{1,100}),", r"\1,\n", numbers)
    Path(sys.argv[2]).write_text(f"""#include <fetch/views/report_page.hpp>

namespace fetch {{
namespace {{
constexpr char bytes_of_page[] = {{
{lines}}};
}}
std::string_view report_page() noexcept {{
    return {{bytes_of_page, sizeof bytes_of_page}};
}}
}}
""")


if __name__ == "__main__":
    main()
