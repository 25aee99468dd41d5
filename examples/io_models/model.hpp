// SPDX-License-Identifier: MIT
// The nine servers: each sends back whatever arrives, and each waits for its clients in another way.
#pragma once

#include <span>
#include <string_view>

namespace io_models {

void serve_blocking(int listener);
void serve_process(int listener);
void serve_thread(int listener);
void serve_select(int listener);
void serve_poll(int listener);
void serve_epoll_level(int listener);
void serve_epoll_edge(int listener);
void serve_leat_epoll(int listener);
void serve_leat_uring(int listener);

struct model {
    std::string_view name;   // of --models
    std::string_view title;  // how it waits
    // Serves the clients of this listening socket, which it owns, for as long as the process lives.
    void (*serve)(int listener);
};

inline constexpr model nine_models[] = {
    {"blocking", "blocking, one at a time", serve_blocking},
    {"process", "a process a client", serve_process},
    {"thread", "a thread a client", serve_thread},
    {"select", "select", serve_select},
    {"poll", "poll", serve_poll},
    {"epoll-level", "epoll, level-triggered", serve_epoll_level},
    {"epoll-edge", "epoll, edge-triggered", serve_epoll_edge},
    {"leat-epoll", "leat on epoll", serve_leat_epoll},
    {"leat-uring", "leat on io_uring", serve_leat_uring},
};

// Null: there is none of this name.
[[nodiscard]] inline const model* find_model(std::string_view name) {
    for (const model& each : nine_models) {
        if (each.name == name) {
            return &each;
        }
    }
    return nullptr;
}

}  // namespace io_models
