# SPDX-License-Identifier: MIT
"""readiness_callbacks is an echo server as echo_server is: for many clients, slow ones, half-closed ones."""
from echo_test import a_half_closed_client_gets_its_bytes, many_clients_at_once
from programs import allow_descriptors, backends, expect, run, server

if __name__ == "__main__":
    allow_descriptors(1200)
    for backend in backends():
        any_port = ["--host", "127.0.0.1", "--port", "0", "--backend", backend]
        with server("readiness_callbacks", *any_port) as places:
            many_clients_at_once(places, 1000)
            a_half_closed_client_gets_its_bytes(places[0])
    done = run("readiness_callbacks", "--port", "70000", status=2)
    expect(done.stderr.count("\n") == 1 and "70000" in done.stderr, done.stderr)
    explained = run("readiness_callbacks", "--help").stdout
    expect("8001" in explained, f"its port is 8001 unless it is told another: {explained}")
