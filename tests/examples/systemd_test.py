# SPDX-License-Identifier: MIT
"""The servers in the foreground, under systemd: socket activation through a real systemd-socket-activate, and
sd_notify(3) to a socket of this test."""
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from programs import answers, backends, expect, folder, patience, server


class notified:
    """A service manager's end of NOTIFY_SOCKET, at a path or at an abstract name."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(patience)
        self.where = address.replace("\0", "@")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def hears(self, wanted):
        """The next message but for pings of the watchdog."""
        while (heard := self.socket.recv(4096).decode()) == "WATCHDOG=1" != wanted:
            pass
        expect(heard == wanted, f"the service manager hears {wanted}, not {heard}")


def tells_its_service_manager(backend):
    with tempfile.TemporaryDirectory() as place:
        for address in (f"{place}/notify", f"\0leat-daemon-test-{os.getpid()}"):
            with notified(address) as systemd:
                os.environ.update(NOTIFY_SOCKET=systemd.where, WATCHDOG_USEC="20000")
                try:
                    with server("echo_server", "--host", "127.0.0.1", "--port", "0", "--backend", backend):
                        systemd.hears("READY=1")
                        systemd.hears("WATCHDOG=1")
                        systemd.hears("WATCHDOG=1")
                finally:
                    del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
                systemd.hears("STOPPING=1")


def unused_port():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return unused.getsockname()[1]


@contextlib.contextmanager
def socket_activated(name, backend, systemd):
    """A server that systemd-socket-activate starts at the first connection: its process, and its port."""
    program, *words = name.split()
    for _ in range(10):  # systemd picks no port, and the one that was free may be taken by now
        port = unused_port()
        command = ["systemd-socket-activate", "--listen", f"127.0.0.1:{port}", "-E",
                   f"NOTIFY_SOCKET={systemd.where}", folder / program, *words, "--port", "1",
                   "--backend", backend]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if "Listening on" in process.stderr.readline():
                yield process, port
                return
        finally:
            process.kill()
            process.communicate()
    sys.exit("failed: systemd-socket-activate listens")


def is_activated_by_its_socket(name, backend, question, answer):
    with notified(f"\0leat-activated-{os.getpid()}") as systemd:
        with socket_activated(name, backend, systemd) as (process, port):
            with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
                client.sendall(question)
                expect(client.recv(len(answer)) == answer, "who connects first is served")
            systemd.hears("READY=1")
            line = process.stdout.readline()
            expect(line == f"listening on 127.0.0.1:{port}\n", f"it has not bound a port of its own: {line}")
            process.terminate()
            systemd.hears("STOPPING=1")
            expect(process.wait(patience) == 0, "it ends cleanly on SIGTERM")


def main():
    for backend in backends():
        tells_its_service_manager(backend)
    if not shutil.which("systemd-socket-activate"):
        print("systemd-socket-activate (package systemd) is not installed")
        return 77
    for backend in backends():
        for name, (question, answer) in answers.items():
            is_activated_by_its_socket(name, backend, question, answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
