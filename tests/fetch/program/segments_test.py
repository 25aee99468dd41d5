# SPDX-License-Identifier: MIT
"""leat-fetch brings one large file over several connections from an nginx that is slow on each of them, and
over one where it is told to, or where nginx has no ranges. What nginx has been asked is compared, not how
long it took."""
import os
import random
import tempfile
from pathlib import Path

from fetching import backends, fetch
from programs import expect
from serving import nginx

size = 64 << 20
settings = """
    log_format asked "$request_uri $connection $status $http_range";
    server {{
        listen 127.0.0.1:{port};
        access_log {folder}/asked asked;
        limit_rate 6m;
        location /whole/ {{ alias {folder}/files/; max_ranges 0; }}
    }}
"""


def requests(folder, path):
    """Of the requests for the path: connection, status and range. nginx writes one down before it takes the
    next one of the connection, but not before its client has read all of it."""
    lines = (folder / "asked").read_text().splitlines()
    return [line.split(" ", 3)[1:] for line in lines if line.startswith(path + " ")]


def comes_whole(url, body, folder, *options):
    with tempfile.TemporaryDirectory(dir=folder) as out:
        fetch(url, "--output-dir", out, *options)
        expect(os.listdir(out) == ["large"], os.listdir(out))
        expect(Path(out, "large").read_bytes() == body, f"every byte of {url}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = random.Random(1).randbytes(size)
        (folder / "files").mkdir()
        (folder / "files/large").write_bytes(body)
        with nginx(settings, folder, ("port",)) as (port,):
            base = f"http://127.0.0.1:{port}"
            for backend in backends():
                comes_whole(f"{base}/large?{backend}", body, folder, "--backend", backend,
                            "--output", "large")
            comes_whole(base + "/whole/large", body, folder)
            comes_whole(base + "/large", body, folder, "--segments", "1")
        for backend in backends():
            asked = requests(folder, f"/large?{backend}")
            parts = [each for each in asked if each[1] == "206"]
            expect(len(asked) - len(parts) == 1, f"one plain request: {asked}")
            expect(len(parts) >= 3, f"ranges were asked for: {asked}")
            expect(len({connection for connection, *_ in asked}) >= 4, f"over four connections: {asked}")
        expect([each[1] for each in requests(folder, "/whole/large")].count("206") == 0, "no range is sent")
        expect([each[1:] for each in requests(folder, "/large")] == [["200", "-"]], "one request is enough")
