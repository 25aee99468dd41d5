# SPDX-License-Identifier: MIT
"""The two ends of `transfer` with the standard library alone: a server of a process a client, and a client of
several connections in one thread.

    transfer_original.py serve HOST PORT MESSAGES [PIECE | paced]
    transfer_original.py connect HOST PORT CONNECTIONS MESSAGES

With PIECE a message goes out so many bytes at a time, or its two ends do. A paced server sends its second
message little by little, until it gets SIGUSR1. It says for each client which process serves which port.
"""
import os
import selectors
import signal
import socket
import sys
import time

END = b"\r<--EOM-->\r"
SIZE = 3 * 2**20
MESSAGE = b"head" + b"." * (SIZE - 8) + b"tail"


def say(line):
    """In one write: several processes share the output."""
    os.write(1, f"{line}\n".encode())


def receipt(number):
    return f"已收 {number} 条。".encode()


class collector:
    """What has come, cut at the terminators."""

    def __init__(self):
        self.held = bytearray()
        self.searched = 0

    def add(self, data):
        """The messages that `data` completes."""
        self.held += data
        found = []
        while (end := self.held.find(END, self.searched)) >= 0:
            found.append(bytes(self.held[:end]))
            del self.held[:end + len(END)]
            self.searched = 0
        self.searched = max(0, len(self.held) - len(END) + 1)
        return found


def receive(sock, collected, waiting):
    """The next message; None at the end."""
    while not waiting:
        data = sock.recv(65536)
        if not data:
            return None
        waiting += collected.add(data)
    return waiting.pop(0)


def send_paced(sock, data):
    released = []
    signal.signal(signal.SIGUSR1, lambda *_: released.append(True))
    sock.sendall(data[:100])
    say(f"paced {os.getpid()}")
    at = 100
    while not released:
        sock.sendall(data[at:at + 100])
        at += 100
        time.sleep(0.02)  # a slow server: what is tested is that it is not a dead one
    sock.sendall(data[at:])


def send_in_pieces(sock, data, size):
    """At least the first and the last bytes: a million packets take a minute."""
    first, last = 10_000 * size, max(10_000 * size, len(data) - 10_000 * size)
    for at in range(0, min(first, len(data)), size):
        sock.sendall(data[at:at + size])
    sock.sendall(data[first:last])
    for at in range(last, len(data), size):
        sock.sendall(data[at:at + size])


def send(sock, data, number, how):
    if how == "paced" and number == 2:
        send_paced(sock, data)
    elif how.isdigit():
        send_in_pieces(sock, data, int(how))
    else:
        sock.sendall(data)


def talk(sock, messages, how):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    collected, waiting = collector(), []
    assert receive(sock, collected, waiting) == b"start"
    for number in range(1, messages + 1):
        send(sock, MESSAGE + END, number, how)
        came = receive(sock, collected, waiting)
        assert came == receipt(number), came
        say(came.decode())


def serve(host, port, messages, how="whole"):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    listener = socket.create_server((host, port))
    say("listening on %s:%d" % listener.getsockname())
    while True:
        sock, peer = listener.accept()
        if os.fork() == 0:
            listener.close()
            say(f"serving {os.getpid()} {peer[1]}")
            talk(sock, messages, how)
            os._exit(0)
        sock.close()


def connect(host, port, connections, messages):
    """One select loop, as an asyncore client is."""
    waits = selectors.DefaultSelector()
    for number in range(1, connections + 1):
        sock = socket.create_connection((host, port))
        sock.sendall(b"start" + END)
        waits.register(sock, selectors.EVENT_READ, {"number": number, "collected": collector(), "came": 0})
    while waits.get_map():
        for key, _ in waits.select():
            data = key.fileobj.recv(65536)
            assert data, "the server has closed too early"
            for message in key.data["collected"].add(data):
                assert message == MESSAGE, message[:100]
                key.data["came"] += 1
                key.fileobj.sendall(receipt(key.data["came"]) + END)
            if key.data["came"] == messages:
                waits.unregister(key.fileobj)
                key.fileobj.close()
    say("all came")


if __name__ == "__main__":
    mode, host, port, *rest = sys.argv[1:]
    {"serve": serve, "connect": connect}[mode](
        host, int(port), *(int(each) if i < 2 - (mode == "serve") else each for i, each in enumerate(rest)))
