// SPDX-License-Identifier: MIT
// any_stream: a byte stream of whatever kind, TCP, TLS or in memory, behind one type. Code that is compiled
// once, such as HTTP, carries its connections in it. An operation is kept in the awaiting frame, and costs a
// few virtual calls.
// Invariant: operations and their cancellation behave as those of the stream inside.
#pragma once

#include <leat/core/awaited.hpp>
#include <leat/core/peer_of.hpp>
#include <leat/endpoint.hpp>
#include <leat/framing/core/recv_part.hpp>
#include <leat/stream.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace leat {

namespace detail {

// An operation of a stream of any kind, kept in the awaiter below.
template <typename T>
struct kept_operation {
    kept_operation() noexcept = default;
    kept_operation(const kept_operation&) = delete;
    kept_operation& operator=(const kept_operation&) = delete;
    virtual ~kept_operation() = default;

    virtual bool ready() = 0;
    virtual void suspend(frame& waiter) = 0;
    virtual T resume() = 0;
    // Before it has begun: makes the same in `room`.
    virtual kept_operation& move_to(void* room) = 0;
};

// `Start` gives the awaiter or the task.
template <typename T, typename Start>
class kept_operation_of final : public kept_operation<T> {
public:
    explicit kept_operation_of(Start&& start) : inner_(std::move(start)) {}
    bool ready() override { return inner_.ready(); }
    void suspend(frame& waiter) override { inner_.suspend(waiter); }
    T resume() override { return inner_.resume(); }
    kept_operation<T>& move_to(void* room) override {
        return *::new (room) kept_operation_of(inner_.defer());
    }

private:
    awaited<Start> inner_;
};

template <typename T, typename Start>
task<T> begun_by(Start start) {
    co_return co_await start();
}

// What an operation of an any_stream gives to co_await.
template <typename T>
class [[nodiscard]] stream_awaiter : public awaiter_of<stream_awaiter<T>> {
    static constexpr std::size_t room_size = 288;  // enough for all operations of sockets

public:
    // Whether what `Start` gives is kept here, or gets a frame.
    template <typename Start>
    static constexpr bool has_room_for =
        awaitable_callable<Start> && sizeof(kept_operation_of<T, Start>) <= room_size &&
        alignof(kept_operation_of<T, Start>) <= alignof(std::max_align_t);

    template <std::invocable Start>
    explicit stream_awaiter(Start start) : operation_(&keep(std::move(start))) {}
    stream_awaiter(stream_awaiter&& fresh)
        : awaiter_of<stream_awaiter<T>>(), operation_(&fresh.operation_->move_to(room_)) {
        check(!fresh.begun_, "what is awaited stays where it is");
    }
    stream_awaiter& operator=(stream_awaiter&&) = delete;
    ~stream_awaiter() { operation_->~kept_operation(); }

    bool await_ready() {
        check(!std::exchange(begun_, true), "the wait was awaited before");
        return operation_->ready();
    }
    void suspend(frame& waiter) { operation_->suspend(waiter); }
    T await_resume() { return operation_->resume(); }

private:
    template <typename Start>
    kept_operation<T>& keep(Start&& start) {
        if constexpr (has_room_for<Start>) {
            return *::new (static_cast<void*>(room_)) kept_operation_of<T, Start>(std::move(start));
        } else {
            return keep([start = std::move(start)]() mutable { return begun_by<T>(std::move(start)); });
        }
    }

    alignas(std::max_align_t) std::byte room_[room_size];
    kept_operation<T>* operation_;
    bool begun_ = false;
};

struct stream_model {
    stream_model() noexcept = default;
    stream_model(const stream_model&) = delete;
    stream_model& operator=(const stream_model&) = delete;
    virtual ~stream_model() = default;

    virtual stream_awaiter<std::size_t> recv(byte_buffer into) = 0;
    virtual stream_awaiter<void> recv_exactly(byte_buffer into) = 0;
    virtual stream_awaiter<chunk> recv_chunk() = 0;
    virtual task<std::optional<std::string>> recv_part(wanted asked) = 0;
    virtual void unread(chunk&& bytes) = 0;
    virtual stream_awaiter<std::size_t> send(byte_view from) = 0;
    virtual stream_awaiter<void> send_all(byte_view from) = 0;
    virtual stream_awaiter<void> send_all(byte_pieces pieces) = 0;
    virtual task<> shutdown_send() = 0;
    [[nodiscard]] virtual bool is_quiet() const noexcept = 0;
    [[nodiscard]] virtual std::optional<endpoint> remote_endpoint() const = 0;
    virtual void close() noexcept = 0;
    virtual void reset() noexcept = 0;
};

template <stream Stream>
struct stream_model_of final : stream_model {
    explicit stream_model_of(Stream made) noexcept : held(std::move(made)) {}

