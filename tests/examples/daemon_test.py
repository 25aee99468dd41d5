# SPDX-License-Identifier: MIT
"""The servers in the background (--daemon)."""
import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from programs import answers, backends, expect, folder, patience, port_of, run


class background:
    """An echo server with its files in a folder, which is also where the commands are given."""

    def __init__(self, place, backend, log=True, program="echo_server", options=("--port", "0")):
        self.place = Path(place)
        self.program = program.split()
        self.options = ["--host", "127.0.0.1", *options, "--backend", backend, "--pid-file", "it.pid"]
        if log:
            self.options += ["--log-file", "it.log"]

    def command(self, command, status=0):
        return run(*self.program, "--daemon", command, *self.options, status=status, cwd=self.place)

    def start(self):
        said = self.command("start").stdout
        places = re.findall(r"^listening on (\S+)$", said, re.MULTILINE)
        expect(places, f"start tells where it listens: {said!r}")
        return int(port_of(places[0]))

    def pid(self):
        return int(re.fullmatch(r"running, process id (\d+)\n", self.command("status").stdout)[1])

    def pid_file(self):
        return self.place / "it.pid"


@contextlib.contextmanager
def daemon(backend, **options):
    """A server that does not run yet, and does not when this ends."""
    with tempfile.TemporaryDirectory() as place:
        made = background(place, backend, **options)
        try:
            yield made
        finally:
            made.command("stop")


def echoes(port):
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
        client.sendall(b"wheel")
        return client.recv(5, socket.MSG_WAITALL) == b"wheel"


def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=patience).close()
        return False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it closes just now
        return False


def wait_for_end(pid):
    """Of a process that may be reaped by anybody."""
    with contextlib.suppress(ProcessLookupError):
        with open(os.pidfd_open(pid), "rb", buffering=0) as process:
            expect(select.select([process], [], [], patience)[0], f"process {pid} ends")


def lives_and_ends(backend, **options):
    with daemon(backend, **options) as it:
        expect(it.command("status", status=3).stdout == "not running\n", "nothing runs at first")
        port = it.start()
        expect(echoes(port), "it serves when start returns")
        pid = it.pid()
        expect(it.pid_file().read_text() == f"{pid}\n", "the pid file names it")
        twice = it.command("start", status=1).stderr
        expect(twice == f"error: it already runs, with process id {pid}\n", twice)
        expect(it.pid() == pid and echoes(port), "a second start disturbs nobody")
        expect(it.command("stop").stdout == "stopped\n", "it stops")
        expect(refuses(port) and not it.pid_file().exists(), "nothing is left of it")
        expect(it.command("status", status=3).stdout == "not running\n", "it does not run then")
        expect(it.command("stop").stdout == "was not running\n", "stopping it again is no error")


def lives_apart(backend):
    """Relative paths, which begin where the command is given, and what a daemon has of its own."""
    with daemon(backend) as it:
        it.start()
        pid = it.pid()
        about = Path(f"/proc/{pid}")
        expect(os.readlink(about / "cwd") == "/", "it runs in the root directory")
        expect(os.readlink(about / "fd/0") == "/dev/null", "it has no input")
        log = str(it.place.resolve() / "it.log")
        expect(os.readlink(about / "fd/1") == os.readlink(about / "fd/2") == log, "it writes to its log file")
        status = (about / "status").read_text()
        expect(re.search(r"^Umask:\s+0022$", status, re.MULTILINE), "its umask is 022")
        expect(os.getsid(pid) not in (pid, os.getsid(0)), "it leads no session, and is not of this one")
        expect("listening on 127.0.0.1:" in Path(log).read_text(), "the log file has what it says")
        os.rename(log, log + ".1")
        os.kill(pid, signal.SIGHUP)
        deadline = time.monotonic() + patience
        while not os.path.exists(log):
            expect(time.monotonic() < deadline, "the log file is opened anew at SIGHUP")
        expect(it.pid() == pid, "SIGHUP does not end it")


