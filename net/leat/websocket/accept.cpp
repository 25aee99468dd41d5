// SPDX-License-Identifier: MIT
#include <leat/websocket/accept.hpp>

#include <leat/http/core/text.hpp>
#include <leat/websocket/core/handshake.hpp>

#include <algorithm>

namespace leat::websocket::detail {
namespace {

http::response refusal(int status, std::string_view why) {
    http::response refused;
    refused.status = status;
    refused.headers.add("Content-Type", "text/plain");
    if (status == 426) {
        refused.headers.add("Upgrade", "websocket");
        refused.headers.add("Sec-WebSocket-Version", "13");
    }
    refused.body.append(why).append("\n");
    return refused;
}

bool is_from_elsewhere(const http::request& asked) noexcept {
    const auto origin = asked.headers.get("Origin");
    if (!origin) {
        return false;  // no browser
    }
    const std::size_t scheme_end = origin->find("://");
    return scheme_end == origin->npos ||
           !http::detail::equal_ignoring_case(origin->substr(scheme_end + 3),
                                              asked.headers.get("Host").value_or(""));
}

// The first of the client's protocols that the server speaks.
std::string_view agree_on_protocol(const http::request& asked,
                                   std::span<const std::string_view> spoken) noexcept {
    for (const http::headers::field field : asked.headers) {
        if (!http::detail::equal_ignoring_case(field.name, "Sec-WebSocket-Protocol")) {
            continue;
        }
        std::string_view list = field.value;
        for (auto wanted = http::detail::next_element(list); !wanted.empty();
             wanted = http::detail::next_element(list)) {
            if (std::ranges::find(spoken, wanted) != spoken.end()) {
                return wanted;
            }
        }
    }
    return {};
}

}  // namespace

http::response answer_handshake(const http::request& asked, const accept_options& options,
                                socket::agreement& agreed) {
    if (asked.version == http::version::http_1_0 || !asked.headers.contains_token("Connection", "upgrade") ||
        !asked.headers.contains_token("Upgrade", "websocket")) {
        return refusal(426, "this is for WebSocket clients");
    }
    if (asked.headers.get("Sec-WebSocket-Version") != "13") {
        return refusal(426, "only version 13 of WebSocket is spoken here");
    }
    // Over HTTP/2 the key has no part in it (RFC 8441 5).
    const bool is_keyed = asked.version != http::version::http_2;
    const auto key = asked.headers.get("Sec-WebSocket-Key");
    if (asked.method != "GET" || !asked.body.empty() || (is_keyed && (!key || !is_handshake_key(*key)))) {
        return refusal(400, "a malformed WebSocket handshake");
    }
    if (!options.any_origin && is_from_elsewhere(asked)) {
        return refusal(403, "pages of another site may not open a WebSocket here");
    }
    http::response answer;
    answer.status = 101;
    answer.headers.add("Upgrade", "websocket");
    if (is_keyed) {
        answer.headers.add("Sec-WebSocket-Accept", accepted_key(*key));
    }
    agreed.protocol = agree_on_protocol(asked, options.protocols);
    if (!agreed.protocol.empty()) {
        answer.headers.add("Sec-WebSocket-Protocol", agreed.protocol);
    }
    if (options.socket.compression != compression::none) {
        agreed.deflate = accept_offer(asked.headers, options.socket.compression == compression::shared);
        if (agreed.deflate) {
            answer.headers.add("Sec-WebSocket-Extensions", extension_text(*agreed.deflate));
        }
    }
    return answer;
}

task<> end(socket& peer, std::exception_ptr failure) {
    try {
        if (failure != nullptr) {
            std::rethrow_exception(failure);
        }
    } catch (const std::system_error& known) {
        if (known.code() == error::truncated || known.code() == error::closed) {
            co_return;
        }
    } catch (...) {  // thrown below: a coroutine does not wait while it handles an exception
    }
    co_await peer.close(failure == nullptr ? close_code::normal : close_code::internal_error);
    if (failure != nullptr) {
        std::rethrow_exception(failure);
    }
}

}  // namespace leat::websocket::detail