    stream_awaiter<std::size_t> recv(byte_buffer into) override {
        return stream_awaiter<std::size_t>([this, into] { return held.recv(into); });
    }
    stream_awaiter<void> recv_exactly(byte_buffer into) override {
        return stream_awaiter<void>([this, into] { return held.recv_exactly(into); });
    }
    stream_awaiter<chunk> recv_chunk() override {
        return stream_awaiter<chunk>([this] { return held.recv_chunk(); });
    }
    task<std::optional<std::string>> recv_part(wanted asked) override { return recv_part_of(held, asked); }
    void unread(chunk&& bytes) override {
        if constexpr (pushback_stream<Stream>) {
            held.unread(std::move(bytes));
        } else {
            throw std::system_error(std::make_error_code(std::errc::operation_not_supported), "unread");
        }
    }
    stream_awaiter<std::size_t> send(byte_view from) override {
        return stream_awaiter<std::size_t>([this, from] { return held.send(from); });
    }
    stream_awaiter<void> send_all(byte_view from) override {
        return stream_awaiter<void>([this, from] { return held.send_all(from); });
    }
    stream_awaiter<void> send_all(byte_pieces pieces) override {
        return stream_awaiter<void>(
            [this, pieces] { return held.send_all(byte_view(pieces[0]), pieces[1], pieces[2], pieces[3]); });
    }
    task<> shutdown_send() override { return end_sending(held); }
    bool is_quiet() const noexcept override {
        if constexpr (requires { held.is_quiet(); }) {
            return held.is_quiet();
        } else {
            return true;
        }
    }
    std::optional<endpoint> remote_endpoint() const override { return peer_of(held); }
    void close() noexcept override { held.close(); }
    void reset() noexcept override { reset_or_close(held); }

    Stream held;
};

}  // namespace detail

// The stream inside lives until an operation on it has begun, and as long as that takes.
class any_stream {
public:
    any_stream() noexcept = default;  // holds none: only to be assigned to
    // The stream moves in; its send_all takes several pieces, too.
    template <typename Stream>
        requires(!std::is_same_v<Stream, any_stream>) && stream<Stream>
    any_stream(Stream held) : model_(new detail::stream_model_of<Stream>(std::move(held))) {}

    detail::stream_awaiter<std::size_t> recv(byte_buffer into) { return model().recv(into); }
    detail::stream_awaiter<void> recv_exactly(byte_buffer into) { return model().recv_exactly(into); }
    detail::stream_awaiter<chunk> recv_chunk() { return model().recv_chunk(); }
    // The next receive gets `bytes` first. Misuse while a task receives. Throws std::bad_alloc,
    // stream_errc::closed, or errc::operation_not_supported if the stream inside is no pushback_stream; then
    // nothing has changed, `bytes` neither.
    void unread(chunk&& bytes) { model().unread(std::move(bytes)); }
    detail::stream_awaiter<std::size_t> send(byte_view from) { return model().send(from); }
    // One piece, or up to four, in order.
    detail::stream_awaiter<void> send_all(byte_view from) { return model().send_all(from); }
    template <typename... More>
        requires(sizeof...(More) > 0 && sizeof...(More) < std::tuple_size_v<detail::byte_pieces>)
    detail::stream_awaiter<void> send_all(byte_view first, const More&... more) {
        return model().send_all(detail::byte_pieces{first, byte_view(more)...});
    }
    task<> shutdown_send() { return model().shutdown_send(); }
    // Whether a receive would have to wait: no byte, no end and no error is there. Only a look; true of a
    // stream that cannot look.
    [[nodiscard]] bool is_quiet() const noexcept { return model().is_quiet(); }
    // The other side, if the stream inside knows it by an IP address.
    [[nodiscard]] std::optional<endpoint> remote_endpoint() const { return model().remote_endpoint(); }
    void close() noexcept { model().close(); }
    // Closes a stream that has no reset of its own.
    void reset() noexcept { model().reset(); }

    // For recv_line and the like (recv_part.hpp).
    friend task<std::optional<std::string>> recv_part(any_stream& from, detail::wanted asked) {
        return from.model().recv_part(asked);
    }

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
