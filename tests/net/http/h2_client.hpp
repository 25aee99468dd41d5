// SPDX-License-Identifier: MIT
// A client of HTTP/2 for tests, on nghttp2: without I/O, and over a stream; and frames as a peer sends them
// that does not keep to the rules.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/http/message.hpp>
#include <leat/task.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace leat::testing {

inline constexpr std::string_view h2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// One frame (RFC 9113 4.1).
[[nodiscard]] std::string h2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                                   std::string_view payload = {});
// Fields, each as it is (RFC 7541 6.2.2). Names and values of less than 127 bytes.
[[nodiscard]] std::string h2_fields(const http::headers& fields, std::string_view method = "GET",
                                    std::string_view target = "/");
// The four bytes of a number.
[[nodiscard]] std::string h2_number(std::uint32_t number);

// What a server has said so far on a stream.
struct h2_answer {
    std::vector<int> interim;  // statuses before that of the answer
    int status = 0;
    http::headers fields;
    std::string body;
    http::headers trailers;
    bool begun = false;  // its head has come
    bool whole = false;
    std::optional<std::uint32_t> reset;  // the code of RST_STREAM
};

class h2_client {
public:
    // With `window` as the window of each stream.
    explicit h2_client(std::uint32_t window = 65'535);
    h2_client(const h2_client&) = delete;
    h2_client& operator=(const h2_client&) = delete;
    ~h2_client() { nghttp2_session_del(session_); }

    // Begins a request, with a body if it is not empty. Gives its stream.
    std::int32_t ask(std::string_view target, std::string_view method = "GET", std::string body = {},
                     const http::headers& more = {});
    // The same; more of the body comes with add_body(), its end with end_body().
    std::int32_t begin(std::string_view target, std::string body, const http::headers& more = {});
    // Asks for a protocol (RFC 8441): what it says goes by add_body(), and comes as the body of the answer.
    std::int32_t connect(std::string_view target, std::string_view protocol, const http::headers& more = {});
    void add_body(std::int32_t stream, std::string_view more);
    void end_body(std::int32_t stream, http::headers trailers = {});
    // How much of the body has not been sent, for there was no window.
    [[nodiscard]] std::size_t unsent(std::int32_t stream) { return bodies_[stream].left.size(); }
    void reset(std::int32_t stream, std::uint32_t code = NGHTTP2_CANCEL);

    void receive(std::string_view bytes);
    // What is to be sent, which is taken out.
    [[nodiscard]] std::string take_out();

    [[nodiscard]] h2_answer& of(std::int32_t stream) { return answers_[stream]; }
    // The code of GOAWAY, and its last stream.
    [[nodiscard]] std::optional<std::uint32_t> goaway() const noexcept { return goaway_; }
    [[nodiscard]] std::int32_t last_stream() const noexcept { return last_stream_; }
    [[nodiscard]] bool knows_settings() const noexcept {
        return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE) !=
               UINT32_MAX;
    }
    [[nodiscard]] nghttp2_session* native() noexcept { return session_; }

private:
    struct callbacks;
    struct body {
        std::string left;
        bool ended = true;
        http::headers trailers = {};
    };

    std::int32_t submit(std::string_view method, std::string_view target, bool has_body,
                        const http::headers& more);

    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, h2_answer> answers_;
    std::map<std::int32_t, body> bodies_;
    std::optional<std::uint32_t> goaway_;
    std::int32_t last_stream_ = 0;
};

// The same over a stream.
class h2_peer : public h2_client {
public:
    explicit h2_peer(any_stream over, std::uint32_t window = 65'535)
        : h2_client(window), stream_(std::move(over)) {}

    // Sends what is to be sent.
    task<> flush();
    // Sends and receives until `enough()`. False when the server has ended before.
    task<bool> talk_until(std::function<bool()> enough);
    // Until these streams are answered, or reset.
    task<bool> finish(std::vector<std::int32_t> streams);
    task<bool> finish(std::int32_t stream) { return finish(std::vector{stream}); }
    // Everything until the server ends the connection, also if that is by an error.
    task<> finish_all();
    [[nodiscard]] any_stream& stream() noexcept { return stream_; }

private:
    any_stream stream_;
};

}  // namespace leat::testing
