# SPDX-License-Identifier: MIT
"""prefork_server: workers that are killed, crash, are replaced and drained, with clients of Python's own."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from programs import backends, expect, folder, patience, port_of, run


def children(parent):
    """{process id: state} of the processes that `parent` has made and not reaped."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            state, owner = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[:2]
            if int(owner) == parent:
                found[int(entry)] = state
    return found


def wait_until(holds, what):
    deadline = time.monotonic() + patience
    while not (seen := holds()):
        expect(time.monotonic() < deadline, what)
    return seen


def wait_for_end(pid):
    with contextlib.suppress(ProcessLookupError):
        with open(os.pidfd_open(pid), "rb", buffering=0) as process:
            expect(select.select([process], [], [], patience)[0], f"process {pid} ends")


class supervisor:
    """A prefork_server whose workers are all ready."""

    def __init__(self, backend, count, *options, ignoring=()):
        def prepare():
            os.setpgid(0, 0)
            for number in ignoring:
                signal.signal(number, signal.SIG_IGN)

        self.count = count
        command = [folder / "prefork_server", "--host", "127.0.0.1", "--port", "0", "--backend", backend,
                   "--workers", str(count), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=prepare)
        self.pid = self.process.pid
        match = re.fullmatch(r"listening on (\S+)\n", self.process.stdout.readline())
        expect(match, "prefork_server says where it listens")
        self.port = int(port_of(match[1]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        left = self.workers()
        self.process.kill()
        for each in left:  # one may be stopped, and not end when its supervisor does
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self.process.communicate()

    def workers(self):
        return sorted(children(self.pid))

    def all_workers(self, but=()):
        """As many as there are to be, none of them in `but`, and no zombie."""
        def seen():
            found = children(self.pid)
            return sorted(found) if len(found) == self.count and not set(found) & set(but) \
                and "Z" not in found.values() else None
        return wait_until(seen, f"{self.count} workers run, not {children(self.pid)}")

    def ends(self, status=0):
        expect(self.process.wait(patience) == status, f"the supervisor ends with {status}")


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=patience)


def echoes(client, text=b"wheel"):
    client.sendall(text)
    return client.recv(len(text), socket.MSG_WAITALL) == text


class load:
    """Clients that connect, send, receive and close, again and again. `lost` are the connections that broke,
    `refused` those that were not made."""

    def __init__(self, port, clients=8):
        self.port, self.done, self.lost, self.refused = port, 0, 0, 0
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]

    def work(self):
        while not self.ending.is_set():
            try:
                client = connect(self.port)
            except OSError:
                self.refused += 1
                continue
            with client:
                try:
                    if echoes(client):
                        self.done += 1
                    else:
                        self.lost += 1
                except OSError:
                    self.lost += 1

    def goes_on(self):
        before = self.done
        wait_until(lambda: self.done > before + 50, "clients are served")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()


def each_worker_serves_and_all_drain(backend):
    with supervisor(backend, 3) as server:
        workers = server.all_workers()
        clients = [connect(server.port) for _ in range(8)]
        expect(all(map(echoes, clients)), "the workers answer")
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server.port), "nobody listens any more")
        expect(all(map(echoes, clients)), "connections that are open go on")
        expect(server.process.poll() is None, "the supervisor waits for them")
        for client in clients:
            client.close()
        server.ends()
        left = [each for each in workers if os.path.exists(f"/proc/{each}")]
        expect(not left, f"no worker is left, nor a zombie: {left}")
        expect(server.process.stderr.read() == "", "an end in order is not worth a word")


def a_signal_to_a_process_and_its_group_is_one_stop(backend):
    """As timeout(1) sends it."""
    with supervisor(backend, 2) as server, connect(server.port) as client:
        expect(echoes(client), "the workers answer")
        server.process.send_signal(signal.SIGTERM)
        os.killpg(server.pid, signal.SIGTERM)
        wait_until(lambda: refuses(server.port), "nobody listens any more")
        expect(echoes(client), "a connection that is open goes on")
        client.close()
        server.ends()


def refuses(port):
    try:
        connect(port).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False


