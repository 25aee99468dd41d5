# SPDX-License-Identifier: MIT
"""count_words says what wc says of the same files, in folders of folders, on each backend."""
import os
import random
import tempfile
from pathlib import Path

from programs import backends, expect, run


def fill(top):
    """Files of words, some of them large, and what wc would count."""
    draw = random.Random(7)
    total = [0, 0, 0, 0]
    for number in range(60):
        place = top / f"folder {number % 7}" / str(number % 3)
        place.mkdir(parents=True, exist_ok=True)
        words = [draw.choice([b"mill", b"wheel ", b"water\n", b"\t", b"\xff\xfe "])
                 for _ in range(draw.choice([0, 10, 100_000]))]
        text = b"".join(words)
        (place / f"{number}.txt").write_bytes(text)
        for place_of, size in enumerate((1, text.count(b"\n"), len(text.split()), len(text))):
            total[place_of] += size
    os.symlink("/", top / "elsewhere")  # not followed
    os.mkfifo(top / "fifo")
    return "{} files, {} lines, {} words, {} bytes\n".format(*total)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        expected = fill(Path(name))
        for backend in backends():
            got = run("count_words", name, "--backend", backend).stdout
            expect(got == expected, f"{backend}: {got!r} is not {expected!r}")
    run("count_words", "/no/such/folder", status=2)
