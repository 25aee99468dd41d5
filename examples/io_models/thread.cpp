// SPDX-License-Identifier: MIT
// A thread a client: the blocking server, and a thread. Cheaper than a process; what the threads share needs
// locks. Each costs a stack: 8 MiB of addresses, some pages of memory, and another stack in the kernel.
#include "model.hpp"
#include "sockets.hpp"

#include <thread>

#include <unistd.h>

namespace io_models {

void serve_thread(int listener) {
    for (;;) {
        accepted next = accept_client(listener);
        if (!next.client) {
            ::usleep(next.full ? 10000 : 0);
            continue;
        }
        try {
            std::thread([client = std::move(next.client)] { echo_until_end(client.get()); }).detach();
        } catch (const std::system_error& error) {
            tell_refusal("pthread_create: " + error.code().message());
        }
    }
}

}  // namespace io_models
