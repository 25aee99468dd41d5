# SPDX-License-Identifier: MIT
"""fetch, when servers, networks and URLs are bad: one line that names the URL and the reason, exit status 1,
nothing hangs, no descriptor is left, and the other URLs of the run arrive."""
import os
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from bad_origin import good_body, origin
from certificates import authority
from programs import backends, expect, folder, patience, run

malformed = "the chunked body is malformed"
no_length = "Content-Length is not one whole number"
too_long = "header larger than 65536 bytes"
answers = {  # what goes wrong with a path of the bad origin
    "/short": "body ended after 9 of 100 bytes",
    "/chunk/short": "body ended after 9 bytes, before its last chunk",
    "/chunk/no-last": "body ended after 4 bytes, before its last chunk",
    "/chunk/letters": malformed,
    "/chunk/negative": malformed,
    "/chunk/huge": malformed,
    "/chunk/none": malformed,
    "/chunk/no-newline": malformed,
    "/lengths": "the message has more than one length "
                "(Content-Length or Transfer-Encoding repeated or both)",
    "/length/negative": no_length,
    "/length/huge": no_length,
    "/header/1-MB": too_long,
    "/header/100000-fields": too_long,
    "/header/ends": "the connection ended inside the header",
    "/not-http": "the first line of the message is not HTTP/1.0 or HTTP/1.1",
    "/nothing": "the server closed the connection without an answer",
    "/gzip/broken": "the compressed body is corrupt",
    "/missing": "the server answered 404 Not Found",
    "/unchanged": "the server answered 304 Not Modified",
    "/choices": "the server answered 300 Multiple Choices",
    "/escapes": "the server answered 404 ?2J" + "x" * 97,
    "/reset": "recv from {place}: Connection reset by peer",
    "/reset/in-body": "recv from {place}: Connection reset by peer",
}
redirects = {  # the same, for those that begin by telling where they were redirected to
    "/loop": " (redirected to {base}/loop): too many redirects (10)",
    "/endless/": " (redirected to {base}/endless/xxxxxxxxxx): too many redirects (10)",
}
bad_urls = {
    "http://": "it names no host",
    "nonsense": "it does not begin with http:// or https://",
    "ftp://127.0.0.1/": "its scheme is neither http nor https",
    "http://127.0.0.1:99999/": "its port is not a number from 1 to 65535",
    "http://[::1/": "its host is neither a host name nor an IP address",
    "http://a b/": "its host is neither a host name nor an IP address",
}


def place_of(base):
    return base.split("//")[1]


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return origin(context)


def from_a_bad_origin(base):
    told = {base + path: ": " + why.format(place=place_of(base)) for path, why in answers.items()}
    told |= {base + path: why.format(base=base) for path, why in redirects.items()}
    return {url: f"error: {url}{why}" for url, why in told.items()}


def from_bad_certificates(trust, tmp):
    (tmp / "other").mkdir()
    unsafe = {
        trust.issue("wrong", host="DNS:elsewhere.example"):
            "IP address mismatch: the certificate is for elsewhere.example, not for 127.0.0.1",
        trust.issue("expired", until="20200202000000Z"): "certificate has expired",
        authority(tmp / "other").issue("unknown"): "unable to get local issuer certificate",
    }
    lines = {}
    for certificate, why in unsafe.items():
        base = serving(certificate).url
        refused = f"TLS handshake with {place_of(base)}: certificate verify failed: {why}"
        lines[base + "/good"] = f"error: {base}/good: {refused}"
    return lines


def from_a_bad_network(refusing, not_tls):
    place = f"127.0.0.1:{refusing.getsockname()[1]}"
    not_spoken = "wrong version number (the peer does not seem to speak TLS)"
    return {
        f"https://{not_tls}/": f"error: https://{not_tls}/: TLS handshake with {not_tls}: {not_spoken}",
        f"http://{place}/": f"error: http://{place}/: connect to {place}: Connection refused",
        # The kernel connects to no multicast address, whatever its routes.
        "http://224.0.0.1/": "error: http://224.0.0.1/: connect to 224.0.0.1:80: Network is unreachable",
    }


def from_bad_urls(base):
    lines = {url: f'error: bad URL "{url}": {why}' for url, why in bad_urls.items()}
    no_host = bad_urls["http://a b/"]
    lines["http://a\x1b[2J\n/"] = f'error: bad URL "http://a?[2J?/": {no_host}'
    location = f'"http://:0:0/" in a redirect from {base}/nowhere'
    why = "its port is not a number from 1 to 65535"
    lines[base + "/nowhere"] = f"error: {base}/nowhere: bad URL {location}: {why}"
    missing = f"http://user:secret@{place_of(base)}/missing"
    hidden = missing.replace("user:secret", "***")
    lines[missing] = f"error: {hidden}: the server answered 404 Not Found"
    return lines


