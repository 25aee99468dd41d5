// SPDX-License-Identifier: MIT
#include <leat/http/core/server_exchange.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace leat::http::detail {
namespace {

// What a workspace keeps; and how many a server keeps, for the connections that are answered at once.
constexpr std::size_t kept_fields_max = 16 * 1024;
constexpr std::size_t kept_body_max = 16 * 1024;
constexpr std::size_t kept_out_max = 64 * 1024;
constexpr std::size_t spares_max = 64;

void cut_down(std::string& text, std::size_t most) noexcept {
    text.clear();
    if (text.capacity() > most) {
        std::string().swap(text);
    }
}

// Before it is used again for another message.
void cut_down(request& old) noexcept {
    cut_down(old.body, kept_body_max);
    if (old.headers.wire().size() + old.target.size() > kept_fields_max) {
        old = request{};
    }
}

}  // namespace

server_workspace::server_workspace(const server_limits& limits, bool handler_reads)
    : parser({.head_bytes = limits.header_bytes,
              .body_bytes = handler_reads ? UINT64_MAX : limits.body_bytes}) {}

void server_workspace::start() {
    cut_down(parser.message());
    parser.start();
}

server_state::~server_state() {
    while (!spare.empty()) {
        delete &spare.pop_front();
    }
}

std::unique_ptr<server_workspace> server_state::lend() {
    if (spare.empty()) {
        return std::make_unique<server_workspace>(limits, handler_reads);
    }
    --spares;
    return std::unique_ptr<server_workspace>(&spare.pop_front());
}

void server_state::take_back(std::unique_ptr<server_workspace> used) noexcept {
    used->upgraded = nullptr;
    if (spares == spares_max) {
        return;
    }
    cut_down(used->parser.message());
    cut_down(used->out, kept_out_max);
    cut_down(used->leaving, kept_out_max);
    ++spares;
    spare.push_front(*used.release());
}

void server_state::stop() noexcept {
    stopping = true;
    for (server_exchange* each = connections.first(); each != nullptr; each = connections.next(*each)) {
        if (each->deadlines().idle()) {
            each->deadlines().cancel();
        }
    }
}

}  // namespace leat::http::detail
