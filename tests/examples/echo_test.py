# SPDX-License-Identifier: MIT
"""echo_server and echo_client: with each other, and with plain sockets of Python."""
import contextlib
import os
import pty
import selectors
import socket
import subprocess
import threading
import time

from programs import allow_descriptors, backends, echoed, expect, folder, patience, port_of, run, server


def a_half_closed_client_gets_its_bytes(place):
    sent = bytes(range(256)) * 4000
    expect(echoed(port_of(place), sent) == sent, "a half-closed client still gets its bytes")


def many_clients_at_once(listening, count):
    """All are connected at once, and the server is back to the descriptors it had when they have gone."""
    with socket.create_connection(("127.0.0.1", port_of(listening[0])), timeout=60) as witness:
        def server_has(expected):
            deadline = time.monotonic() + patience
            while (found := listening.descriptors()) != expected:
                expect(time.monotonic() < deadline, f"{expected} descriptors are open, not {found}")
                witness.sendall(b"x")
                expect(witness.recv(1) == b"x", "the server goes on")
        witness.sendall(b"x")
        expect(witness.recv(1) == b"x", "the server is ready")
        before = listening.descriptors()
        clients = [socket.create_connection(("127.0.0.1", port_of(listening[0])), timeout=60)
                   for _ in range(count)]
        server_has(before + count)
        each_gets_its_bytes(clients)
        server_has(before)


def each_gets_its_bytes(clients):
    """Each sends bytes of its own three times, checks every byte of the replies, and closes."""
    selector = selectors.DefaultSelector()
    for number, client in enumerate(clients):
        message = (b"%06d" % number) * (number % 500 + 1)
        client.sendall(message)
        selector.register(client, selectors.EVENT_READ, [message, b"", 3])
    while selector.get_map():
        ready = selector.select(60)
        expect(ready, "every client gets its reply")
        for key, _ in ready:
            message, received, _ = key.data
            key.data[1] = received = received + key.fileobj.recv(4096)
            expect(message.startswith(received) and received, "every byte comes back in order")
            if received == message:
                key.data[1], key.data[2] = b"", key.data[2] - 1
                if key.data[2]:
                    key.fileobj.sendall(message)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def lines_are_sent_and_printed(place, tmp):
    expected = "Received hello\nReceived last, without newline\n"
    text = "hello\n\nlast, without newline"
    expect(run("echo_client", place, input=text).stdout == expected, "a pipe is read line by line")
    with open(tmp, "w+") as file:
        file.write(text)
        file.flush()
        file.seek(0)
        expect(run("echo_client", place, stdin=file).stdout == expected, "a regular file is read too")
    by_name = run("echo_client", "localhost:" + port_of(place), input="name\n")
    expect(by_name.stdout == "Received name\n", "localhost is known without a look-up")


def a_line_is_sent_as_it_was_typed(place):
    done = subprocess.run([folder / "echo_client", place], input=b"one\r\ntwo\r\n", stdout=subprocess.PIPE,
                          timeout=patience, check=True)
    expect(done.stdout == b"Received one\r\nReceived two\r\n", f"nothing is taken off it: {done.stdout!r}")


