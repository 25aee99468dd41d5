# SPDX-License-Identifier: MIT
"""upper_server: each client gets its own bytes back in upper case, in order, while others are slow."""
import selectors
import socket

from programs import allow_descriptors, backends, expect, patience, port_of, run, server


def connected(place):
    return socket.create_connection(("127.0.0.1", port_of(place)), timeout=patience)


def all_of(client):
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def only_a_to_z_change(place):
    every_byte = bytes(range(256))
    with connected(place) as client:
        client.sendall(every_byte)
        client.shutdown(socket.SHUT_WR)
        expect(all_of(client) == every_byte.upper(), "the bytes a to z become A to Z, and no others change")


def replies_wait_for_a_slow_client(place):
    """It sends much, and takes nothing until it has sent all; others are answered meanwhile."""
    sent = b"".join(b"message %d, " % number for number in range(20000))  # more than a socket holds at first
    with connected(place) as slow, connected(place) as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(sent)
        for number in range(100):
            quick.sendall(b"ask %d;" % number)
            expected = b"ASK %d;" % number
            received = b""
            while len(received) < len(expected):
                received += quick.recv(4096)
            expect(received == expected, f"a quick client is answered: {received}")
        slow.shutdown(socket.SHUT_WR)
        expect(all_of(slow) == sent.upper(), "a slow client gets all its replies, in order")


def a_greedy_client_stops_nobody(place):
    """It sends without an end, and takes nothing: it is not read any more, and others are answered."""
    with connected(place) as greedy, connected(place) as modest:
        greedy.settimeout(0)
        try:
            while True:
                greedy.send(b"x" * 65536)
        except BlockingIOError:
            pass
        modest.sendall(b"and me?")
        modest.shutdown(socket.SHUT_WR)
        expect(all_of(modest) == b"AND ME?", "others are answered")


def many_clients(place, count):
    clients = [connected(place) for _ in range(count)]
    selector = selectors.DefaultSelector()
    for number, client in enumerate(clients):
        client.sendall(b"client %d" % number)
        client.shutdown(socket.SHUT_WR)
        selector.register(client, selectors.EVENT_READ, [b"CLIENT %d" % number, b""])
    while selector.get_map():
        ready = selector.select(patience)
        expect(ready, "every client gets its reply")
        for key, _ in ready:
            chunk = key.fileobj.recv(4096)
            key.data[1] += chunk
            if not chunk:
                expect(key.data[0] == key.data[1], f"{key.data[0]} is not {key.data[1]}")
                selector.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    allow_descriptors(1200)
    for backend in backends():
        with server("upper_server", "--port", "0", "--backend", backend) as places:
            expect(places[0].startswith("127.0.0.1:"), f"it listens on this machine only: {places}")
            only_a_to_z_change(places[0])
            replies_wait_for_a_slow_client(places[0])
            a_greedy_client_stops_nobody(places[0])
            many_clients(places[0], 1000)
    for arguments in (["--port", "70000"], ["--backend", "kqueue"], ["--no-such"]):
        done = run("upper_server", *arguments, status=2)
        expect(done.stderr.count("\n") == 1 and arguments[-1].lstrip("-") in done.stderr, done.stderr)
    expect("7777" in run("upper_server", "--help").stdout, "its port is 7777 unless it is told another")
