// SPDX-License-Identifier: MIT
// permessage-deflate (RFC 7692): messages compressed by zlib. What two peers agree on in the handshake, and
// the two directions of a connection.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace leat::http {

class headers;

}  // namespace leat::http

namespace leat::websocket::detail {

// What a side sends is compressed in a window of so many bits, and begins anew with each message or not.
struct deflate_side {
    int window_bits = 15;  // 9 to 15
    bool keeps_context = true;
};
struct deflate_terms {
    deflate_side server = {};
    deflate_side client = {};
};

// What a server takes of the offers in a handshake: the first that it can keep to. `keep_context`: whether
// both sides may keep theirs, which compresses better, and takes some 300 KiB a connection.
[[nodiscard]] std::optional<deflate_terms> accept_offer(const http::headers& offers, bool keep_context);
// What a client offers, as the value of a Sec-WebSocket-Extensions; and what a server's answer to that makes
// of it: nothing if it is no answer to it. A server that keeps its context unasked may.
[[nodiscard]] std::string offer_text(bool keep_context);
[[nodiscard]] std::optional<deflate_terms> accept_answer(const http::headers& answer, bool keep_context);
// Terms as the value of a Sec-WebSocket-Extensions.
[[nodiscard]] std::string extension_text(const deflate_terms& terms);

class deflater {
public:
    explicit deflater(const deflate_side& terms) noexcept : terms_(terms) {}
    // `message`, compressed. They throw std::bad_alloc.
    [[nodiscard]] std::string compress(std::string_view message);
    // The last message is not sent after all: the next one does not refer to it.
    void forget() noexcept { stream_.reset(); }

private:
    struct ending {
        void operator()(z_stream_s* stream) const noexcept;
    };
    deflate_side terms_;
    std::unique_ptr<z_stream_s, ending> stream_;
};

class inflater {
public:
    explicit inflater(const deflate_side& terms) noexcept : terms_(terms) {}
    enum class outcome { done, corrupt, too_big };
    // Appends the message that `compressed` is to `out`, which holds at most `most` bytes then.
    [[nodiscard]] outcome decompress(std::string_view compressed, std::string& out, std::size_t most);

private:
    struct ending {
        void operator()(z_stream_s* stream) const noexcept;
    };
    [[nodiscard]] outcome inflate_all(std::string_view compressed, std::string& out, std::size_t most);
    deflate_side terms_;
    std::unique_ptr<z_stream_s, ending> stream_;
};

}  // namespace leat::websocket::detail
