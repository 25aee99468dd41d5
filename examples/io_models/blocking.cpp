// SPDX-License-Identifier: MIT
// Blocking, one client at a time: the shortest server. It waits inside recv() for its one client; all others
// wait in the queue of the listener, for ever if that client stays.
#include "model.hpp"
#include "sockets.hpp"

namespace io_models {

void serve_blocking(int listener) {
    for (;;) {
        const accepted next = accept_client(listener);
        if (next.client) {
            echo_until_end(next.client.get());
        }
    }
}

}  // namespace io_models