def a_killed_worker_loses_nothing_that_another_could_take(backend):
    """Both workers are stopped, so nothing that is sent now has been taken by either."""
    with supervisor(backend, 2) as server:
        one, other = server.all_workers()
        for each in (one, other):
            os.kill(each, signal.SIGSTOP)
            wait_until(lambda: children(server.pid)[each] == "T", "it is stopped")
        clients = [connect(server.port) for _ in range(50)]
        for client in clients:
            client.sendall(b"wheel")
        os.kill(one, signal.SIGKILL)
        os.kill(other, signal.SIGCONT)
        received = [client.recv(5, socket.MSG_WAITALL) for client in clients]
        expect(received == [b"wheel"] * 50, "every connection that waited is served")
        for client in clients:
            client.close()


def workers_killed_under_load(backend):
    with supervisor(backend, 3) as server, load(server.port) as clients:
        for kill in range(1, 5):
            victim, *_ = workers = server.all_workers()
            os.kill(victim, signal.SIGKILL)
            server.all_workers(but=[victim])
            clients.goes_on()
            expect(clients.lost <= 8 * kill, f"only what the killed one had taken is lost: {clients.lost}")
            expect(set(workers) - {victim} <= set(server.workers()), "the others are left alone")
        expect(clients.refused == 0, f"no connection is refused: {clients.refused}")


def a_crash_loop_backs_off(backend):
    with supervisor(backend, 1) as server:
        said = []
        victim = server.all_workers()[0]
        for _ in range(4):
            os.kill(victim, signal.SIGKILL)
            said.append(server.process.stderr.readline())
            victim = server.all_workers(but=[victim])[0]
        pauses = [re.fullmatch(r"leat: worker 0, process \d+, has ended: killed by SIGKILL"
                               r"(?:, before it was ready)?; another begins in (\d+ \w+)\n", line)
                  for line in said]
        expect(all(pauses) and [each[1] for each in pauses] == ["100 ms", "200 ms", "400 ms", "800 ms"],
               f"each pause is twice as long: {said}")
        server.process.send_signal(signal.SIGTERM)
        server.ends()


def rolling_restarts_refuse_and_lose_nothing(backend):
    with supervisor(backend, 2) as server, connect(server.port) as idle, load(server.port) as clients:
        expect(echoes(idle), "a client is connected all the time")
        for _ in range(3):
            before = server.workers()
            clients.goes_on()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: len(set(server.workers()) - set(before)) == 2, "there are two new workers")
            clients.goes_on()
            if idle.fileno() >= 0:
                expect(echoes(idle), "its old worker serves it to its end")
                idle.close()
            server.all_workers(but=before)
        expect((clients.refused, clients.lost) == (0, 0),
               f"{clients.refused} were refused and {clients.lost} lost of {clients.done}")


def a_stop_forces_what_hangs(backend):
    with supervisor(backend, 2, "--grace", "0.2") as server:
        stopped, _ = server.all_workers()
        os.kill(stopped, signal.SIGSTOP)
        server.process.send_signal(signal.SIGTERM)
        server.ends()
        said = server.process.stderr.read()
        expect(f"process {stopped}, has not ended after 200 ms and is killed" in said, said)


def orphans_end(backend):
    with supervisor(backend, 2) as server:
        workers = server.all_workers()
        server.process.kill()
        server.process.wait()
        for each in workers:
            wait_for_end(each)
        expect(refuses(server.port), "nobody is left to listen")


def a_port_that_is_taken_is_told(backend):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("prefork_server", "--host", "127.0.0.1", "--port", str(port), "--backend", backend,
                   status=1)
        expect(done.stderr == f"error: listen on 127.0.0.1:{port}: Address already in use\n", done.stderr)


