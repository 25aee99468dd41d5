// SPDX-License-Identifier: MIT
// Two streams joined in memory, for tests of what runs over a stream: how much fits between them, and how
// much one operation moves, is the test's choice, so that a sender blocks exactly when it should.
#pragma once

#include <leat/awaited.hpp>
#include <leat/scheduler.hpp>
#include <leat/stream.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace leat {

class memory_stream {
public:
    struct limits {
        std::size_t capacity = SIZE_MAX;  // bytes that may be on their way
        std::size_t piece = 16 * 1024;    // bytes that one operation moves, at most 16 KiB
    };

    static std::pair<memory_stream, memory_stream> pair(limits chosen) {
        auto one = std::make_shared<pipe>(chosen);
        auto other = std::make_shared<pipe>(chosen);
        return {memory_stream(one, other), memory_stream(other, one)};
    }

    memory_stream(memory_stream&&) noexcept = default;
    memory_stream& operator=(memory_stream&& other) noexcept {
        std::swap(in_, other.in_);
        std::swap(out_, other.out_);
        return *this;
    }
    ~memory_stream() {
        if (in_ != nullptr) {
            close();
        }
    }

    task<std::size_t> recv(byte_buffer into) { return receive(in_, into); }
    task<chunk> recv_chunk() { return receive_chunk(in_); }
    task<> recv_exactly(byte_buffer into) { return receive_all(in_, into); }
    task<std::size_t> send(byte_view from) { return put(out_, from); }
    task<> send_all(byte_view from) { return put_all(out_, from); }
    void shutdown_send() {
        out_->ended = true;
        out_->changed();
    }
    void close() noexcept {
        in_->abandoned = out_->ended = out_->closed = true;
        in_->changed();
        out_->changed();
    }

private:
    struct pipe;
    using shared_pipe = std::shared_ptr<pipe>;

    class change : public detail::awaiter_base, wait {
    public:
        explicit change(pipe& watched) noexcept : wait(kind_of_wait), watched_(watched) {}
        bool await_ready() noexcept {
            end = this_thread.task->cancelled() ? wait_end::cancelled : wait_end::pending;
            return false;
        }
        template <typename Promise>
        void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
            suspend(waiter.promise());
        }
        void suspend(frame& waiter) noexcept {
            if (end == wait_end::pending) {
                watched_.waiting.push_back(*this);
            }
            scheduler::suspend(waiter, *this);
        }
        void await_resume() const noexcept {}

    private:
        static bool stop(wait& self) noexcept {
            self.unlink();
            return true;
        }
        static inline const wait_kind kind_of_wait{"a stream in memory", stop};

        pipe& watched_;
    };

    struct pipe {
        explicit pipe(limits chosen) noexcept : allowed(chosen) {}
        void changed() noexcept {
            while (!waiting.empty()) {
                current_scheduler().finish(waiting.pop_front());
            }
        }

        limits allowed;
        std::string bytes;
        bool ended = false;      // by the sender
        bool closed = false;     // the sender's end is gone
        bool abandoned = false;  // the receiver's end is gone
        list<wait> waiting;
    };

    class heap_pool final : public buffer_pool {
    public:
        void release(std::byte* buffer, std::uint32_t) noexcept override { delete[] buffer; }
    };

    memory_stream(shared_pipe in, shared_pipe out) : in_(std::move(in)), out_(std::move(out)) {}

    static task<std::size_t> receive(shared_pipe from, byte_buffer into) {
        while (from->bytes.empty() && !from->ended && !from->abandoned) {
            co_await change(*from);
        }
        if (from->abandoned) {
            throw std::system_error(std::make_error_code(std::errc::operation_canceled), "recv");
        }
        const std::size_t count = std::min({from->bytes.size(), into.size(), from->allowed.piece});
        std::memcpy(into.data(), from->bytes.data(), count);
        from->bytes.erase(0, count);
        from->changed();
        co_return count;
    }
    static task<chunk> receive_chunk(shared_pipe from) {
        static heap_pool pool;
        std::byte buffer[16 * 1024];
        const std::size_t count = co_await receive(from, std::span(buffer));
        if (count == 0) {
            co_return chunk();
        }
        auto* kept = new std::byte[count];
        std::memcpy(kept, buffer, count);
        co_return chunk(pool, kept, 0, static_cast<std::uint32_t>(count));
    }
    static task<> receive_all(shared_pipe from, byte_buffer into) {
        std::span<std::byte> rest = into;
        while (!rest.empty()) {
            const std::size_t count = co_await receive(from, rest);
            if (count == 0) {
                throw std::system_error(stream_errc::end_of_stream, "recv");
            }
            rest = rest.subspan(count);
        }
    }
    static task<std::size_t> put(shared_pipe into, byte_view from) {
        while (into->bytes.size() >= into->allowed.capacity && !into->ended && !into->abandoned) {
            co_await change(*into);
        }
        if (into->closed) {
            throw std::system_error(std::make_error_code(std::errc::operation_canceled), "send");
        }
        if (into->ended || into->abandoned) {
            throw std::system_error(std::make_error_code(std::errc::broken_pipe), "send");
        }
        const std::size_t room = into->allowed.capacity - into->bytes.size();
        const std::size_t count = std::min({from.size(), room, into->allowed.piece});
        into->bytes.append(reinterpret_cast<const char*>(from.data()), count);
        into->changed();
        co_return count;
    }
    static task<> put_all(shared_pipe into, byte_view from) {
        std::span<const std::byte> rest = from;
        while (!rest.empty()) {
            const std::size_t count = co_await put(into, rest);
            rest = rest.subspan(count);
        }
    }

    shared_pipe in_, out_;
};

}  // namespace leat
