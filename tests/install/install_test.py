#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs leat into an empty folder and builds a program against it: with CMake, with pkg-config, and with
leat as a Meson subproject. The program is the README's echo server; each build of it must echo and then stop
on SIGTERM, and needs no library of TLS, HTTP or names at run time, unless several sources of leat were
compiled at once. Nothing of the source tree is in reach of the compiler.

    install_test.py SOURCE BUILD        the compiler is $CXX
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

here = Path(__file__).resolve().parent


def command(*words, **options):
    """Runs it; its output, or the end of this test with everything it said."""
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, words))}\n{done.stdout}\nexit status {done.returncode}")
    return done.stdout


def readme_program(source):
    """The first whole program of the README, on a port of the kernel's choice."""
    blocks = re.findall(r"```cpp\n(.*?)```", (source / "README.md").read_text(), re.DOTALL)
    program = next(block for block in blocks if "int main(" in block)
    changed, count = re.subn(r"\b8001\b", "0", program)
    if count != 1:
        sys.exit("the README's program names its port 8001 once")
    return changed


# Where leat has TLS: a program that uses it.
secure_program = """
#if __has_include(<leat/tls.hpp>)
#include <leat/tls.hpp>
int main() {
    try {
        (void)leat::tls::context::client();
    } catch (const std::exception&) {  // this machine trusts nobody
    }
}
#else
int main() {}
#endif
"""

# Where leat has blocking functions: a program that is one, and exits with 3.
blocking_program = """
#if __has_include(<leat/blocking.hpp>)
#include <leat/blocking.hpp>
#include <leat/sleep.hpp>
int main() {
    return leat::run_blocking_main([] {
        leat::await(leat::sleep(std::chrono::milliseconds(1)));
        return 3;
    });
}
#else
int main() { return 3; }
#endif
"""

# What a program of TCP alone may need: the language, the kernel's interfaces, and leat if it is shared.
plain_libraries = {"libc", "libgcc_s", "libstdc++", "libm", "ld-linux-x86-64", "ld-linux-aarch64", "liburing",
                   "libleat"}


def libraries_of(program):
    """The names of the shared libraries that it asks for itself: libc of libc.so.6."""
    dynamic = command("readelf", "--dynamic", "--wide", program)
    return {name.split(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)}


def has_parts(build):
    """Whether each source of the library is a part of its own, not one with others compiled at once."""
    options = json.loads(command("meson", "introspect", "--buildoptions", build))
    return next(each["value"] for each in options if each["name"] == "unity") == "off"


def check_libraries(program, way):
    unused = libraries_of(program) - plain_libraries
    if unused:
        sys.exit(f"built with {way}, a program of TCP alone is linked with {', '.join(sorted(unused))}")


def check_secure(program, prefix, way):
    command(program)
    wanted = (prefix / "include/leat/tls.hpp").exists() and any(prefix.rglob("libleat.a"))
    if wanted != ("libssl" in libraries_of(program)):
        sys.exit(f"built with {way}, a program of TLS is linked with {sorted(libraries_of(program))}")


def check_blocking(program, way):
    status = subprocess.run([program], timeout=60).returncode
    if status != 3:
        sys.exit(f"built with {way}, a blocking program ends with {status}")


def install(build, scratch):
    """Installs to scratch/prefix, which is not where the build was configured to go."""
    command("meson", "install", "-C", build, "--no-rebuild", "--destdir", scratch / "root")
    config = next((scratch / "root").rglob("leatConfig.cmake"))
    include = next((scratch / "root").rglob("check.hpp")).parent.parent
    prefix = scratch / "prefix"
    shutil.move(include.parent, prefix)
    return prefix, prefix / config.parent.relative_to(include.parent)


def built_with_cmake(scratch, prefix, package, compiler):
    folder = scratch / "cmake"
    folder.mkdir()
    shutil.copy(here / "CMakeLists.txt", folder)
    for name in ("program.cpp", "secure.cpp", "blocking.cpp"):
        shutil.copy(scratch / name, folder)
    command("cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
            f"-DCMAKE_CXX_COMPILER={shutil.which(compiler[-1])}")
    command("cmake", "--build", folder / "build")
    found = (folder / "build/CMakeCache.txt").read_text()
    if f"leat_DIR:PATH={package}" not in found:
        sys.exit(f"CMake found another leat than the one in {package}")
    check_secure(folder / "build/secure", prefix, "CMake")
    check_blocking(folder / "build/blocking", "CMake")
    return folder / "build/program"


