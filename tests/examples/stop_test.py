# SPDX-License-Identifier: MIT
"""Every example server can be stopped from the moment at which it says where it listens: SIGTERM at once
ends it in order. A signal that it was started to ignore does not stop it."""
import os
import signal
import socket
import tempfile

from programs import backends, expect, folder, patience, port_of, server

times = 20


def stopped_at_once(name, *arguments, listeners=1):
    for _ in range(times):
        with server(name, *arguments, listeners=listeners):
            pass  # server() has read the last line, sends SIGTERM and checks the exit status


def serves(place, question):
    """Whether a new connection is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port_of(place)), timeout=patience) as client:
            client.sendall(question)
            return client.recv(1) != b""
    except ConnectionError:
        return False


def ignored_signal_stops_nobody(name, *arguments, question=b"?", listeners=1):
    """As a shell starts `server &`, or nohup: who has seen the signal has closed the listener when one
    connection has been answered after it."""
    with server(name, *arguments, listeners=listeners, ignoring=[signal.SIGINT]) as places:
        os.kill(places.pid, signal.SIGINT)
        for _ in range(3):
            expect(serves(places[0], question), f"{name} goes on after a SIGINT that it was told to ignore")


if __name__ == "__main__":
    for backend in backends():
        any_port = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        stopped_at_once("echo_server", *any_port)
        ignored_signal_stops_nobody("echo_server", *any_port)
        for name in ("one_shot_server", "readiness_callbacks", "upper_server"):
            stopped_at_once(name, *any_port)
            ignored_signal_stops_nobody(name, *any_port)
        stopped_at_once("prefork_server", *any_port, "--workers", "2")
        stopped_at_once("poetry_server", "--ports", "0,0", "--backend", backend, listeners=2)
        ignored_signal_stops_nobody("poetry_server", "--ports", "0,0", "--backend", backend, listeners=2)
        if os.path.exists(folder / "http_hello"):
            stopped_at_once("http_hello", *any_port)
            ignored_signal_stops_nobody("http_hello", *any_port,
                                        question=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    if os.path.exists(folder / "demo_origin"):
        with tempfile.TemporaryDirectory() as place:
            stopped_at_once("demo_origin", os.path.join(place, "ca.pem"), listeners=2)
