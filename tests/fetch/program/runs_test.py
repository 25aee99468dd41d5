# SPDX-License-Identifier: MIT
"""leat-fetch against origins of Python's, over HTTP and HTTPS: files, lines, lists, and what has failed."""
import hashlib
import ssl
import tempfile
import threading
from pathlib import Path

from certificates import authority
from fetching import (backends, bad_input, checksum, fetch, names_in, refused, several_kinds, summary_of)
from origins import body_of, site
from programs import expect

sizes = [0, 1, 999, 16384, 70000, 1_000_000]


def answer(asked):
    where = asked.path.strip("/")
    if where.startswith("size/"):
        size = int(where.split("/")[1])
        asked.serve(body_of(size, size))
    elif where.startswith("redirect/"):
        asked.reply(302, b"", ("Location", "/" + where.split("/", 1)[1]))
    elif where == "loop":
        asked.reply(302, b"", ("Location", "/loop"))
    elif where == "short":
        asked.begin(200, 100)
        asked.wfile.write(b"only this")
        asked.close_connection = True
    else:
        asked.reply(404, b"no")


def every_byte_arrives(plain, secure, trusted, backend, tmp):
    urls = [f"{base}/size/{size}" for base in (plain, secure) for size in sizes] * 5
    listed = tmp / "urls"
    listed.write_text("# a comment\n\n" + "\n".join(urls) + "\n")
    out = tmp / "made" / backend
    done = fetch("-i", listed, "--output-dir", out, "--cacert", trusted, "--parallel", "7",
                 "--backend", backend)
    expect(sum(line.startswith("GET: ") for line in done.stdout.splitlines()) == len(urls), done.stdout)
    for url in set(urls):
        told = done.stdout.count(f": {url.rsplit('/', 1)[1]} bytes received from {url}.\n")
        expect(told == urls.count(url), f"{url} is told {told} times")
    for size in sizes:
        files = [out / name for name in names_in(out) if name.split(".")[0] == str(size)]
        expect(len(files) == 10, f"ten files of {size} bytes, not {files}")
        expect(all(file.read_bytes() == body_of(size, size) for file in files), f"every one of {size} bytes")
    total = sum(int(url.rsplit("/", 1)[1]) for url in urls)
    expect(summary_of(done).startswith(f"{len(urls)} of {len(urls)} URLs, {total} bytes in "), done.stdout)


def one_failure_stops_no_other(plain, secure, backend, tmp):
    bad = {
        f"{plain}/missing": "the server answered 404",
        f"{plain}/short": "body ended after 9 of 100 bytes",
        f"{plain}/loop": "redirect",
        "http://127.0.0.1:1/refused": "Connection refused",
        "http://no-such-host.invalid/": "no-such-host.invalid",
        "ftp://127.0.0.1/": "ftp",
        f"{secure}/size/1": "certificate",
        "http://127.0.0.1:99999/": "99999",
    }
    good = f"{plain}/redirect/size/999"
    with tempfile.TemporaryDirectory(dir=tmp) as out:
        done = fetch(*bad, good, "--output-dir", out, "--backend", backend, "--tries", "1",
                     status=several_kinds)
        for url, why in bad.items():
            lines = [line for line in done.stderr.splitlines() if url in line]
            expect(len(lines) == 1 and why in lines[0], f"{url}: one line with {why!r}: {done.stderr}")
        expect(f"999: 999 bytes received from {good}.\n" in done.stdout, done.stdout)
        expect(f", {len(bad)} failed" in summary_of(done), done.stdout)
        expect(names_in(out) == ["999"], f"a failure leaves no file: {names_in(out)}")
    fetch(f"{secure}/size/999", "--insecure", "--discard", "--backend", backend)


def names_stay_in_their_folder(plain, tmp):
    out = tmp / "inner"
    fetch(*(f"{plain}/size/1/{end}" for end in ("..%2f..%2fescaped", ".hidden", "")), "--output-dir", out)
    expect(names_in(out) == ["_._.._escaped", "_hidden", "index.html"], str(names_in(out)))
    fetch(f"{plain}/size/1", "--output-dir", out, "--output", "{host}/{number:3}-{name}")
    where = plain.split("//")[1]
    expect(names_in(out / where) == ["001-1"], str(names_in(out / where)))


def files_go_where_it_runs_unless_they_are_discarded(plain, tmp):
    with tempfile.TemporaryDirectory(dir=tmp) as out:
        done = fetch(f"{plain}/size/999", "--discard", cwd=out)
        expect(f"\n999 bytes received from {plain}/size/999.\n" in done.stdout, done.stdout)
        expect(names_in(out) == [], "nothing is written")
        fetch(f"{plain}/size/999", cwd=out)
        expect(names_in(out) == ["999"], str(names_in(out)))


