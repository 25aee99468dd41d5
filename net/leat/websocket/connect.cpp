// SPDX-License-Identifier: MIT
#include <leat/websocket/connect.hpp>

#include <leat/http/core/text.hpp>
#include <leat/websocket/core/handshake.hpp>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace leat::websocket {
namespace {

// The HTTP client knows the schemes by their HTTP names.
std::string as_http(std::string url) {
    for (const std::string_view scheme : {"ws:", "wss:"}) {
        if (http::detail::equal_ignoring_case(std::string_view(url).substr(0, scheme.size()), scheme)) {
            return "http" + url.substr(2);
        }
    }
    return url;
}

std::string list_of(std::span<const std::string_view> protocols) {
    std::string list;
    for (const std::string_view each : protocols) {
        if (!http::detail::is_token(each)) {
            throw std::invalid_argument("a protocol on top of WebSocket is named by a token");
        }
        list.append(list.empty() ? "" : ", ").append(each);
    }
    return list;
}

http::headers asking(const connect_options& options, std::string_view key) {
    http::headers fields = options.fields;
    fields.add("Sec-WebSocket-Version", "13");
    fields.add("Sec-WebSocket-Key", key);
    if (!options.protocols.empty()) {
        fields.add("Sec-WebSocket-Protocol", list_of(options.protocols));
    }
    if (options.socket.compression != compression::none) {
        fields.add("Sec-WebSocket-Extensions",
                   detail::offer_text(options.socket.compression == compression::shared));
    }
    return fields;
}

[[noreturn]] void fail(const http::url& from, const std::string& why) {
    throw http::request_error(error::bad_handshake, from.to_string() + ": " + why);
}

// What the server's answer agrees on (RFC 6455 4.1, RFC 7692 5.1). More than was offered is an error.
socket::agreement agreed_by(const http::upgraded_stream& answered, const connect_options& options,
                            std::string_view key) {
    const http::headers& fields = answered.head.headers;
    if (fields.get("Sec-WebSocket-Accept") != detail::accepted_key(key)) {
        fail(answered.url, "the answer is not one to this WebSocket handshake");
    }
    socket::agreement agreed;
    agreed.protocol = fields.get("Sec-WebSocket-Protocol").value_or("");
    if (!agreed.protocol.empty() &&
        std::ranges::find(options.protocols, agreed.protocol) == options.protocols.end()) {
        fail(answered.url, "the server chose a protocol that was not offered");
    }
    if (fields.contains("Sec-WebSocket-Extensions")) {
        if (options.socket.compression != compression::none) {
            agreed.deflate = detail::accept_answer(fields, options.socket.compression == compression::shared);
        }
        if (!agreed.deflate) {
            fail(answered.url, "the server chose an extension that was not offered");
        }
    }
    return agreed;
}

}  // namespace

task<connected> connect(http::client& client, std::string url, connect_options options) {
    const std::string key = detail::new_handshake_key();
    http::upgraded_stream answered =
        co_await client.upgrade("websocket", as_http(std::move(url)), options.request, asking(options, key));
    socket::agreement agreed = agreed_by(answered, options, key);
    co_return connected{
        .stream = std::move(answered.stream), .options = options.socket, .agreed = std::move(agreed)};
}

task<connected> connect(std::string url, connect_options options) {
    http::client client;
    co_return co_await connect(client, std::move(url), std::move(options));
}

}  // namespace leat::websocket