def each_failure_is_one_line(failures, good, trusted, backend, tmp):
    out = Path(tempfile.mkdtemp(dir=tmp))
    done = run("fetch", *failures, *good, "--cacert", trusted, "--output-dir", out, "--backend", backend,
               "--compressed", status=1)
    expected, found = sorted(failures.values()), sorted(done.stderr.splitlines())
    expect(found == expected, "these lines differ:\n" + "\n".join(sorted(set(expected) ^ set(found))))
    summary = f"{len(good)} of {len(failures) + len(good)} URLs"
    expect(done.stdout.splitlines()[-1].startswith(summary), f"{summary}: {done.stdout[-200:]}")
    files = [file.read_bytes() for file in out.iterdir()]
    expect(files == [good_body] * len(good), "only what arrived whole is kept")
    expect("secret" not in done.stdout and "\x1b" not in done.stdout, "no password or escape is shown")


def those_who_never_answer_are_given_up(plain, secure, silent, trusted, backend):
    good = [plain + "/slow", plain + "/good", secure + "/slow"]
    stalled = [base + path for base in (plain, secure) for path in ("/silent", "/stalled")] + [silent]
    done = run("fetch", *stalled, *good, "--cacert", trusted, "--timeout", "4", "--backend", backend,
               status=1)
    expected = sorted(f"error: {url}: not done within 4 s" for url in stalled)
    expect(sorted(done.stderr.splitlines()) == expected, done.stderr)
    expect(f"{len(good)} of {len(good + stalled)} URLs" in done.stdout, done.stdout)


def descriptors_after(urls, trusted, backend):
    """Counts what fetch has open when it is done with `urls` and waits for the answer to one more."""
    gate = origin()
    process = subprocess.Popen([folder / "fetch", *urls, gate.url + "/gate", "--parallel", "1",
                                "--cacert", trusted, "--backend", backend],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        expect(gate.at_gate.wait(patience), "it comes to its last URL")
        yield lambda: len(os.listdir(f"/proc/{process.pid}/fd"))
        gate.release.set()
        expect(process.wait(patience) == 1, "failures give status 1")
    finally:
        process.kill()
        process.wait()


def no_descriptor_is_left(failures, trusted, backend):
    once = [count() for count in descriptors_after(failures, trusted, backend)][0]
    for count in descriptors_after([*failures] * 3, trusted, backend):
        deadline = time.monotonic() + patience
        while (now := count()) != once:
            expect(time.monotonic() < deadline, f"{once} descriptors after one round, {now} after three")
            time.sleep(0.01)


def an_unknown_host_is_named(backend):
    url = "http://no-such-host.invalid/"
    done = run("fetch", url, "--backend", backend, status=1)
    why = f"error: {url}: connect to no-such-host.invalid:80: "  # what follows depends on the machine's DNS
    expect(done.stderr.startswith(why) and done.stderr.count("\n") == 1, done.stderr)


def a_request_that_was_sent_again_is_told(base, backend):
    good, again = base + "/good", base + "/not-when-kept"
    done = run("fetch", good, again, "--parallel", "1", "--backend", backend)
    expect(f"{len(good_body)} bytes received from {good}.\n" in done.stdout, done.stdout)
    expect(f"3 bytes received from {again} (asked 2 times).\n" in done.stdout, done.stdout)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, socket.socket() as refusing, socket.socket() as silent:
        tmp = Path(name)
        trust = authority(tmp)
        plain, secure = origin().url, serving(trust.issue("good")).url
        refusing.bind(("127.0.0.1", 0))  # and does not listen
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        failures = (from_a_bad_origin(plain) | from_a_bad_origin(secure) | from_bad_certificates(trust, tmp)
                    | from_a_bad_network(refusing, place_of(plain)) | from_bad_urls(plain))
        untold = "the connection ended without close_notify: the data may be truncated"
        failures |= {url: f"error: {url}: recv from {place_of(secure)}: {untold}"
                     for url in (secure + "/good/until-close", secure + "/half-closed")}
        good = [plain + path for path in ("/good", "/good/until-close", "/half-closed")] + [secure + "/good"]
        for backend in backends():
            each_failure_is_one_line(failures, good, trust.file, backend, tmp)
            never = f"https://127.0.0.1:{silent.getsockname()[1]}/"
            those_who_never_answer_are_given_up(plain, secure, never, trust.file, backend)
            no_descriptor_is_left(failures, trust.file, backend)
            an_unknown_host_is_named(backend)
            a_request_that_was_sent_again_is_told(plain, backend)
