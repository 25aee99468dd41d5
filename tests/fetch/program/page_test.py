# SPDX-License-Identifier: MIT
"""What docs/fetch.md shows in its blocks called `console` is what these commands print, with blanks for tabs.
Its hosts are an origin that leat-fetch takes for a proxy. In brackets is an exit status that is not 0. Tests
that the page names are there."""
import os
import re
import subprocess
import tempfile
from pathlib import Path

from fetching import program
from origins import body_of, handler, site, tag_of
from programs import expect, patience

project = Path(__file__).resolve().parent.parent.parent.parent
page = (project / "docs/fetch.md").read_text()


def answer(asked):
    name = asked.path.rsplit("/", 1)[1]
    sizes = {"a.iso": 60000, "b.iso": 20000, "c.iso": 10, "cut.iso": 60000}
    if name == "moved":
        asked.reply(302, b"", ("Location", "http://files.example/a.iso"))
    elif name not in sizes:
        asked.send_response(404, "Not Found")
        asked.send_header("Content-Length", "0")
        asked.end_headers()
    elif asked.command == "HEAD":
        asked.begin(200, sizes[name], ("Content-Type", "application/x-iso"), ("ETag", f'"{name[0]}"'))
    elif name == "cut.iso" and not asked.headers["Range"]:
        body = body_of(name, sizes[name])
        asked.begin(200, len(body), ("ETag", tag_of(body)))
        asked.wfile.write(body[:30000])
        asked.close_connection = True
    else:
        asked.serve(body_of(name, sizes[name]))


def do_HEAD(asked):
    asked.server.note(asked)
    asked.server.answer(asked)


def commands_of_page():
    """(command, what it prints)"""
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, lines = part.partition("\n")
            yield command, lines


def without_times(text):
    return re.sub(r" in \d+\.\d+ s", " in some time", text)


def run_in(folder, command, environment):
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=patience)
    return done.stdout.expandtabs() + (f"[{done.returncode}]\n" if done.returncode else "")


def main():
    handler.do_HEAD = do_HEAD
    origin = site(answer)
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "http_proxy": origin.url}
    commands = list(commands_of_page())
    expect(len(commands) > 10, "the page has commands")
    with tempfile.TemporaryDirectory() as folder:
        for command, shown in commands:
            printed = run_in(folder, command, environment)
            # What runs at once may end in another order.
            expect(sorted(without_times(printed).splitlines()) == sorted(without_times(shown).splitlines()),
                   f"{command}\nprints\n{printed}\nthe page says\n{shown}")
    named = re.findall(r"`([a-z]+/\w+\.(?:py|cpp))` \|$", page, re.M)
    missing = [name for name in named if not (project / "tests/fetch" / name).is_file()]
    expect(len(named) > 10 and not missing, f"tests that are not there: {missing}")


main()
