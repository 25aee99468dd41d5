// SPDX-License-Identifier: MIT
// body_source: where a request's body comes from piece by piece, behind one type: an async_generator, or a
// callable that gives a task. request_body makes them, outgoing_body asks them. Internal.
#pragma once

#include <leat/task.hpp>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leat::http::detail {

struct body_source {
    body_source() noexcept = default;
    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;
    virtual ~body_source() = default;

    // The next piece, good until the next call; nothing at the end. One of an optional may be empty.
    virtual task<std::optional<std::string_view>> next() = 0;
};

struct body_maker {
    body_maker() noexcept = default;
    body_maker(const body_maker&) = delete;
    body_maker& operator=(const body_maker&) = delete;
    virtual ~body_maker() = default;

    // The body from its start.
    virtual std::unique_ptr<body_source> make() = 0;
};

template <typename Source>
concept has_next = requires(Source& source) { source.next(); };

template <typename Source>
decltype(auto) next_of(Source& source) {
    if constexpr (has_next<Source>) {
        return source.next();
    } else {
        return std::invoke(source);
    }
}

template <typename Source>
using given_by_source = typename leat::detail::awaited<
    std::remove_cvref_t<decltype(next_of(std::declval<Source&>()))>>::value_type;

// Text that is empty at the end, or an optional or a pointer to text.
template <typename Given>
concept piece_or_end = std::convertible_to<const Given&, std::string_view>;
template <typename Given>
concept optional_piece = !piece_or_end<Given> && requires(const Given& given) {
    { static_cast<bool>(given) };
    { *given } -> std::convertible_to<std::string_view>;
};

// What a request's body can be read from: `source.next()` or `source()` gives something to co_await, which
// gives an optional piece, or a piece that is empty at the end. A piece is text, or converts to
// std::string_view.
template <typename Source>
concept source_of_pieces = std::move_constructible<Source> && requires {
    typename given_by_source<Source>;
} && (piece_or_end<given_by_source<Source>> || optional_piece<given_by_source<Source>>);

template <source_of_pieces Source>
class body_source_of final : public body_source {
public:
    explicit body_source_of(Source source) : source_(std::move(source)) {}

    task<std::optional<std::string_view>> next() override {
        using given = given_by_source<Source>;
        given_.reset();
        given got = co_await next_of(source_);
        given_.emplace(std::move(got));
        if constexpr (piece_or_end<given>) {
            const std::string_view piece = *given_;
            co_return piece.empty() ? std::nullopt : std::optional(piece);
        } else {
            if (!static_cast<bool>(*given_)) {
                co_return std::nullopt;
            }
            co_return std::string_view(**given_);
        }
    }

private:
    Source source_;
    std::optional<given_by_source<Source>> given_;  // owns the piece
};

template <typename Make>
class body_maker_of final : public body_maker {
public:
    explicit body_maker_of(Make make) : make_(std::move(make)) {}
    std::unique_ptr<body_source> make() override {
        using source = std::remove_cvref_t<std::invoke_result_t<Make&>>;
        return std::make_unique<body_source_of<source>>(std::invoke(make_));
    }

private:
    Make make_;
};

}  // namespace leat::http::detail
