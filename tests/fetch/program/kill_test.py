# SPDX-License-Identifier: MIT
"""leat-fetch, killed at any moment and run again: every byte is right, and what was whole is not fetched
again. LEAT_KILLS=50 in the environment kills it more often."""
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path

from fetching import fetch, names_in, program, summary_of
from origins import body_of, site_of
from programs import expect, patience

count = 200


def contents():
    """Of 1 KB to 1 MB."""
    sizes = random.Random(1)
    return {f"/{number:03}": body_of(number, int(1000 * 1000 ** sizes.random())) for number in range(count)}


def whole_files(files, out):
    """The paths of those that have their name, and every byte."""
    names = [name for name in names_in(out) if ".part" not in name]
    wrong = [name for name in names if (out / name).read_bytes() != files["/" + name]]
    expect(not wrong, f"what has its name is whole: {wrong}")
    return {"/" + name for name in names}


def kill_after(origin, requests, delay, arguments):
    """Once so many requests have come, and that many seconds have gone by."""
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
    try:
        with origin.change:
            expect(origin.change.wait_for(lambda: len(origin.requests) >= requests, patience), "it asks")
        time.sleep(delay)
    finally:
        process.kill()
        process.wait()


def killed_and_run_again(files, origin, moments, tmp):
    """How many files were whole, and how many gone on with."""
    listed = tmp / "list"
    listed.write_text("\n".join(origin.url + path for path in files))
    with tempfile.TemporaryDirectory(dir=tmp) as name:
        out = Path(name)
        arguments = ["-i", listed, "--output-dir", out, "--if-there", "skip"]
        origin.requests.clear()
        kill_after(origin, moments.randrange(1, count + 1), moments.random() ** 3 / 10, arguments)
        whole = whole_files(files, out)
        done = fetch(*arguments, "--header", "run: again")
        asked = [(path, sent["Range"]) for path, sent in origin.requests if sent["run"] == "again"]
        again = [path for path, _ in asked]
        expect(not whole & set(again), f"what was whole is not asked for: {whole & set(again)}")
        expect(sorted(again) == sorted(files.keys() - whole), f"all else is, once: {again}")
        expect(whole_files(files, out) == files.keys(), "all are whole then")
        left = [name for name in names_in(out) if ".part" in name]
        expect(all(name.endswith(".note") for name in left), f"nothing else is left: {left}")
        expect(summary_of(done).startswith(f"{count} of {count} URLs, "), done.stdout[-200:])
        return len(whole), sum(part is not None for _, part in asked)


if __name__ == "__main__":
    files = contents()
    origin = site_of(files)
    seed = int(os.environ.get("LEAT_SEED", random.randrange(1 << 32)))
    print(f"LEAT_SEED={seed}")
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        for number in range(int(os.environ.get("LEAT_KILLS", 10))):
            whole, parts = killed_and_run_again(files, origin, moments, Path(name))
            print(f"{number}: {whole} files were whole, {parts} were gone on with")
