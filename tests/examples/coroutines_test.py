# SPDX-License-Identifier: MIT
"""baozi, ping_pong and two_tasks print what generators, greenlets and gevent print in Python."""
import subprocess

from programs import backends, expect, folder, patience, run


def as_generators_print_it():
    """The same with generators of Python."""
    lines = []

    def consumer(name):
        lines.append("--->starting eating baozi...")
        while True:
            baozi = yield
            lines.append(f"[{name}] is eating baozi {baozi}")

    first, second = consumer("c1"), consumer("c2")
    next(first)
    next(second)
    for number in range(1, 6):
        first.send(number)
        second.send(number)
        lines.append(f"[producer] is making baozi {number}")
    return "\n".join(lines) + "\n"


def prints(program, backend, expected):
    done = run(program, "--backend", backend)
    expect(done.stdout == expected and done.stderr == "",
           f"{program} prints {expected!r}, not {done.stdout!r} {done.stderr!r}")


if __name__ == "__main__":
    for backend in backends():
        prints("baozi", backend, as_generators_print_it())
        prints("ping_pong", backend, "12\n56\n34\n78\n")
        prints("two_tasks", backend, "1\n2\n2\n1\n")
    for program in ("baozi", "ping_pong", "two_tasks"):
        expect(program in run(program, "--help").stdout, f"{program} explains itself")
        done = run(program, "--no-such", status=2)
        expect(done.stderr.count("\n") == 1 and "no-such" in done.stderr, done.stderr)
        with open("/dev/full", "w") as full:
            done = subprocess.run([folder / program], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=patience)
            expect(done.returncode == 1 and done.stderr.count("\n") == 1, f"{program}: {done.stderr!r}")
