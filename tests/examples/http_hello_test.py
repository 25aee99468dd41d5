# SPDX-License-Identifier: MIT
"""http_hello: answers an HTTP client that is not ours, and keeps the connection open."""
import http.client

from programs import backends, expect, port_of, server

if __name__ == "__main__":
    for backend in backends():
        with server("http_hello", "--host", "127.0.0.1", "--port", "0", "--backend", backend) as (place,):
            client = http.client.HTTPConnection("127.0.0.1", int(port_of(place)), timeout=60)
            client.connect()
            connected = client.sock
            for path in ("/", "/anything?at=all"):
                client.request("GET", path)
                reply = client.getresponse()
                expect((reply.status, reply.read()) == (200, b"hello\n"), f"{path} is answered")
                expect(client.sock is connected, "the connection is kept")
            client.close()
