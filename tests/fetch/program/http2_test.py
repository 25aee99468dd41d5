# SPDX-License-Identifier: MIT
"""leat-fetch and the server of nghttp2, which speaks HTTP/2 alone: files of 0 bytes to 2 MiB over one
connection, and every byte of them compared."""
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from certificates import authority
from fetching import backends, fetch
from programs import expect, patience


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_server(port):
    end = time.monotonic() + patience
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            expect(time.monotonic() < end, "nghttpd listens")
            time.sleep(0.05)


def fetch_all(files, port, trusted, backend, folder):
    urls = folder / "urls"
    urls.write_text("\n".join(f"https://127.0.0.1:{port}/{path}" for path in files))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        done = fetch("-i", urls, "--output-dir", name, "--cacert", trusted, "--backend", backend)
        expect(f"{len(files)} of {len(files)} URLs" in done.stdout, done.stdout[-500:] + done.stderr[-500:])
        for path, expected in files.items():
            expect(Path(name, path).read_bytes() == expected, f"{backend}: every byte of {path}")
        print(f"{backend}: {done.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    program = shutil.which("nghttpd")
    if program is None:
        print("nghttpd is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").mkdir()
        sizes = random.Random(1)
        files = {}
        for number in range(300):
            size = 2 << 20 if number % 100 == 0 else sizes.randrange(1 << sizes.randrange(17))
            files[f"f{number:03}"] = random.Random(number).randbytes(size)
            (folder / "files" / f"f{number:03}").write_bytes(files[f"f{number:03}"])
        trust = authority(folder)
        both = trust.issue("nghttpd")
        port = free_port()
        with subprocess.Popen([program, "-a", "127.0.0.1", "-d", folder / "files", str(port), both, both],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                await_server(port)
                for backend in backends():
                    fetch_all(files, port, trust.file, backend, folder)
                expect(server.poll() is None, "nghttpd serves until the end")
            finally:
                server.terminate()