def built_with_pkg_config(scratch, prefix, source, compiler):
    description = next(prefix.rglob("leat.pc"))
    environment = {**os.environ, "PKG_CONFIG_PATH": str(description.parent)}
    flags = shlex.split(command("pkg-config", "--cflags", "--libs", "leat", env=environment))
    listing = scratch / "dependencies"
    command(*compiler, "-std=c++20", "-MD", "-MF", listing, scratch / "program.cpp", *flags,
            "-o", scratch / "program")
    if any(word.startswith(f"{source}/") for word in listing.read_text().split()):
        sys.exit(f"a header came from the source tree:\n{listing.read_text()}")
    command(*compiler, "-std=c++20", scratch / "secure.cpp", *flags, "-o", scratch / "secure")
    check_secure(scratch / "secure", prefix, "pkg-config")
    if (description.parent / "leat-blocking.pc").exists():
        flags = shlex.split(command("pkg-config", "--cflags", "--libs", "leat-blocking", env=environment))
    command(*compiler, "-std=c++20", scratch / "blocking.cpp", *flags, "-o", scratch / "blocking")
    check_blocking(scratch / "blocking", "pkg-config")
    return scratch / "program"


def built_as_subproject(scratch, source):
    folder = scratch / "meson"
    copy_of_source = folder / "subprojects/leat"
    listed = subprocess.run(
        ["git", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode == 0:
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (source / name).is_file():
                (copy_of_source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / name, copy_of_source / name)
    else:
        others = shutil.ignore_patterns("build*", ".git", "subprojects")
        shutil.copytree(source, copy_of_source, ignore=others)
    shutil.copy(here / "subproject_user.build", folder / "meson.build")
    shutil.copy(scratch / "program.cpp", folder)
    features = [f"-Dleat:{name}=disabled" for name in ("dns", "tls", "http", "brotli", "zstd", "psl")]
    fast = ("-Dunity=subprojects", "-Doptimization=0", "-Ddebug=false")
    command("meson", "setup", *features, *fast, folder / "build", folder)
    command("ninja", "-C", folder / "build", "program")
    return folder / "build/program"


def compile_every_header(scratch, prefix, compiler):
    """All installed headers together, with only what is installed."""
    names = sorted(str(path.relative_to(prefix / "include")) for path in (prefix / "include").rglob("*.hpp"))
    (scratch / "all.cpp").write_text("".join(f"#include <{name}>\n" for name in names))
    command(*compiler, "-std=c++20", "-fsyntax-only", f"-I{prefix / 'include'}", scratch / "all.cpp")


def no_trace_of(source, prefix):
    for path in prefix.rglob("*"):
        if path.suffix in (".pc", ".cmake", ".hpp") and str(source) in path.read_text():
            sys.exit(f"{path} names the source tree")


def open_descriptors(process):
    """What they refer to; one that closes while the folder is read is left out."""
    links = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(os.readlink(link))
    return links


def listening_port(process):
    """The port on which the process listens, once it does."""
    for _ in range(3000):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode} instead of listening")
        links = open_descriptors(process)
        for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = row.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in links:
                return int(columns[1].split(":")[1], 16)
        time.sleep(0.01)
    sys.exit("the server does not listen")


def check_echo(program):
    with subprocess.Popen([program]) as process:
        try:
            with socket.create_connection(("127.0.0.1", listening_port(process)), timeout=30) as peer:
                sent = bytes(range(256)) * 1000
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
                received = b"".join(iter(lambda: peer.recv(65536), b""))
            if received != sent:
                sys.exit(f"{program}: {len(sent)} bytes sent, {len(received)} echoed, or not the same ones")
            process.send_signal(signal.SIGTERM)
            if process.wait(timeout=30) != 0:
                sys.exit(f"{program}: exit status {process.returncode} after SIGTERM")
        finally:
            process.kill()


def main():
    source, build = (Path(argument).resolve() for argument in sys.argv[1:])
    compiler = shlex.split(os.environ.get("CXX", "clang++-19"))
    with tempfile.TemporaryDirectory(prefix="leat-install-") as folder:
        scratch = Path(folder)
        (scratch / "program.cpp").write_text(readme_program(source))
        (scratch / "secure.cpp").write_text(secure_program)
        (scratch / "blocking.cpp").write_text(blocking_program)
        prefix, package = install(build, scratch)
        no_trace_of(source, prefix)
        compile_every_header(scratch, prefix, compiler)
        for way, program in [
            ("CMake", built_with_cmake(scratch, prefix, package, compiler)),
            ("pkg-config", built_with_pkg_config(scratch, prefix, source, compiler)),
            ("a Meson subproject", built_as_subproject(scratch, source)),
        ]:
            if has_parts(build):
                check_libraries(program, way)
            check_echo(program)
            print(f"built with {way}: echoes, and stops when told")


if __name__ == "__main__":
    main()