def pid_file_has_a_default(backend):
    with tempfile.TemporaryDirectory() as place:
        options = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        try:
            run("echo_server", "--daemon", "start", *options, cwd=place)
            expect(os.listdir(place) == ["echo_server.pid"], f"the pid file is here: {os.listdir(place)}")
        finally:
            run("echo_server", "--daemon", "stop", cwd=place)


def one_of_two_starts(backend):
    with daemon(backend) as it:
        command = [folder / "echo_server", "--daemon", "start", *it.options]
        both = [subprocess.Popen(command, cwd=it.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for _ in range(2)]
        statuses = sorted(each.wait(patience) for each in both)
        expect(statuses == [0, 1], f"one of two starts at once succeeds: {statuses}")
        it.pid()


def a_start_that_fails_says_why(backend):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for log in (True, False):
            with daemon(backend, log=log, options=("--port", str(port))) as it:
                said = it.command("start", status=1).stderr
                expect(said == f"error: listen on 127.0.0.1:{port}: Address already in use\n", said)
                it.command("status", status=3)


def stale_and_recycled(backend):
    with daemon(backend) as it:
        it.start()
        pid = it.pid()
        os.kill(pid, signal.SIGKILL)
        wait_for_end(pid)
        expect(it.command("status", status=1).stdout == "not running, but its pid file is there\n",
               "one that was killed is dead, not stopped")
        it.start()
        expect(it.pid() != pid, "a stale pid file is no obstacle")
        it.command("stop")
        innocent = subprocess.Popen(["sleep", "60"])
        try:
            it.pid_file().write_text(f"{innocent.pid}\n")
            it.command("status", status=1)
            expect(it.command("stop").stdout == "was not running\n", "a recycled pid is not believed")
            it.pid_file().write_text(f"{innocent.pid}\n")
            it.command("restart")
            expect(innocent.poll() is None and it.pid() != innocent.pid, "its new owner is not signalled")
        finally:
            innocent.kill()
            innocent.wait()


def a_lock_for_reading_is_not_its_own(backend):
    with daemon(backend) as it:
        it.pid_file().write_text("1\n")
        code = ("import fcntl, sys; file = open(sys.argv[1]); fcntl.lockf(file, fcntl.LOCK_SH); "
                "print(flush=True); input()")
        reader = subprocess.Popen([sys.executable, "-c", code, it.pid_file()], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        try:
            reader.stdout.readline()
            it.command("status", status=1)
            it.command("stop")
            expect(reader.poll() is None, "who only reads the pid file is not signalled")
        finally:
            reader.kill()
            reader.communicate()


def a_pipe_as_pid_file_is_not_waited_for():
    with tempfile.TemporaryDirectory() as place:
        os.mkfifo(f"{place}/it.pid")
        done = run("echo_server", "--daemon", "status", "--pid-file", "it.pid", status=1, cwd=place)
        expect(done.stdout == "not running, but its pid file is there\n", f"it does not wait: {done}")


def it_is_no_service_of_the_manager_of_its_starter(backend):
    with daemon(backend) as it:
        os.environ["NOTIFY_SOCKET"] = "/nowhere/notify"
        try:
            port = it.start()
        finally:
            del os.environ["NOTIFY_SOCKET"]
        expect(echoes(port), "it runs, though nobody hears at NOTIFY_SOCKET")


def a_log_that_was_renamed_is_closed(backend):
    with daemon(backend) as it:
        it.start()
        os.rename(it.place / "it.log", it.place / "old.log")
        os.kill(it.pid(), signal.SIGHUP)
        deadline = time.monotonic() + patience
        while not (it.place / "it.log").exists():
            expect(time.monotonic() < deadline, "the log is opened anew")
        files = {os.readlink(f"/proc/{it.pid()}/fd/{each}") for each in os.listdir(f"/proc/{it.pid()}/fd")}
        expect(str(it.place / "old.log") not in files, f"the old log is closed: {files}")


def no_socket_is_a_standard_stream(backend):
    """With its standard error closed, what it listens on has another number."""
    command = [folder / "prefork_server", "--host", "127.0.0.1", "--port", "0", "--backend", backend]
    with subprocess.Popen(["bash", "-c", 'exec "$@" 2>&-', "bash", *command], stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            expect(process.stdout.readline().startswith("listening on "), "it starts")
            expect(os.readlink(f"/proc/{process.pid}/fd/2") == "/dev/null", "no socket is its standard error")
        finally:
            process.terminate()
            process.wait(patience)


def a_stop_waits_for_the_drain(backend):
    with daemon(backend) as it:
        port = it.start()
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as client:
            client.sendall(b"1")
            client.recv(1)
            command = [folder / "echo_server", "--daemon", "stop", *it.options]
            stopping = subprocess.Popen(command, cwd=it.place, stdout=subprocess.PIPE, text=True)
            while not refuses(port):
                pass
            client.sendall(b"2")
            expect(client.recv(1) == b"2", "a connection that is open is served to its end")
            expect(stopping.poll() is None, "stop waits for that")
        expect(stopping.communicate(timeout=patience)[0] == "stopped\n", "then it is stopped")


def a_stop_forces_what_hangs(backend):
    with daemon(backend) as it:
        it.start()
        os.kill(it.pid(), signal.SIGSTOP)
        said = it.command("stop").stdout
        expect(said == "did not stop, and was killed\n", f"a process that hangs is killed: {said}")
        it.command("status", status=3)


def restarts(backend):
    with daemon(backend) as it:
        it.command("restart")
        pid = it.pid()
        said = it.command("restart").stdout
        expect(re.fullmatch(r"stopped\nlistening on 127\.0\.0\.1:\d+\n", said), said)
        expect(it.pid() != pid, "another process runs after a restart")


def bad_arguments_are_one_line():
    done = run("echo_server", "--daemon", "begin", status=2)
    expect(done.stderr.count("\n") == 1 and "begin" in done.stderr, done.stderr)
    for command, status in ("start", 1), ("stop", 1), ("status", 4):
        done = run("echo_server", "--daemon", command, "--pid-file", "/dev/null/pid", "--port", "0",
                   status=status)
        expect(done.stderr == "error: pid file /dev/null/pid: Not a directory\n", done.stderr)
    done = run("echo_server", "--daemon", "start", "--log-file", "/dev/null/log", "--port", "0", status=1)
    expect(done.stderr == "error: log file /dev/null/log: Not a directory\n", done.stderr)


def answers_in_the_background(name, backend, question, answer):
    with daemon(backend, program=name) as it:
        with socket.create_connection(("127.0.0.1", it.start()), timeout=patience) as client:
            client.sendall(question)
            expect(client.recv(len(answer)) == answer, f"{name} answers in the background")
        expect(it.pid() > 0, f"{name} runs until it is stopped")


def main():
    bad_arguments_are_one_line()
    a_pipe_as_pid_file_is_not_waited_for()
    for backend in backends():
        lives_and_ends(backend)
        lives_and_ends(backend, log=False)
        lives_apart(backend)
        pid_file_has_a_default(backend)
        one_of_two_starts(backend)
        a_start_that_fails_says_why(backend)
        stale_and_recycled(backend)
        a_stop_waits_for_the_drain(backend)
        restarts(backend)
        a_lock_for_reading_is_not_its_own(backend)
        it_is_no_service_of_the_manager_of_its_starter(backend)
        a_log_that_was_renamed_is_closed(backend)
        no_socket_is_a_standard_stream(backend)
        with daemon(backend, program="poetry_server", options=("--ports", "0,0,0")) as it:
            said = it.command("start").stdout
            expect(said.count("listening on") == 3, f"start waits for all three ports: {said}")
        for name, (question, answer) in answers.items():
            answers_in_the_background(name, backend, question, answer)
    a_stop_forces_what_hangs(backend)


if __name__ == "__main__":
    main()
