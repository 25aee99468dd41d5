# SPDX-License-Identifier: MIT
"""The peer: aiohttp, as many tasks as URLs are fetched at once. The bodies are thrown away, or written into
files of a folder.

    aiohttp_fetch.py LIST AT-ONCE CERTIFICATE [FOLDER]
"""
import asyncio
import contextlib
import os
import ssl
import sys

import aiohttp


async def fetch(session, url, folder):
    async with session.get(url) as reply:
        reply.raise_for_status()
        with contextlib.ExitStack() as stack:
            path = os.path.join(folder, os.path.basename(url))
            file = stack.enter_context(open(path, "wb")) if folder else None
            async for piece in reply.content.iter_any():
                if file is not None:
                    file.write(piece)


async def work(session, urls, folder):
    for url in urls:
        await fetch(session, url, folder)


async def main(name, at_once, certificate, folder=""):
    with open(name) as lines:
        urls = iter([line.strip() for line in lines])
    connector = aiohttp.TCPConnector(limit=at_once, ssl=ssl.create_default_context(cafile=certificate))
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session, urls, folder) for _ in range(at_once)))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
