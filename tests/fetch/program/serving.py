# SPDX-License-Identifier: MIT
"""A server that is not ours, for the tests beside this file: nginx, started here."""
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys

from programs import expect, patience

common = """
daemon off;
worker_processes 2;
{user}
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    sendfile on;
    default_type application/octet-stream;
    root {folder}/files;
"""


@contextlib.contextmanager
def nginx(settings, folder, ports, **values):
    """A running nginx that serves `folder`/files, with these settings of its http block, in which `ports`
    are names of ports: gives their numbers. It is handed listening sockets, as a new version of it is by the
    old one; so no port has to be guessed to be free."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        print("nginx is not installed")
        sys.exit(77)
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in ports]
    for listener in listeners:
        listener.setblocking(False)  # or a worker would wait for a client that another one has taken
    numbers = [listener.getsockname()[1] for listener in listeners]
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    (folder / "settings").write_text((common + settings + "}}\n").format(
        folder=folder, user=user, **dict(zip(ports, numbers)), **values))
    descriptors = [listener.fileno() for listener in listeners]
    log = folder / "log"
    with open(log, "w") as errors:
        process = subprocess.Popen(
            [program, "-e", "stderr", "-p", folder, "-c", folder / "settings"],
            stderr=errors, pass_fds=descriptors,
            env={**os.environ, "NGINX": "".join(f"{each};" for each in descriptors)})
    for listener in listeners:
        listener.close()  # should nginx not start, its clients are refused, instead of waiting for it
    try:
        yield numbers
        expect(process.poll() is None, "nginx serves until the end: " + log.read_text())
    finally:
        process.terminate()
        process.wait(patience)
    expect(process.returncode == 0, "nginx ends well: " + log.read_text())
