# SPDX-License-Identifier: MIT
"""Every example server can be stopped from the moment at which it says where it listens: SIGTERM at once
ends it in order."""
import os
import tempfile

from programs import backends, folder, server

times = 20


def stopped_at_once(name, *arguments, listeners=1):
    for _ in range(times):
        with server(name, *arguments, listeners=listeners):
            pass  # server() has read the last line, sends SIGTERM and checks the exit status


if __name__ == "__main__":
    for backend in backends():
        any_port = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        stopped_at_once("echo_server", *any_port)
        stopped_at_once("poetry_server", "--ports", "0,0", "--backend", backend, listeners=2)
        if os.path.exists(folder / "http_hello"):
            stopped_at_once("http_hello", *any_port)
    if os.path.exists(folder / "demo_origin"):
        with tempfile.TemporaryDirectory() as place:
            stopped_at_once("demo_origin", os.path.join(place, "ca.pem"), listeners=2)
