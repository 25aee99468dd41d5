// SPDX-License-Identifier: MIT
// request_body: what a request of the HTTP client carries: bytes of memory, or pieces that are made while
// they are sent.
//
//     co_await client.post(url, "name=leat", {}, {{"Content-Type", "application/x-www-form-urlencoded"}});
//     co_await client.put(url, leat::http::request_body::from(blocks(peer)));      // an async_generator
//
// A piece is asked for when the one before has been taken by the kernel, so a slow server slows the source
// down. Pieces are sent in chunks, or, where the size of all is told, with a Content-Length; that no more and
// no fewer bytes come is then enforced.
// Invariant: bytes of memory and what made_by() makes can be sent any number of times, other sources once.
#pragma once

#include <leat/http/core/body_source.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace leat::http {

namespace detail {
class outgoing_body;
}

class request_body {
public:
    // None.
    request_body() noexcept = default;
    // Text, which is copied or moved in. An empty one is a body, too.
    template <typename Text>
        requires std::constructible_from<std::string, Text&&> &&
                 (!std::same_as<std::remove_cvref_t<Text>, request_body>)
    request_body(Text&& bytes) : bytes_(std::in_place, std::forward<Text>(bytes)) {}

    // The pieces of `source`, `size` bytes in all if that is known. `source` is an async_generator of text,
    // or a callable that gives a task of text, which is empty at the end, or of an optional of text. A piece
    // stays alive until the next one is asked for. Where the request fails or ends early the source is
    // destroyed, inside a wait by its cancellation. What it throws the request throws, as it is. It can be
    // sent once: a request that would have to be sent again (request_options::repeat, a redirect with 307)
    // fails.
    template <detail::source_of_pieces Source>
    [[nodiscard]] static request_body from(Source source, std::optional<std::uint64_t> size = {}) {
        request_body made;
        made.source_ = std::make_unique<detail::body_source_of<Source>>(std::move(source));
        made.size_ = size;
        return made;
    }
    // The same of sources that `make()` gives, a new one, from the start of the body, each time it is sent.
    template <std::invocable Make>
        requires detail::source_of_pieces<std::remove_cvref_t<std::invoke_result_t<Make&>>>
    [[nodiscard]] static request_body made_by(Make make, std::optional<std::uint64_t> size = {}) {
        request_body made;
        made.maker_ = std::make_unique<detail::body_maker_of<Make>>(std::move(make));
        made.size_ = size;
        return made;
    }

private:
    friend class detail::outgoing_body;

    std::optional<std::string> bytes_;
    std::unique_ptr<detail::body_source> source_;
    std::unique_ptr<detail::body_maker> maker_;
    std::optional<std::uint64_t> size_;  // of the latter two
};

}  // namespace leat::http
