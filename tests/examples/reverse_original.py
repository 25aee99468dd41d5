# SPDX-License-Identifier: MIT
"""The two ends of `reverse_server` with the standard library alone: a server in one epoll loop with a state
machine for each connection, and a client in a thread each.

    reverse_original.py serve             says where it listens
    reverse_original.py connect HOST PORT CLIENTS REQUESTS
"""
import select
import socket
import sys
import threading


class connection:
    """Reads the length, reads the text, writes the reply, and again."""

    def __init__(self, sock):
        self.sock, self.received, self.reply = sock, b"", b""

    def step(self):
        """Goes as far as it can without waiting; False at the end."""
        data = self.sock.recv(65536)
        if not data:
            return False
        self.received += data
        while len(self.received) >= 5 and len(self.received) >= 5 + int(self.received[:5]):
            size = int(self.received[:5])
            text, self.received = self.received[5:5 + size], self.received[5 + size:]
            self.sock.sendall(b"%05d" % size + text[::-1])
        return True


def serve():
    listener = socket.create_server(("127.0.0.1", 0))
    print("listening on %s:%d" % listener.getsockname(), flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    connections = {}
    while True:
        for fd, _ in poll.poll():
            if fd == listener.fileno():
                sock, _ = listener.accept()
                connections[sock.fileno()] = connection(sock)
                poll.register(sock, select.EPOLLIN)
            elif not connections[fd].step():
                poll.unregister(fd)
                connections.pop(fd).sock.close()


def receive(sock, size):
    received = b""
    while len(received) < size:
        part = sock.recv(size - len(received))
        assert part, "the server has closed"
        received += part
    return received


def ask(sock, text, digits=5):
    sock.sendall(b"%0*d" % (digits, len(text)) + text)
    size = receive(sock, digits)
    assert size.isdigit(), size
    return receive(sock, int(size))


def connect(host, port, clients, requests):
    wrong = []

    def client(number):
        try:
            with socket.create_connection((host, port)) as sock:
                for i in range(requests):
                    text = b"client %d asks %d" % (number, i) * (i + 1)
                    assert ask(sock, text) == text[::-1], text
        except Exception as error:  # a thread tells nobody
            wrong.append(repr(error))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    print(wrong if wrong else "all came", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        connect(sys.argv[2], *map(int, sys.argv[3:]))
