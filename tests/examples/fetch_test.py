# SPDX-License-Identifier: MIT
"""fetch: against an origin of Python's, over HTTP and HTTPS, with good and bad luck."""
import http.server
import hashlib
import os
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from programs import backends, expect, folder, patience, run

sizes = [0, 1, 999, 16384, 70000, 1_000_000]


def body_of(size):
    seed = hashlib.sha256(b"%d" % size).digest()
    return (seed * (size // len(seed) + 1))[:size]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        where = self.path.strip("/")
        if where.startswith("size/"):
            self.reply(200, body_of(int(where.split("/")[1])))
        elif where.startswith("redirect/"):
            self.reply(302, b"", Location="/" + where.split("/", 1)[1])
        elif where == "loop":
            self.reply(302, b"", Location="/loop")
        elif where == "short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"only this")
            self.close_connection = True
        else:
            self.reply(404, b"no")

    def reply(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that refuses the certificate is part of the test


def origin(certificate=None):
    listener = server(("127.0.0.1", 0), Origin)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    scheme = "https" if certificate else "http"
    return f"{scheme}://127.0.0.1:{listener.server_port}"


def make_certificate(path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=origin", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", path, "-out", str(path) + ".crt"], check=True, capture_output=True)
    Path(path).write_bytes(Path(path).read_bytes() + Path(str(path) + ".crt").read_bytes())


def every_byte_arrives(plain, secure, certificate, backend, tmp):
    urls = [f"{base}/size/{size}" for base in (plain, secure) for size in sizes] * 5
    listed = tmp / "urls"
    listed.write_text("# a comment\n\n" + "\n".join(urls) + "\n")
    out = Path(tempfile.mkdtemp(dir=tmp))
    done = run("fetch", "-i", str(listed), "--output-dir", str(out), "--cacert", certificate,
               "--parallel", "7", "--backend", backend)
    expect(sum(line.startswith("GET: ") for line in done.stdout.splitlines()) == len(urls), done.stdout)
    for url in set(urls):
        size = url.rsplit("/", 1)[1]
        expect(done.stdout.count(f"{size} bytes received from {url}.\n") == urls.count(url), url)
    for size in sizes:
        files = [file for file in out.iterdir() if file.name.split(".")[0] == str(size)]
        expect(len(files) == 10, f"ten files of {size} bytes")
        expect(all(file.read_bytes() == body_of(size) for file in files), f"every one of {size} bytes")
    total = sum(int(url.rsplit("/", 1)[1]) for url in urls)
    expect(f"{len(urls)} of {len(urls)} URLs, {total} bytes in " in done.stdout, done.stdout[-200:])


def one_failure_stops_no_other(plain, secure, backend, tmp):
    out = Path(tempfile.mkdtemp(dir=tmp))
    bad = {
        f"{plain}/missing": "the server answered 404",
        f"{plain}/short": "body",
        f"{plain}/loop": "redirect",
        "http://127.0.0.1:1/refused": "Connection refused",
        "http://no-such-host.invalid/": "no-such-host.invalid",
        "ftp://127.0.0.1/": "ftp",
        f"{secure}/size/1": "certificate",
        "http://127.0.0.1:99999/": "99999",
    }
    good = f"{plain}/redirect/size/999"
    done = run("fetch", *bad, good, "--output-dir", str(out), "--backend", backend, status=1)
    for url, why in bad.items():
        lines = [line for line in done.stderr.splitlines() if url in line]
        expect(len(lines) == 1 and why in lines[0], f"{url}: one line with {why!r}: {done.stderr}")
    expect(f"999 bytes received from {good}.\n" in done.stdout, done.stdout)
    expect(f", {len(bad)} failed\n" in done.stdout, done.stdout)
    expect([file.name for file in out.iterdir()] == ["999"], "a failure leaves no file")
    done = run("fetch", f"{secure}/size/999", "--insecure", "--backend", backend)
    expect("999 bytes received" in done.stdout, done.stdout)


def names_stay_in_their_folder(plain, tmp):
    out = tmp / "inner"
    out.mkdir()
    done = run("fetch", f"{plain}/size/1/..%2f..%2fescaped", f"{plain}/size/1/.hidden", f"{plain}/size/1/",
               "--output-dir", str(out))
    expect(done.returncode == 0, done.stderr)
    expect(sorted(file.name for file in out.iterdir()) == ["_._.._escaped", "_hidden", "index.html"],
           str(list(out.iterdir())))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        certificate = str(tmp / "origin.pem")
        make_certificate(certificate)
        plain, secure = origin(), origin(certificate)
        for backend in backends():
            every_byte_arrives(plain, secure, certificate, backend, tmp)
            one_failure_stops_no_other(plain, secure, backend, tmp)
        names_stay_in_their_folder(plain, tmp)
        expect(run("fetch", status=2).stderr == "fetch: no URL is given\n", "no URL")
