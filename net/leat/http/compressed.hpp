// SPDX-License-Identifier: MIT
// compressed: a handler around another one, whose answers it compresses for clients that ask for it (RFC 9110
// 8.4, 12.5.3): by gzip, and by zstd and br where the library was built with them.
//
//   co_await leat::http::serve(listener, leat::http::compressed(routes));
//   routes.get("/notes", leat::http::compressed(show_notes));
//
// What is written in pieces leaves piece by piece, so events are not held up. compress() does it to an answer
// that is whole.
//
// An answer that is compressed has Content-Encoding, a weak ETag in place of a strong one, no Accept-Ranges,
// and goes in chunks when it was to be written; it and those that could have been have Vary. Left as they
// are: parts (206), what has a Content-Encoding, a Content-Range or a digest already, "Cache-Control:
// no-transform", and what is short or no text, as far as the options say.
//
// Over TLS the length of an answer tells what is in it: one that has a secret, such as the token of a form,
// beside what its request has brought is not to be compressed (BREACH; docs/sites.md).
#pragma once

#include <leat/http/message.hpp>
#include <leat/http/request_body_reader.hpp>
#include <leat/http/response_writer.hpp>
#include <leat/http/router.hpp>
#include <leat/task.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace leat::http {

// Whether content of that type becomes shorter: text of any kind, JSON, XML, SVG, scripts, wasm, and fonts
// that are not compressed already. Parameters do not count.
[[nodiscard]] bool is_compressible(std::string_view media_type) noexcept;

struct compress_options {
    // A shorter body is left as it is. One whose length is not known is compressed.
    std::uint64_t least_bytes = 1024;
    bool (*types)(std::string_view media_type) = is_compressible;
    // So many answers of this thread at once; further ones are left as they are. Each takes up to 1 MiB,
    // also an event stream for as long as it is open.
    std::size_t at_once = 100;
};

// Compresses the body of `made`, the answer to `asked`, unless it is one that is left as it is. Other tasks
// go on meanwhile: it yields after each 16 KiB. Both live until then. Throws std::bad_alloc. Cancelled: the
// answer is as it was, but perhaps for Vary.
//
// An answer to HEAD is compressed as that to GET, to have its Content-Length; give it the same body.
[[nodiscard]] task<> compress(const request& asked, response& made, compress_options options = {});

namespace detail {

// Compresses what `handling` writes or leaves in the head of the writer.
[[nodiscard]] task<> answer_compressed(const request& asked, response_writer& writer, task<> handling,
                                       compress_options options);

// Handlers that take the request and `More`, and give their answer or write it.
template <typename Handler, typename... More>
concept writes_answer =
    requires(Handler& handler, const request& asked, More&... more, response_writer& writer) {
        { handler(asked, more..., writer) } -> std::same_as<task<>>;
    };
template <typename Handler, typename... More>
concept gives_answer = requires(Handler& handler, const request& asked, More&... more) {
    { handler(asked, more...) } -> std::same_as<task<response>>;
};
template <typename Handler, typename... More>
concept answers_with = writes_answer<Handler, More...> || gives_answer<Handler, More...>;

template <typename Handler, typename... More>
[[nodiscard]] task<> written_by(Handler& handler, response_writer& writer, const request& asked,
                                More&... more) {
    if constexpr (gives_answer<Handler, More...>) {
        return write_given(handler(asked, more...), writer);
    } else {
        return handler(asked, more..., writer);
    }
}

}  // namespace detail

// Copied with its handler. It is called as that is, and with a writer if that takes none.
template <typename Handler>
class compressed_handler {
public:
    compressed_handler(Handler handler, const compress_options& options)
        : handler_(std::move(handler)), options_(options) {}

    // Answers. This, the request and the writer live until then. Throws what the handler throws, and
    // std::invalid_argument when it writes more or less than its Content-Length says.
    [[nodiscard]] task<> operator()(const request& asked, response_writer& writer) const
        requires detail::answers_with<Handler>
    {
        return coded(asked, writer, detail::written_by(handler_, writer, asked));
    }
    [[nodiscard]] task<> operator()(const request& asked, const path_parameters& found,
                                    response_writer& writer) const
        requires detail::answers_with<Handler, const path_parameters>
    {
        return coded(asked, writer, detail::written_by(handler_, writer, asked, found));
    }
    [[nodiscard]] task<> operator()(const request& asked, request_body_reader& body,
                                    response_writer& writer) const
        requires detail::answers_with<Handler, request_body_reader>
    {
        return coded(asked, writer, detail::written_by(handler_, writer, asked, body));
    }

private:
    [[nodiscard]] task<> coded(const request& asked, response_writer& writer, task<> handling) const {
        return detail::answer_compressed(asked, writer, std::move(handling), options_);
    }

    mutable Handler handler_;  // which may change itself, as it may for serve()
    compress_options options_;
};

template <typename Handler>
[[nodiscard]] compressed_handler<Handler> compressed(Handler handler, compress_options options = {}) {
    return {std::move(handler), options};
}

}  // namespace leat::http
