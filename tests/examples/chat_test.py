# SPDX-License-Identifier: MIT
"""chat_server with clients of python3-websockets, and chat_client with a server of it: they hear each other,
and are told why a chat ends."""
import asyncio
import os
import signal
import sys
import urllib.request
from pathlib import Path

from programs import backends, expect, folder, patience, server

sys.path.append("/usr/lib/python3/dist-packages")
try:
    import websockets
    import websockets.exceptions
except ImportError:
    print("python3-websockets is not installed")
    sys.exit(77)


# websockets has a new interface since version 14, whose connections have the handshake in other places.
def fields_of_answer(client):
    return client.response.headers if hasattr(client, "response") else client.response_headers


def path_of(peer):
    return peer.request.path if hasattr(peer, "request") else peer.path


refusals = tuple(getattr(websockets.exceptions, name) for name in ("InvalidStatus", "InvalidStatusCode")
                 if hasattr(websockets.exceptions, name))


def status_of(refusal):
    return refusal.response.status_code if hasattr(refusal, "response") else refusal.status_code


async def said_by_others(place):
    async with websockets.connect(f"ws://{place}/chat") as one, \
            websockets.connect(f"ws://{place}/chat") as other:
        await one.ping()
        await one.send("hello")
        expect([await one.recv(), await other.recv()] == ["hello", "hello"], "both hear what one says")
        await other.send(["in ", "fragments: \u00e4\u4e2d\U0001f600"])
        for each in (one, other):
            expect(await each.recv() == "in fragments: \u00e4\u4e2d\U0001f600", "fragments are put together")
        await (await other.ping())
        expect("permessage-deflate" in fields_of_answer(one)["Sec-WebSocket-Extensions"], "both compress")
        await one.send("a long line " * 800)
        for each in (one, other):
            expect(await each.recv() == "a long line " * 800, "a long line is the same when it arrives")
        for number in range(500):
            await one.send(str(number))
        for number in range(500):
            for each in (one, other):
                expect(await each.recv() == str(number), "many lines arrive in order")


async def ends(place):
    async with websockets.connect(f"ws://{place}/chat") as client:
        await client.close(4001, "enough")
        expect((client.close_code, client.close_reason) == (4001, "enough"), "a close is answered")
    async with websockets.connect(f"ws://{place}/chat") as client:
        await client.send("x" * 10001)  # a few bytes, compressed
        try:
            await client.recv()
            expect(False, "a message that is too long is refused")
        except websockets.ConnectionClosed as closed:
            expect(closed.code == 1009, f"1009, and not {closed.code}")
    try:
        async with websockets.connect(f"ws://{place}/chat", origin="https://elsewhere.org"):
            expect(False, "another site is refused")
    except refusals as refused:
        expect(status_of(refused) == 403, f"403, and not {status_of(refused)}")


async def a_stop(place, pid):
    async with websockets.connect(f"ws://{place}/chat") as client:
        await client.send("still here")
        await client.recv()
        os.kill(pid, signal.SIGTERM)
        try:
            await client.recv()
            expect(False, "a stop closes")
        except websockets.ConnectionClosed as closed:
            expect(closed.code == 1001, f"1001, and not {closed.code}")
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        await asyncio.sleep(0.01)  # a second signal would end it at once


async def said_by_our_client(backend, url):
    client = await asyncio.create_subprocess_exec(
        folder / "chat_client", "--backend", backend, url, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    for line in ("hello", "a long line " * 800, "\u00e4\u4e2d\U0001f600"):
        client.stdin.write(line.encode() + b"\n")
        heard = (await client.stdout.readline()).decode()
        expect(heard == line + "\n", f"a line comes back, and not {heard!r}")
    client.stdin.close()
    said = (await client.stderr.read()).decode()
    expect(await client.wait() == 0 and said == "closed with 1000\n", f"a close is answered: {said}")


async def our_client(backend, place):
    async def echo(peer, _path=None):
        expect(path_of(peer) == "/python?a=b", "the path is that of the URL")
        expect("permessage-deflate" in fields_of_answer(peer)["Sec-WebSocket-Extensions"], "both compress")
        async for message in peer:
            await peer.send([message[:3], message[3:]])

    await said_by_our_client(backend, f"ws://{place}/chat")
    async with websockets.serve(echo, "127.0.0.1", 0) as python:
        port = python.sockets[0].getsockname()[1]
        await said_by_our_client(backend, f"ws://127.0.0.1:{port}/python?a=b")


async def all_of(backend, listening):
    place = listening[0]
    await asyncio.wait_for(our_client(backend, place), patience)
    await asyncio.wait_for(said_by_others(place), patience)
    await asyncio.wait_for(ends(place), patience)
    await asyncio.wait_for(a_stop(place, listening.pid), patience)


if __name__ == "__main__":
    for backend in backends():
        with server("chat_server", "--port", "0", "--backend", backend) as places:
            page = urllib.request.urlopen(f"http://{places[0]}/", timeout=patience).read()
            expect(b"new WebSocket" in page, "the page is for browsers")
            asyncio.run(all_of(backend, places))
