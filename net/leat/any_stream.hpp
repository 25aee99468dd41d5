// SPDX-License-Identifier: MIT
// any_stream: a byte stream of whatever kind, TCP, TLS or in memory, behind one type. Code that is compiled
// once, such as HTTP, carries its connections in it. A call costs a virtual call, and a pooled frame where
// the stream's own operation is not a task.
// Invariant: operations and their cancellation behave as those of the stream inside.
#pragma once

#include <leat/stream.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace leat {

namespace detail {

using stream_pieces = std::array<std::span<const std::byte>, 4>;

struct stream_model {
    stream_model() noexcept = default;
    stream_model(const stream_model&) = delete;
    stream_model& operator=(const stream_model&) = delete;
    virtual ~stream_model() = default;

    virtual task<std::size_t> recv(byte_buffer into) = 0;
    virtual task<> recv_exactly(byte_buffer into) = 0;
    virtual task<chunk> recv_chunk() = 0;
    virtual task<std::size_t> send(byte_view from) = 0;
    virtual task<> send_all(byte_view from) = 0;
    virtual task<> send_all(stream_pieces pieces) = 0;
    virtual task<> shutdown_send() = 0;
    [[nodiscard]] virtual bool is_quiet() const noexcept = 0;
    virtual void close() noexcept = 0;
    virtual void reset() noexcept = 0;
};

// An operation of a stream as a task, if it is none already.
template <typename T, typename Start>
task<T> begun_by(Start start) {
    co_return co_await start();
}
template <typename T, typename Start>
task<T> as_task(Start start) {
    if constexpr (std::is_same_v<decltype(start()), task<T>>) {
        return start();
    } else {
        return begun_by<T>(std::move(start));
    }
}

template <stream Stream>
struct stream_model_of final : stream_model {
    explicit stream_model_of(Stream made) noexcept : held(std::move(made)) {}

    task<std::size_t> recv(byte_buffer into) override {
        return as_task<std::size_t>([this, into] { return held.recv(into); });
    }
    task<> recv_exactly(byte_buffer into) override {
        return as_task<void>([this, into] { return held.recv_exactly(into); });
    }
    task<chunk> recv_chunk() override {
        return as_task<chunk>([this] { return held.recv_chunk(); });
    }
    task<std::size_t> send(byte_view from) override {
        return as_task<std::size_t>([this, from] { return held.send(from); });
    }
    task<> send_all(byte_view from) override {
        return as_task<void>([this, from] { return held.send_all(from); });
    }
    task<> send_all(stream_pieces pieces) override {
        return as_task<void>(
            [this, pieces] { return held.send_all(byte_view(pieces[0]), pieces[1], pieces[2], pieces[3]); });
    }
    task<> shutdown_send() override {
        if constexpr (std::is_void_v<decltype(held.shutdown_send())>) {
            held.shutdown_send();
            co_return;
        } else {
            co_await held.shutdown_send();
        }
    }
    bool is_quiet() const noexcept override {
        if constexpr (requires { held.is_quiet(); }) {
            return held.is_quiet();
        } else {
            return true;
        }
    }
    void close() noexcept override { held.close(); }
    void reset() noexcept override { reset_or_close(held); }

    Stream held;
};

}  // namespace detail

class any_stream {
public:
    any_stream() noexcept = default;  // holds none: only to be assigned to
    // The stream moves in; its send_all takes several pieces, too.
    template <typename Stream>
        requires(!std::is_same_v<Stream, any_stream>) && stream<Stream>
    any_stream(Stream held) : model_(new detail::stream_model_of<Stream>(std::move(held))) {}

    task<std::size_t> recv(byte_buffer into) { return model().recv(into); }
    task<> recv_exactly(byte_buffer into) { return model().recv_exactly(into); }
    task<chunk> recv_chunk() { return model().recv_chunk(); }
    task<std::size_t> send(byte_view from) { return model().send(from); }
    // One piece, or up to four, in order.
    task<> send_all(byte_view from) { return model().send_all(from); }
    template <typename... More>
        requires(sizeof...(More) > 0 && sizeof...(More) < std::tuple_size_v<detail::stream_pieces>)
    task<> send_all(byte_view first, const More&... more) {
        return model().send_all(detail::stream_pieces{first, byte_view(more)...});
    }
    task<> shutdown_send() { return model().shutdown_send(); }
    // Whether a receive would have to wait: no byte, no end and no error is there. Only a look; true of a
    // stream that cannot look.
    [[nodiscard]] bool is_quiet() const noexcept { return model().is_quiet(); }
    void close() noexcept { model().close(); }
    // Closes a stream that has no reset of its own.
    void reset() noexcept { model().reset(); }

    // The stream inside, if it is a `Stream`: for what only that can do.
    template <stream Stream>
    [[nodiscard]] Stream* get_if() noexcept {
        auto* found = dynamic_cast<detail::stream_model_of<Stream>*>(model_.get());
        return found != nullptr ? &found->held : nullptr;
    }
    [[nodiscard]] bool has_stream() const noexcept { return model_ != nullptr; }

private:
    [[nodiscard]] detail::stream_model& model() const noexcept {
        check(model_ != nullptr, "there is a stream in this any_stream");
        return *model_;
    }

    std::unique_ptr<detail::stream_model> model_;
};

}  // namespace leat
