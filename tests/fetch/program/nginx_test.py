# SPDX-License-Identifier: MIT
"""leat-fetch and a server that is not ours: a thousand files of 0 bytes to 8 MiB from nginx, a third of them
over TLS, another one over HTTP/2 on connections that end after some requests, some compressed on the way, and
every byte of them compared. The nginx is started here, for this test."""
import contextlib
import getpass
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from certificates import authority
from fetching import backends, fetch
from programs import expect, patience

settings = """
daemon off;
worker_processes 2;
{user}
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    log_format version $server_protocol;
    client_body_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    sendfile on;
    default_type application/octet-stream;
    root {folder}/files;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl;
        location /packed/ {{ gzip on; gzip_types *; gzip_min_length 1; }}
    }}
    server {{
        listen 127.0.0.1:{shared} ssl http2;
        keepalive_requests 50;
        access_log {folder}/versions version;
        location /packed/ {{ gzip on; gzip_types *; gzip_min_length 1; }}
    }}
}}
"""


def contents():
    """Bytes of every file by its path. Most files are small, as on the web; every tenth can be compressed."""
    kinds = random.Random(1)
    edges = [0, 1, 2, 1460, 16383, 16384, 16385, 65535, 65536, 65537]
    sizes = [8 << 20] * 4 + [1 << 20] * 16 + edges * 10
    sizes += [kinds.randrange(1 << kinds.randrange(1, 17)) for _ in range(1000 - len(sizes))]
    kinds.shuffle(sizes)
    made = {}
    for number, size in enumerate(sizes):
        packed = number % 20 < 2
        some = random.Random(number).randbytes(size // 4 + 1 if packed else size)
        made[f"{'packed' if packed else 'plain'}/{number:04}"] = (some * 4)[:size]
    return made


@contextlib.contextmanager
def nginx(program, certificate, folder):
    """A running nginx that serves `folder`/files: its ports of HTTP, of HTTPS, and of that with HTTP/2. It is
    handed listening sockets, as a new version of it is by the old one; so no port has to be guessed to be
    free."""
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(3)]
    for listener in listeners:
        listener.setblocking(False)  # or a worker would wait for a client that another one has taken
    ports = [listener.getsockname()[1] for listener in listeners]
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    (folder / "settings").write_text(settings.format(folder=folder, certificate=certificate, user=user,
                                                     plain=ports[0], secure=ports[1], shared=ports[2]))
    numbers = [listener.fileno() for listener in listeners]
    log = folder / "log"
    with open(log, "w") as errors:
        process = subprocess.Popen(
            [program, "-e", "stderr", "-p", folder, "-c", folder / "settings"],
            stderr=errors, pass_fds=numbers,
            env={**os.environ, "NGINX": "".join(f"{number};" for number in numbers)})
    for listener in listeners:
        listener.close()  # should nginx not start, its clients are refused, instead of waiting for it
    try:
        yield ports
        expect(process.poll() is None, "nginx serves until the end: " + log.read_text())
    finally:
        process.terminate()
        process.wait(patience)
    expect(process.returncode == 0, "nginx ends well: " + log.read_text())


def every_byte_arrives(files, bases, trusted, backend, folder):
    urls = [f"{bases[number % 3]}/{path}" for number, path in enumerate(files)]
    (folder / "urls").write_text("\n".join(urls))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        done = fetch("-i", folder / "urls", "--output-dir", name, "--cacert", trusted,
                     "--backend", backend)
        total = sum(map(len, files.values()))
        expect(f"{len(files)} of {len(files)} URLs, {total} bytes in " in done.stdout, done.stdout[-500:])
        expect(done.stderr == "", done.stderr)
        expect(len(os.listdir(name)) == len(files), f"{len(files)} files")
        for path, expected in files.items():
            received = Path(name, path.split("/")[1]).read_bytes()
            expect(received == expected, f"{backend}: every byte of {path}")
        print(f"{backend}: {done.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        print("nginx is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = contents()
        for path, content in files.items():
            (folder / "files" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "files" / path).write_bytes(content)
        trust = authority(folder)
        with nginx(program, trust.issue("nginx"), folder) as (plain, *secure):
            bases = f"http://127.0.0.1:{plain}", *(f"https://127.0.0.1:{port}" for port in secure)
            for backend in backends():
                every_byte_arrives(files, bases, trust.file, backend, folder)
        versions = (folder / "versions").read_text().split()
        expect(set(versions) == {"HTTP/2.0"}, f"HTTP/2 is spoken, not {set(versions)}")
