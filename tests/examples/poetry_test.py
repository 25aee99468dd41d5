# SPDX-License-Identifier: MIT
"""poetry_server, poetry_sync and poetry_async: poems arrive whole, and at once is quicker than in turn."""
import re
import tempfile

from programs import backends, expect, run, server


def seconds(output):
    match = re.search(r"^Got poems in (\d+):(\d\d):(\d\d\.\d{3})$", output, re.MULTILINE)
    expect(match, f"the time is told: {output!r}")
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def poems_in_turn_and_at_once(backend):
    arguments = ["--ports", "0,0,0", "--pause", "0.05", "--backend", backend]
    with server("poetry_server", *arguments, listeners=3) as places:
        in_turn = run("poetry_sync", *places, "--backend", backend).stdout
        for number in (1, 2, 3):
            expect(f"Task {number}: 1111222233334444\n" in in_turn, in_turn)
        at_once = run("poetry_async", *places, "--backend", backend).stdout
        for number, place in enumerate(places, 1):
            pieces = re.findall(rf"Task {number}: got (\d+) bytes of poetry from {place}\n", at_once)
            expect(sum(map(int, pieces)) == 16, at_once)
            expect(f"Task {number} finished\n" in at_once, at_once)
        expect(at_once.count("\n1111222233334444") == 3, at_once)
        # 12 pauses of 50 ms in turn: no machine makes that shorter. Their order shows that they overlap.
        expect(seconds(in_turn) >= 0.6, in_turn)
        first_end = at_once.index("finished")
        expect(all(f"Task {number}: got" in at_once[:first_end] for number in (1, 2, 3)), at_once)


def a_file_is_recited_with_its_blank_lines():
    with tempfile.NamedTemporaryFile("w") as poem:
        poem.write("first\n\nlast\n")
        poem.flush()
        with server("poetry_server", "--ports", "0", "--pause", "0", poem.name) as (place,):
            expect("Task 1: first\n\nlast\n" in run("poetry_sync", place).stdout, "the whole file")


if __name__ == "__main__":
    for backend in backends():
        poems_in_turn_and_at_once(backend)
    a_file_is_recited_with_its_blank_lines()
    expect(run("poetry_server", "/no/such/poem", status=1).stderr
           == "error: /no/such/poem: No such file or directory\n", "a missing file is named")
