# SPDX-License-Identifier: MIT
"""However a program is linked with leat-blocking, either the calls that libraries make in a fibre let the
others go on, or the program says at its first blocking() what to link, and ends: none blocks in silence.

    linked_blocking_test.py SOURCE BUILD CXX...
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, BUILD, CXX = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]

# A library that knows nothing of leat: it waits for one byte, in each way that a fortified build checks. With
# -DFORTIFIED it calls what such a build does, whatever the compiler makes of _FORTIFY_SOURCE.
PEER = """
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef FORTIFIED
ssize_t __read_chk(int, void*, size_t, size_t);
ssize_t __recv_chk(int, void*, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void*, size_t, size_t, int, struct sockaddr*, socklen_t*);
int __poll_chk(struct pollfd*, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd*, nfds_t, const struct timespec*, const sigset_t*, size_t);
#define read(...) __read_chk(__VA_ARGS__, sizeof bytes)
#define recv(fd, into, size, flags) __recv_chk(fd, into, size, sizeof bytes, flags)
#define recvfrom(fd, into, size, ...) __recvfrom_chk(fd, into, size, sizeof bytes, __VA_ARGS__)
#define poll(...) __poll_chk(__VA_ARGS__, sizeof asked)
#define ppoll(...) __ppoll_chk(__VA_ARGS__, sizeof asked)
#endif
int peer_read(int fd, size_t size, int way) {
    char bytes[8];
    struct pollfd asked[1] = {{.fd = fd, .events = POLLIN}};
    switch (way) {
        case 0: return (int)read(fd, bytes, size);
        case 1: return (int)recv(fd, bytes, size, 0);
        case 2: return (int)recvfrom(fd, bytes, size, 0, 0, 0);
        case 3: return poll(asked, size, -1);
        default: return ppoll(asked, size, 0, 0);
    }
}
"""

# Each of its calls waits in a fibre for what the main task writes only then. Argument: where to load it from.
PROGRAM = """
#include <leat/blocking.hpp>
#include <leat/runtime.hpp>
#include <cstdio>
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef LOADED
int (*peer_read)(int, std::size_t, int);
#else
extern "C" int peer_read(int fd, std::size_t size, int way);
#endif
leat::task<> body() {
    int got = 0;
    for (int way = 0; way < 5; ++way) {
        int both[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, both) != 0) {
            co_return;
        }
        auto reader = leat::spawn(leat::blocking([&] { return peer_read(both[0], 1, way); }));
        co_await leat::yield();
        (void)!::write(both[1], "a", 1);
        got += co_await reader;
    }
    std::printf("read %d\\n", got);
}
#ifdef LIBRARY
extern "C" int begin(int, char**) {
#else
int main(int, char** argv) {
#endif
#ifdef LOADED
    peer_read = reinterpret_cast<decltype(peer_read)>(::dlsym(::dlopen(argv[1], RTLD_NOW), "peer_read"));
#endif
    leat::run(body);
    return 0;
}
"""

INSTEAD_OF_MAIN = "extern \"C\" int begin(int, char**);\nint main(int n, char** a) { return begin(n, a); }\n"


def command(*words):
    done = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, words))}\n{done.stdout}")


def libraries():
    """The static ones of the build, and what they need."""
    told = subprocess.run(["pkg-config", "--libs", "leat"], text=True, capture_output=True,
                          env={**os.environ, "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled")}, check=True)
    needed = [word for word in told.stdout.split() if word.startswith("-l") and not word.startswith("-lleat")]
    return [BUILD / "libleat-blocking.a", BUILD / "libleat.a", *needed]


class linked_blocking_test(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        (cls.folder / "peer.c").write_text(PEER)
        (cls.folder / "program.cpp").write_text(PROGRAM)
        (cls.folder / "main.cpp").write_text(INSTEAD_OF_MAIN)
        include = [f"-I{SOURCE}/runtime", f"-I{SOURCE}/net"]
        c_of = lambda name, *flags: command(*CXX, "-x", "c", "-shared", "-fPIC", *flags, "-o",
                                            cls.folder / name, cls.folder / "peer.c", "-x", "none",
                                            "-Wl,-soname," + name)
        c_of("libpeer.so")
        c_of("libpeer_fortified.so", "-DFORTIFIED")
        for name, flags in {"program": [], "loading": ["-DLOADED"], "library": ["-DLIBRARY"],
                            "hidden": ["-fvisibility=hidden", "-fvisibility-inlines-hidden"]}.items():
            command(*CXX, "-std=c++20", "-fPIC", *include, *flags, "-c", "-o", cls.folder / f"{name}.o",
                    cls.folder / "program.cpp")
        blocking, leat, *needed = libraries()
        command(*CXX, "-shared", "-o", cls.folder / "libleat.so", "-Wl,--whole-archive", leat,
                "-Wl,--no-whole-archive", *needed)
        command(*CXX, "-shared", "-o", cls.folder / "libleat-blocking.so", "-Wl,--whole-archive", blocking,
                "-Wl,--no-whole-archive", f"-L{cls.folder}", "-lleat")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def link(self, *words, name="linked"):
        command(*CXX, "-o", self.folder / name, f"-L{self.folder}", f"-Wl,-rpath,{self.folder}", *words)
        return self.folder / name

    def run_program(self, program, *arguments):
        """It would hang if a call blocked the thread."""
        return subprocess.run([program, *map(str, arguments)], text=True, capture_output=True, timeout=60)

    def reaches(self, program, *arguments):
        done = self.run_program(program, *arguments)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("read 5\n", "", 0))

    def is_told(self, program, *words):
        done = self.run_program(program)
        self.assertEqual(done.stdout, "")
        self.assertNotEqual(done.returncode, 0)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_static_with_each_linker(self):
        for linker in "bfd", "gold", "lld":
            if not shutil.which(f"ld.{linker}"):
                continue
            for flag, peer in ("-Wl,--gc-sections", "-lpeer"), ("-Wl,--as-needed", "-lpeer_fortified"):
                with self.subTest(linker=linker, flag=flag, peer=peer):
                    self.reaches(self.link(f"-fuse-ld={linker}", flag, self.folder / "program.o", peer,
                                           *libraries()))

    def test_static_before_the_library_that_blocks(self):
        self.reaches(self.link(self.folder / "program.o", *libraries(), "-lpeer"))

    def test_shared_in_any_order(self):
        for order in ["-lleat-blocking", "-lleat", "-lpeer"], ["-lpeer", "-lleat", "-lleat-blocking"]:
            with self.subTest(order=order):
                self.reaches(self.link(self.folder / "program.o", *order))

    def test_shared_with_each_linker(self):
        for linker in "bfd", "gold", "lld":
            if shutil.which(f"ld.{linker}"):
                with self.subTest(linker=linker):
                    self.reaches(self.link(f"-fuse-ld={linker}", "-Wl,--gc-sections",
                                           self.folder / "program.o", "-lpeer_fortified", "-lleat",
                                           "-lleat-blocking"))

    def test_shared_by_a_program_whose_own_names_are_hidden(self):
        for linker in "bfd", "gold", "lld":
            if shutil.which(f"ld.{linker}"):
                with self.subTest(linker=linker):
                    self.reaches(self.link(f"-fuse-ld={linker}", self.folder / "hidden.o", "-lpeer", "-lleat",
                                           "-lleat-blocking"))

    def test_shared_without_position_independence(self):
        command(*CXX, "-std=c++20", "-fno-pic", "-fno-pie", f"-I{SOURCE}/runtime", "-c", "-o",
                self.folder / "fixed.o", self.folder / "program.cpp")
        self.reaches(self.link("-no-pie", self.folder / "fixed.o", "-lpeer", "-lleat", "-lleat-blocking"))

    def test_a_library_loaded_later(self):
        for linker in "bfd", "gold", "lld":
            if shutil.which(f"ld.{linker}"):
                with self.subTest(linker=linker):
                    self.reaches(self.link(f"-fuse-ld={linker}", self.folder / "loading.o", *libraries()),
                                 self.folder / "libpeer.so")
        self.reaches(self.link(self.folder / "loading.o", "-lleat", "-lleat-blocking"),
                     self.folder / "libpeer.so")

    def test_a_static_library_whose_names_are_hidden_is_told(self):
        self.is_told(self.link("-Wl,--exclude-libs,ALL", self.folder / "program.o", "-lpeer", *libraries()),
                     "would block the whole thread", "-Wl,--export-dynamic-symbol=", "--exclude-libs")

    def test_a_shared_library_of_a_library_only_is_told(self):
        command(*CXX, "-shared", "-o", self.folder / "libapplication.so", self.folder / "library.o",
                f"-L{self.folder}", f"-Wl,-rpath,{self.folder}", "-lpeer", "-lleat-blocking", "-lleat")
        main = ["-x", "c++", self.folder / "main.cpp", "-x", "none", "-lapplication",
                "-Wl,--allow-shlib-undefined"]
        self.is_told(self.link(*main), "would block the whole thread", "-lleat-blocking")
        self.reaches(self.link(*main, "-Wl,--no-as-needed", "-lleat-blocking"))

    def test_a_program_with_a_read_of_its_own_is_told(self):
        (self.folder / "own.c").write_text(
            "#include <sys/syscall.h>\n#include <unistd.h>\n"
            "ssize_t read(int f, void* b, size_t n) { return syscall(SYS_read, f, b, n); }\n")
        own = ["-x", "c", self.folder / "own.c", "-x", "none"]
        self.is_told(self.link(*own, self.folder / "program.o", "-lpeer", "-lleat", "-lleat-blocking"),
                     "read() would block the whole thread")


if __name__ == "__main__":
    if not (BUILD / "libleat-blocking.a").exists():
        print("leat-blocking was not built as a static library")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
