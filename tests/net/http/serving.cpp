// SPDX-License-Identifier: MIT
#include "serving.hpp"

#include <leat/task_group.hpp>

namespace leat::testing {

task<> during_server(std::function<task<>(tcp_listener)> serve, std::function<task<>(endpoint)> body) {
    co_await with_task_group([&](task_group& group) -> task<> {
        auto listener = tcp_listener::bind({"127.0.0.1", 0});
        const endpoint where = listener.local_endpoint();
        group.spawn(serve(std::move(listener)));
        co_await body(where);
        group.cancel();
    });
}

std::string without_dates(std::string all) {
    for (std::size_t at = all.find("Date: "); at != all.npos; at = all.find("Date: ")) {
        all.erase(at, all.find("\r\n", at) + 2 - at);
    }
    return all;
}

task<std::string> answers_to(endpoint where, std::string bytes) {
    auto peer = co_await tcp_stream::connect(where);
    co_await peer.send_all(bytes);
    peer.shutdown_send();
    const std::string all = co_await rest_of(peer);
    co_return without_dates(all);
}

}  // namespace leat::testing