def the_exit_status_tells_the_kind_of_failure(plain):
    fetch(f"{plain}/missing", f"{plain}/absent", f"{plain}/size/1", "--discard", status=refused)
    fetch(f"{plain}/missing", "nonsense", "--discard", status=several_kinds)
    fetch("nonsense", "--discard", status=bad_input)
    expect(fetch(status=2).stderr == "leat-fetch: no URL is given\n", "no URL")
    done = fetch("--parallel", "0", plain, status=2)
    expect(done.stderr.startswith("leat-fetch: --parallel: ") and done.stderr.count("\n") == 1, done.stderr)
    expect("--if-there" in fetch("--help").stdout, "it tells its options")


def checksums_are_checked(plain, tmp):
    right = hashlib.sha256(body_of(70000, 70000)).hexdigest()
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    url = f"{plain}/size/70000"
    lines = f"{url}\tout=right\tchecksum=sha-256={right}\n{url}\tout=wrong\tchecksum=sha-256={wrong}\n"
    with tempfile.TemporaryDirectory(dir=tmp) as out:
        done = fetch("-i", "-", "--output-dir", out, input=lines, status=checksum)
        expect(names_in(out) == ["right"], f"what is not as it must be has no name: {names_in(out)}")
        expect(done.stderr == f"error: {url}: its sha-256 is {right}\n", done.stderr)


def what_has_failed_can_be_fetched_later(tmp):
    there = threading.Event()
    origin = site(lambda asked: asked.serve(b"here") if there.is_set() or asked.path == "/good"
                  else asked.reply(404, b""))
    line = f"{origin.url}/a\tout=deep/a\tsize=4\theader=X-Token: some"
    lines = f"{origin.url}/good\n{line}\nnonsense\n{origin.url}/b\n"
    failed = tmp / "failed"
    with tempfile.TemporaryDirectory(dir=tmp) as name:
        out = Path(name)
        fetch("-i", "-", "--output-dir", out, "--failed", failed, input=lines, status=several_kinds)
        listed = failed.read_text().splitlines()
        mistake = "# standard input:3: nonsense: it does not begin with http:// or https://"
        expect(sorted(listed) == sorted([line, mistake, origin.url + "/b"]), str(listed))
        there.set()
        origin.requests.clear()
        fetch("-i", failed, "--output-dir", out, "--failed", failed)
        expect(sorted(path for path, _ in origin.requests) == ["/a", "/b"], "only these")
        expect([sent["X-Token"] for path, sent in origin.requests if path == "/a"] == ["some"], "its field")
        expect((out / "deep/a").read_bytes() == b"here", "in its place")
        expect(failed.read_text() == "", failed.read_text())


def names_that_servers_give(tmp):
    fields = {
        "/plain": 'attachment; filename="report; final.pdf"',
        "/other": "attachment; filename*=UTF-8''na%C3%AFve.txt",
        "/bad": 'attachment; filename="../../.bashrc"',
        "/none": "inline",
    }
    origin = site(lambda asked: asked.reply(200, b"some", ("Content-Disposition", fields[asked.path])))
    urls = [origin.url + path for path in fields]
    with tempfile.TemporaryDirectory(dir=tmp) as out:
        fetch(*urls, "--output-dir", out)
        expect(names_in(out) == ["bad", "none", "other", "plain"], "not unless it is asked for")
    with tempfile.TemporaryDirectory(dir=tmp) as out:
        fetch(*urls, "--output-dir", out, "--content-disposition")
        expect({"report; final.pdf", "na\u00efve.txt", "none"} < set(names_in(out)), str(names_in(out)))
        expect(len(names_in(out)) == 4 and not any(name.startswith(".") for name in names_in(out)),
               str(names_in(out)))


def fields_of_its_own_are_refused(plain):
    done = fetch(f"{plain}/size/1", "--discard", "-H", "range: bytes=1-", status=2)
    expect(done.stderr == "leat-fetch: --header: range cannot be given: what is there of a file is gone on "
                          "with, as --resume and --continue say\n", done.stderr)
    done = fetch("-i", "-", "--discard", input=f"{plain}/size/1\theader=Host: other\n", status=bad_input)
    expect("Host cannot be given: it is the URL's" in done.stderr, done.stderr)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        tmp = Path(name)
        trust = authority(tmp)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(trust.issue("origin"))
        plain, secure = site(answer).url, site(answer, context).url
        for backend in backends():
            every_byte_arrives(plain, secure, trust.file, backend, tmp)
            one_failure_stops_no_other(plain, secure, backend, tmp)
        names_stay_in_their_folder(plain, tmp)
        files_go_where_it_runs_unless_they_are_discarded(plain, tmp)
        the_exit_status_tells_the_kind_of_failure(plain)
        checksums_are_checked(plain, tmp)
        fields_of_its_own_are_refused(plain)
        what_has_failed_can_be_fetched_later(tmp)
        names_that_servers_give(tmp)
