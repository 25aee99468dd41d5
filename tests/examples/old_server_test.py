# SPDX-License-Identifier: MIT
"""old_server, whose calls all block, and a thousand clients that are connected at once."""
import os
import re
import socket
import subprocess
import sys

from programs import allow_descriptors, echoed, expect, folder, line_of, patience

count = 1000


def each_gets_its_bytes(clients):
    for round in range(3):
        for number, client in enumerate(clients):
            client.sendall(b"%d of %d;" % (number, round))
        for number, client in enumerate(clients):
            expected = b"%d of %d;" % (number, round)
            got = b""
            while len(got) < len(expected):
                part = client.recv(len(expected) - len(got))
                expect(part, f"client {number} is served")
                got += part
            expect(got == expected, f"client {number} gets its own bytes, not {got}")


def threads_of(process):
    return len(os.listdir(f"/proc/{process.pid}/task"))


if __name__ == "__main__":
    if not (folder / "old_server").exists():
        print("leat was built without blocking code")
        sys.exit(77)
    allow_descriptors(2 * count + 100)
    process = subprocess.Popen([folder / "old_server"], stdout=subprocess.PIPE, bufsize=0)
    try:
        port = int(re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)", line_of(process.stdout))[1])
        clients = [socket.create_connection(("127.0.0.1", port), timeout=patience) for _ in range(count)]
        each_gets_its_bytes(clients)
        expect(threads_of(process) == 1, "one thread serves them all")
        much = bytes(range(256)) * 4000
        expect(echoed(port, much) == much, "a client that sends before it reads gets its bytes")
        for client in clients:
            client.close()
        again = socket.create_connection(("127.0.0.1", port), timeout=patience)
        each_gets_its_bytes([again])
        again.close()
    finally:
        process.kill()
        process.wait()
