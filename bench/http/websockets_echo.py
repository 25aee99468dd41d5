# SPDX-License-Identifier: MIT
"""python3-websockets: an echo server, websockets_echo.py --port N."""
import asyncio
import sys

import websockets


async def echo(peer):
    async for message in peer:
        await peer.send(message)


async def main():
    port = int(sys.argv[sys.argv.index("--port") + 1])
    async with websockets.serve(echo, "127.0.0.1", port, compression=None) as server:
        print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
