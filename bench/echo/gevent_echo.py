# SPDX-License-Identifier: MIT
"""The peer: gevent's StreamServer, one greenlet for each connection."""
import argparse
import signal

import gevent
from gevent.server import StreamServer


def echo(peer, address):
    try:
        while data := peer.recv(1024):
            peer.sendall(data)
    except ConnectionError:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8001)
    server = StreamServer(("127.0.0.1", parser.parse_args().port), echo, backlog=4096)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.stop)
    server.start()
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
