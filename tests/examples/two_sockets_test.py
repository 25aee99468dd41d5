# SPDX-License-Identifier: MIT
"""two_sockets and one_shot_server, with plain sockets of Python and with the servers beside them."""
import re
import select
import socket
import threading

from programs import backends, expect, patience, port_of, run, server

messages = ["This is the message. ", "It will be sent ", "in parts."]


def check_talk(text, reply_to):
    """Both connections send, and then both have received, three times."""
    lines = text.splitlines()
    expect(len(lines) == 12, f"twelve lines: {text}")
    addresses = [line.split(": ")[0] for line in lines[:2]]
    expect(all(re.fullmatch(r"127\.0\.0\.1:\d+", each) for each in addresses) and len(set(addresses)) == 2,
           f"two addresses: {addresses}")
    expected = []
    for message in messages:
        expected += [f'{each}: sending "{message}"' for each in addresses]
        expected += [f'{each}: received "{reply_to(message)}"' for each in addresses]
    expect(lines == expected, f"{expected}, not {lines}")


def echo_with_select(listener, pieces):
    """The server of two connections, in one thread, as it was written for select; replies in pieces."""
    open_sockets, clients = [listener], 0
    while len(open_sockets) > 1 or clients < 2:
        readable, _, _ = select.select(open_sockets, [], [], patience)
        expect(readable, "somebody connects or sends")
        for each in readable:
            if each is listener:
                client, _ = listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                open_sockets.append(client)
                clients += 1
            elif data := each.recv(1024):
                for at in range(0, len(data), pieces):
                    each.sendall(data[at:at + pieces])
            else:
                open_sockets.remove(each)
                each.close()


def with_the_server_of_select(backend, pieces):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=echo_with_select, args=(listener, pieces))
        thread.start()
        done = run("two_sockets", "127.0.0.1:%d" % listener.getsockname()[1], "--backend", backend)
        thread.join()
    check_talk(done.stdout, str)


def a_server_that_closes_is_a_failure(place):
    done = run("two_sockets", place, status=1)
    expect(done.stderr.count("\n") == 1 and place in done.stderr, f"one line with the place: {done.stderr}")


def one_shot_answers_once(place):
    for sent in (b"first", b"x" * 10000):
        with socket.create_connection(("127.0.0.1", port_of(place)), timeout=patience) as client:
            client.sendall(sent)
            first = client.recv(65536)
            expect(first and sent.startswith(first), "it answers")
            try:
                client.sendall(b"second")
                rest = b""
                while chunk := client.recv(65536):
                    rest += chunk
            except ConnectionError:
                continue
            expect(b"second" not in rest, "it answers once")
    with socket.create_connection(("127.0.0.1", port_of(place)), timeout=patience) as client:
        client.shutdown(socket.SHUT_WR)
        expect(client.recv(10) == b"", "who asks nothing gets no answer")


if __name__ == "__main__":
    for backend in backends():
        with_the_server_of_select(backend, 1024)
        with_the_server_of_select(backend, 1)
        any_port = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        for name, reply_to in (("echo_server", str), ("upper_server", str.upper),
                               ("readiness_callbacks", str)):
            with server(name, *any_port) as places:
                check_talk(run("two_sockets", places[0], "--backend", backend).stdout, reply_to)
        with server("one_shot_server", *any_port) as places:
            one_shot_answers_once(places[0])
            a_server_that_closes_is_a_failure(places[0])
    done = run("two_sockets", "nowhere", status=2)
    expect(done.stderr == "two_sockets: server: 'nowhere' is not HOST:PORT\n", done.stderr)
    for program in ("two_sockets", "one_shot_server"):
        expect("8001" in run(program, "--help").stdout, f"{program} has port 8001 unless it is told another")
