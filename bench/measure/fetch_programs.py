# SPDX-License-Identifier: MIT
"""The programs that `fetch` measures, and how each is told what to fetch: 50 at once, quietly, and without
what its user has configured."""
import functools
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import servers

at_once = 50
names = ("curl", "leat-epoll", "leat-uring", "go", "wget2", "aria2", "aiohttp")
of_packages = {"wget2": "wget2", "aria2c": "aria2"}


@dataclass(frozen=True)
class asked:
    """What is to be fetched."""

    folder: Path  # with the certificate, and for lists of URLs
    urls: list
    files: bool  # written, or thrown away
    transport: str

    @property
    def certificate(self):
        return str(self.folder / "certificate.pem")

    def list_of_urls(self):
        path = self.folder / "urls"
        path.write_text("".join(f"{url}\n" for url in self.urls))
        return str(path)


def curl(what, into):
    name = 'output = "/dev/null"\n' if into is None else ""
    configuration = what.folder / "curlrc"
    configuration.write_text("".join(f'url = "{url}"\n{name}' for url in what.urls))
    command = ["curl", "--disable", "--silent", "--show-error", "--fail", "--parallel"]
    command += ["--parallel-max", str(at_once), "--cacert", what.certificate]
    command += [] if into is None else ["--remote-name-all", "--output-dir", str(into)]
    return [*command, "--config", str(configuration)]


def leat_fetch(program, backend):
    def command(what, into):
        made = [program, "--backend", backend, "--quiet", "--cacert", what.certificate]
        made += ["-i", what.list_of_urls()]
        return made + (["--discard"] if into is None else ["--output-dir", str(into)])

    return command


def go(program):
    def command(what, into):
        made = [program, "-list", what.list_of_urls(), "-at-once", str(at_once), "-cacert", what.certificate]
        return made + ([] if into is None else ["-into", str(into)])

    return command


def wget2(what, into):
    command = ["wget2", "--no-config", "--quiet", "--max-threads", str(at_once), "--no-robots", "--no-hsts"]
    command += ["--ca-certificate", what.certificate, "--input-file", what.list_of_urls()]
    sink = ["--output-document", "/dev/null"] if into is None else ["--directory-prefix", str(into)]
    return command + sink


def aria2(what, into):
    command = ["aria2c", "--no-conf", "--quiet", "--max-concurrent-downloads", str(at_once)]
    command += ["--split", "1", "--file-allocation", "none", "--ca-certificate", what.certificate]
    return [*command, "--input-file", what.list_of_urls(), "--dir", str(into)]


def aiohttp(what, into):
    script = Path(__file__).parents[1] / "bulk" / "aiohttp_fetch.py"
    command = [servers.python, str(script), what.list_of_urls(), str(at_once), what.certificate]
    return command + ([] if into is None else [str(into)])


@functools.cache
def has_aiohttp():
    probe = [servers.python, "-c", "import aiohttp"]
    return shutil.which(servers.python) and subprocess.run(probe, capture_output=True).returncode == 0


def missing():
    packages = [package for program, package in of_packages.items() if shutil.which(program) is None]
    return packages + ([] if has_aiohttp() else ["python3-aiohttp"])


def all_for(what, build_folder, chosen):
    """(name, what makes its command) of each that is here and can do this."""
    program = str(build_folder / "fetch" / "leat-fetch")
    found = {
        "curl": curl,
        "leat-epoll": leat_fetch(program, "epoll"),
        "leat-uring": leat_fetch(program, "uring"),
        "go": go(str(build_folder / "bench" / "go_fetch")),
        "wget2": wget2,
    }
    if what.files and what.transport != "http2":
        found["aria2"] = aria2  # it cannot throw away what it fetches, and has no HTTP/2
    if what.transport != "http2" and has_aiohttp():
        found["aiohttp"] = aiohttp
    wanted = {"curl", *chosen}
    here = {name: command for name, command in found.items() if name in wanted}
    if shutil.which("wget2") is None:
        here.pop("wget2", None)
    if shutil.which("aria2c") is None:
        here.pop("aria2", None)
    if not (build_folder / "bench" / "go_fetch").exists():
        here.pop("go", None)
    return list(here.items())
