# SPDX-License-Identifier: MIT
"""leat-fetch and a server that is not ours: a thousand files of 0 bytes to 8 MiB from nginx, a third of them
over TLS, another one over HTTP/2 on connections that end after some requests, some compressed on the way, and
every byte of them compared. The nginx is started here, for this test."""
import os
import random
import re
import tempfile
from pathlib import Path

from certificates import authority
from fetching import backends, fetch
from programs import expect
from serving import nginx

settings = """
    log_format version $server_protocol;
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


def every_byte_arrives(files, bases, trusted, backend, folder):
    urls = [f"{bases[number % 3]}/{path}" for number, path in enumerate(files)]
    (folder / "urls").write_text("\n".join(urls))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        done = fetch("-i", folder / "urls", "--output-dir", name, "--cacert", trusted,
                     "--backend", backend)
        total = sum(map(len, files.values()))
        summed = re.search(rf"\n{len(files)} of {len(files)} URLs, (\d+) bytes in ", done.stdout)
        # What is large, and slow on a slow machine, comes over several connections, and some of it twice.
        expect(summed is not None and int(summed[1]) >= total, done.stdout[-500:])
        expect(done.stderr == "", done.stderr)
        expect(len(os.listdir(name)) == len(files), f"{len(files)} files")
        for path, expected in files.items():
            received = Path(name, path.split("/")[1]).read_bytes()
            expect(received == expected, f"{backend}: every byte of {path}")
        print(f"{backend}: {done.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = contents()
        for path, content in files.items():
            (folder / "files" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "files" / path).write_bytes(content)
        trust = authority(folder)
        with nginx(settings, folder, ("plain", "secure", "shared"),
                   certificate=trust.issue("nginx")) as (plain, *secure):
            bases = f"http://127.0.0.1:{plain}", *(f"https://127.0.0.1:{port}" for port in secure)
            for backend in backends():
                every_byte_arrives(files, bases, trust.file, backend, folder)
        versions = (folder / "versions").read_text().split()
        expect(set(versions) == {"HTTP/2.0"}, f"HTTP/2 is spoken, not {set(versions)}")
