# SPDX-License-Identifier: MIT
"""What the guide and the table of the examples tell a newcomer to type works, in the order of the page, and
prints what the page says. Ports are replaced by free ones."""
import ast
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from programs import expect, folder, patience

project = Path(__file__).resolve().parent.parent.parent
# Examples that are built only where a library is found.
optional = ["../fetch/leat-fetch", "fetch_libcurl", "old_server", "postgres", "redis_workers"]
# What a shell says of a job that it has started or that a signal has ended.
of_jobs = re.compile(r"\[\d+\].*|.*: line \d+: +\d+ (Terminated|Killed).*")


def commands_of_blocks(text):
    """(command, the lines that it prints) of the blocks of a page that are called `console`."""
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        expect(block.startswith("$ "), f"a block begins with a command: {block}")
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            yield command, lines


def commands_of_table(text):
    """The same of a table whose last columns are the command and what it prints."""
    for line in re.findall(r"^\| `\S+` \|.*\|$", text, re.M):
        *_, command, printed = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        unquote = [cell.strip("`").replace("\\|", "|") for cell in (command, *printed.split("<br>"))]
        missing = [name for name in optional if not (folder / name).exists()]
        if not any(f"/{Path(name).name} " in command for name in missing):
            yield unquote[0], [line for line in unquote[1:] if line]


def is_free(port):
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


def free_ports(count):
    """Below those that the kernel gives to others meanwhile."""
    found = set()
    while len(found) < count:
        found |= {port for port in [random.randrange(10000, 32768)] if is_free(port)}
    return sorted(found)


def with_free_ports(commands):
    """Numbers behind --port, --ports and HOST: are ports."""
    typed = "\n".join(command for command, _ in commands)
    found = re.findall(r"--ports? ([\d,]+)|(?:127\.0\.0\.1|localhost):(\d+)", typed)
    ports = sorted({port for match in found for text in match for port in text.split(",") if port})
    instead = dict(zip(ports, map(str, free_ports(len(ports)))))
    names = re.compile(r"\b(" + "|".join(ports) + r")\b")
    replace = lambda text: names.sub(lambda port: instead[port[1]], text)
    return [(replace(command), [replace(line) for line in lines]) for command, lines in commands]


def pattern_of(lines):
    """`...` stands for any part of a line, or, alone, for any lines."""
    part = lambda line: r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
    return re.compile("".join(map(part, lines)))


class shell:
    """One shell that is typed at, in a folder with links to the programs."""

    def __init__(self, scratch):
        self.scratch = scratch + "/"
        os.makedirs(f"{scratch}/build")
        os.symlink(folder, f"{scratch}/build/examples")
        os.symlink(folder.parent / "fetch", f"{scratch}/build/fetch")
        os.symlink(project / "examples", f"{scratch}/examples")
        reading, self.typing = os.pipe()
        self.process = subprocess.Popen(
            ["bash", "--norc", f"/dev/fd/{reading}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=scratch, pass_fds=[reading], start_new_session=True)
        os.close(reading)
        self.printed = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        while more := os.read(self.process.stdout.fileno(), 65536):
            self.printed += more

    def lines_since(self, begin, mark):
        """What has been printed, and whether the command has ended."""
        lines = self.printed[begin:].decode(errors="replace").splitlines(keepends=True)
        ended = [line for line in lines if line.startswith(mark) and line.endswith("\n")]
        text = "".join(line for line in lines
                       if not line.startswith(mark) and not of_jobs.fullmatch(line.rstrip()))
        expect(not ended or ended[0] == f"{mark} 0\n", f"exits with {ended[:1]}: {text}")
        return text, bool(ended)

    def type(self, number, command, expected):
        """Types it, and waits until it has ended and all that is expected is there."""
        begin, mark = len(self.printed), f"end-of-command-{number}"
        os.write(self.typing, f"{command}\necho {mark} $?\n".encode())
        deadline = time.monotonic() + patience
        while True:
            text, ended = self.lines_since(begin, mark)
            if ended and pattern_of(expected).fullmatch(text):
                return
            expect(time.monotonic() < deadline and self.process.poll() is None,
                   f"$ {command}\nprints\n{text}instead of\n" + "\n".join(expected))  # or does not end
            time.sleep(0.01)

    def has_started(self, process):
        """Also one that has left the session: a daemon has a file of the folder open."""
        descriptors = f"/proc/{process}/fd"
        return os.getsid(process) == self.process.pid or any(
            os.readlink(f"{descriptors}/{name}").startswith(self.scratch) for name in os.listdir(descriptors))

    def close(self):
        """Ends it, and all that it has started."""
        os.close(self.typing)
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                if self.has_started(int(name)):
                    os.kill(int(name), signal.SIGKILL)
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                pass
        self.process.wait()
        self.reader.join()


def run_in_order(commands):
    with tempfile.TemporaryDirectory() as scratch:
        newcomer = shell(scratch)
        try:
            for number, (command, expected) in enumerate(with_free_ports(commands)):
                newcomer.type(number, command, expected)
        finally:
            newcomer.close()


def the_python_is_python(text):
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        ast.parse(block)


def every_program_is_in_the_table(text):
    lines = {name: int(count) for name, count in re.findall(r"^\| `(\S+)` \|[^|]*\| (\d+) \|", text, re.M)}
    for path in (project / "examples").glob("*.cpp"):
        source = path.read_text()
        if "int main(" in source:
            expect(path.name in lines, f"examples/README.md has a row for {path.name}")
            header = path.with_suffix(".hpp")
            beside = header.read_text() if header.exists() and header.name in source else ""
            counted = len((source + beside).splitlines())
            expect(abs(lines[path.name] - counted) <= 30, f"{path.name} has {counted} lines")
    for name in lines:
        expect((project / "examples" / name).exists(), f"examples/{name} exists")


if __name__ == "__main__":
    guide = (project / "docs/guide.md").read_text()
    the_python_is_python(guide)
    of_guide = list(commands_of_blocks(guide))
    expect(len(of_guide) > 20, f"the guide has commands: {of_guide}")
    run_in_order(of_guide)
    table = (project / "examples/README.md").read_text()
    every_program_is_in_the_table(table)
    of_table = list(commands_of_table(table))
    expect(len(of_table) > 10, f"the table has commands: {of_table}")
    run_in_order(of_table)