def a_name_that_gives_ipv6_first_reaches_ipv4(place, scratch, *arguments):
    """Who listens at the first address gets the client; if nobody does, the next address is tried."""
    port = port_of(place)
    hosts = os.path.join(scratch, "hosts")
    with open(hosts, "w") as file:
        file.write("::1 both.example\n127.0.0.1 both.example\n")
    with_hosts = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                  'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    client = [*with_hosts, folder / "echo_client", f"both.example:{port}", *arguments]
    try:
        first = socket.create_server(("::1", int(port)), family=socket.AF_INET6)
        subprocess.run([*with_hosts, "true"], check=True, capture_output=True, timeout=patience)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"not shown that a name may give ::1 first: {error}")
        return
    with first, subprocess.Popen(client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as talking:
        first.settimeout(patience)
        first.accept()[0].close()
        printed = talking.stdout.read()
        expect(printed == f"[::1]:{port} has closed the connection\n", f"::1 comes first: {printed!r}")
    done = subprocess.run(client, input="name\n", capture_output=True, text=True, timeout=patience)
    expect(done.stdout == "Received name\n", f"a server that has IPv4 only is reached: {done}")


def a_line_longer_than_all_buffers_comes_back(place):
    line = "0123456789abcdef" * (1 << 20)
    done = run("echo_client", place, input=f"{line}\nshort\n")
    expect(done.stdout == f"Received {line}\nReceived short\n", f"16 MB come back: {len(done.stdout)}")


@contextlib.contextmanager
def own_server(answer):
    """Where a server listens that calls `answer` with its only client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            client, _ = listener.accept()
            with client:
                client.settimeout(patience)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                answer(client)
        thread = threading.Thread(target=serve)
        thread.start()
        yield "127.0.0.1:%d" % listener.getsockname()[1]
        thread.join()


def a_server_that_closes_ends_the_client():
    def answer_once(client):
        request = client.recv(100)
        client.sendall(request[:2])
        client.sendall(request[2:3])

    def answer_half(client):
        client.sendall(client.recv(100)[:2])

    for answer, received in ((answer_once, "Received one\n"), (answer_half, "Received on\n")):
        with own_server(answer) as where:
            done = run("echo_client", where, input="one\n" + "two\n" * 100000)
        expect(done.stdout == f"{received}{where} has closed the connection\n",
               f"it says so and ends: {done.stdout[:200]!r}")


def other_servers_are_talked_to(*arguments):
    with server("one_shot_server", *arguments) as listening:
        done = run("echo_client", listening[0], input="one\ntwo\n")
        expect(done.stdout == f"Received one\n{listening[0]} has closed the connection\n", done.stdout)
    with server("upper_server", *arguments) as listening:
        done = run("echo_client", listening[0], input="quiet\n\nLoud\n")
        expect(done.stdout == "Received QUIET\nReceived LOUD\n", done.stdout)


def a_server_that_closes_is_noticed_while_nobody_types():
    with own_server(lambda client: client.sendall(b"bye")) as where:
        client = subprocess.Popen([folder / "echo_client", where], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        with client:
            printed = client.stdout.read()
            expect(client.wait(patience) == 0, "it ends")
    expect(printed == f"Received bye\n{where} has closed the connection\n", f"it says so: {printed!r}")


def a_server_that_never_answers_is_given_up():
    def listen_only(client):
        while client.recv(100):
            pass

    with own_server(listen_only) as where:
        done = run("echo_client", where, "--timeout", "0.1", input="hello\n", status=1)
        expect(done.stderr == f"error: {where} does not answer: Connection timed out\n", done.stderr)


def an_answer_in_pieces_is_one_answer():
    def one_byte_at_a_time(client):
        while request := client.recv(100):
            for byte in request:
                client.sendall(bytes([byte]))

    with own_server(one_byte_at_a_time) as where:
        done = run("echo_client", where, input="hello\nworld\n")
        expect(done.stdout == "Received hello\nReceived world\n", done.stdout)


def a_terminal_is_read_line_by_line(place):
    try:
        master, terminal = pty.openpty()
    except OSError:  # a container without devpts
        return
    client = subprocess.Popen([folder / "echo_client", place], stdin=terminal, stdout=subprocess.PIPE,
                              text=True)
    with client:
        os.close(terminal)
        for line in ("hello", "world"):
            os.write(master, line.encode() + b"\n")
            expect(client.stdout.readline() == f"Received {line}\n", "each line is answered at once")
        os.write(master, b"\x04")  # the end, as control-D gives it
        expect(client.wait(patience) == 0 and client.stdout.read() == "", "the end of the input ends it")
    os.close(master)


def bad_arguments_are_one_line():
    for arguments in (["--port", "70000"], ["--backend", "kqueue"], ["--port", "x"], ["--no-such"],
                      ["--host", "example.org"], ["--host", ""]):
        done = run("echo_server", *arguments, status=2)
        expect(done.stderr.count("\n") == 1 and arguments[-1].lstrip("-") in done.stderr,
               f"{arguments}: {done.stderr!r}")
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    done = run("echo_client", f"127.0.0.1:{port}", status=1, input="")
    expect(done.stderr == f"error: connect to 127.0.0.1:{port}: Connection refused\n", done.stderr)


if __name__ == "__main__":
    import tempfile
    allow_descriptors(5200)
    for backend in backends():
        arguments = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        with server("echo_server", *arguments) as listening:
            place = listening[0]
            many_clients_at_once(listening, 5000)
            a_half_closed_client_gets_its_bytes(place)
            a_line_longer_than_all_buffers_comes_back(place)
            a_line_is_sent_as_it_was_typed(place)
            with tempfile.NamedTemporaryFile() as tmp:
                lines_are_sent_and_printed(place, tmp.name)
            with tempfile.TemporaryDirectory() as scratch:
                a_name_that_gives_ipv6_first_reaches_ipv4(place, scratch, "--backend", backend)
            a_terminal_is_read_line_by_line(place)
        other_servers_are_talked_to(*arguments)
    a_server_that_closes_ends_the_client()
    a_server_that_closes_is_noticed_while_nobody_types()
    a_server_that_never_answers_is_given_up()
    an_answer_in_pieces_is_one_answer()
    bad_arguments_are_one_line()
