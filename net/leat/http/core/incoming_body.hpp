// SPDX-License-Identifier: MIT
// incoming_body: where a request_body_reader takes the body of a request from: a connection, or a stream of
// HTTP/2, which knows how its bodies are framed.
#pragma once

#include <leat/task.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace leat::http::detail {

class incoming_body {
public:
    incoming_body(const incoming_body&) = delete;
    incoming_body& operator=(const incoming_body&) = delete;

    // The next piece, at least one byte, which is good until the next call; empty at the end. Throws
    // std::system_error, and that again and again. Cancelled: nothing is lost. One task at a time.
    [[nodiscard]] virtual task<std::string_view> next() = 0;
    // All of it, where the client has said that; nothing where that shows at its end only.
    [[nodiscard]] virtual std::optional<std::uint64_t> size() const noexcept = 0;
    // No more of it is wanted: next() throws `why` from now on.
    virtual void refuse(std::error_code why) noexcept = 0;

protected:
    incoming_body() noexcept = default;
    ~incoming_body() = default;
};

}  // namespace leat::http::detail
