# SPDX-License-Identifier: MIT
"""nginx as a peer: one worker, on the CPU of servers."""
import contextlib
import os
import socket
import subprocess
import time

from . import servers

configuration = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    types {{ text/plain txt; application/octet-stream bin; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""

hello = 'location = /hello { default_type text/plain; return 200 "hello\\n"; }'

of_one = """
    server {{
        listen 127.0.0.1:{port} {options};
        root {folder}/served;
        {directives}
    }}
"""


def make_certificate(folder, name="", algorithm=("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes"]
        + ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(folder / f"{name}key.pem"), "-out", str(folder / f"{name}certificate.pem")],
        check=True,
        capture_output=True,
    )


def secured_by(folder, name=""):
    """The directives of a server that shows what make_certificate() made."""
    shown = f"ssl_certificate {folder}/{name}certificate.pem; ssl_certificate_key {folder}/{name}key.pem;"
    return shown + " ssl_protocols TLSv1.2 TLSv1.3;"


def listening():
    made = socket.create_server(("127.0.0.1", 0), backlog=511)
    os.set_inheritable(made.fileno(), True)
    return made


def worker_of(process):
    for _ in range(200):
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as children:
            if found := children.read().split():
                return int(found[0])
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise servers.failure("nginx did not start")


@contextlib.contextmanager
def running(folder, described):
    """(pid of the worker, ports): `described` has the options of listen and the directives of each server.
    Their root is `folder`/served. The sockets are inherited (nginx's variable NGINX), so that no port is
    fixed."""
    folder.chmod(0o755)  # for nginx, which is another user's when this one is root
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(listening()) for _ in described]
        ports = [each.getsockname()[1] for each in sockets]
        text = "".join(
            of_one.format(port=port, options=options, directives=directives, folder=folder)
            for port, (options, directives) in zip(ports, described)
        )
        (folder / "nginx.conf").write_text(configuration.format(folder=folder, servers=text))
        process = subprocess.Popen(
            ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
            env={**os.environ, "NGINX": "".join(f"{each.fileno()};" for each in sockets)},
            pass_fds=[each.fileno() for each in sockets],
            preexec_fn=lambda: servers.prepare_child(servers.server_cpu, False),
        )
        try:
            yield worker_of(process), ports
        finally:
            servers.stop(process, process.terminate)