def it_is_a_daemon_as_well(backend):
    with tempfile.TemporaryDirectory() as place:
        options = ["--host", "127.0.0.1", "--port", "0", "--backend", backend, "--workers", "2",
                   "--pid-file", "it.pid"]
        try:
            said = run("prefork_server", "--daemon", "start", *options, cwd=place).stdout
            port = int(port_of(re.fullmatch(r"listening on (\S+)\n", said)[1]))
            pid = int(Path(place, "it.pid").read_text())
            workers = set(children(pid))
            with connect(port) as client:
                expect(len(workers) == 2 and echoes(client), "its workers serve")
            for each in (pid, *children(pid)):
                output = os.readlink(f"/proc/{each}/fd/1")
                expect(output == "/dev/null", f"without a log file output is dropped: {output}")
            os.kill(pid, signal.SIGHUP)
            wait_until(lambda: len(set(children(pid)) - workers) == 2, "there are two new workers")
        finally:
            run("prefork_server", "--daemon", "stop", *options, cwd=place)
        expect(refuses(port), "it is stopped with its workers")


def a_daemon_opens_its_log_file_anew(backend):
    with tempfile.TemporaryDirectory() as place:
        options = ["--host", "127.0.0.1", "--port", "0", "--backend", backend, "--workers", "2",
                   "--pid-file", "it.pid", "--log-file", "it.log"]
        try:
            run("prefork_server", "--daemon", "start", *options, cwd=place)
            pid = int(Path(place, "it.pid").read_text())
            before = set(children(pid))
            os.rename(f"{place}/it.log", f"{place}/it.log.1")
            os.kill(pid, signal.SIGHUP)
            wait_until(lambda: len(children(pid)) == 2 and not before & set(children(pid)), "new workers")
            for each in (pid, *children(pid)):
                output = os.readlink(f"/proc/{each}/fd/2")
                expect(output == os.path.realpath(f"{place}/it.log"), f"it writes to the new file: {output}")
        finally:
            run("prefork_server", "--daemon", "stop", *options, cwd=place)


def signals_that_were_ignored_before_it_change_nothing(backend):
    with supervisor(backend, 2, ignoring=(signal.SIGCHLD, signal.SIGTERM)) as server:
        first, other = server.all_workers()
        os.kill(first, signal.SIGKILL)
        expect(other in server.all_workers(but=[first]), "the other goes on while the dead one is replaced")
        with connect(server.port) as client:
            expect(echoes(client), "the workers answer")
        server.process.send_signal(signal.SIGINT)
        server.ends()


def is_told_to_end(worker):
    """Whether it has closed its listening socket."""
    with contextlib.suppress(OSError):
        sockets = {os.readlink(f"/proc/{worker}/fd/{each}") for each in os.listdir(f"/proc/{worker}/fd")}
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return not any(row[3] == "0A" and f"socket:[{row[9]}]" in sockets for row in rows)
    return False


def a_stop_leaves_workers_alone_that_a_restart_has_told_to_end(backend):
    with supervisor(backend, 1) as server:
        [old] = server.all_workers()
        with connect(server.port) as client:
            expect(echoes(client), "the old worker answers")
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: len(server.workers()) == 2, "a successor begins")
            wait_until(lambda: is_told_to_end(old), "the successor is ready, and the old one told to end")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: server.workers() == [old], "the successor ends")
            expect(echoes(client), "the old worker has its grace")
        server.ends()


def main():
    done = run("prefork_server", "--workers", "-1", status=2)
    expect(done.stderr.count("\n") == 1 and "--workers" in done.stderr, done.stderr)
    for backend in backends():
        each_worker_serves_and_all_drain(backend)
        a_signal_to_a_process_and_its_group_is_one_stop(backend)
        a_killed_worker_loses_nothing_that_another_could_take(backend)
        workers_killed_under_load(backend)
        rolling_restarts_refuse_and_lose_nothing(backend)
        a_stop_forces_what_hangs(backend)
        orphans_end(backend)
        a_port_that_is_taken_is_told(backend)
        it_is_a_daemon_as_well(backend)
        a_daemon_opens_its_log_file_anew(backend)
        a_crash_loop_backs_off(backend)
        signals_that_were_ignored_before_it_change_nothing(backend)
        a_stop_leaves_workers_alone_that_a_restart_has_told_to_end(backend)


if __name__ == "__main__":
    main()
