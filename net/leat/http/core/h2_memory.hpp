// SPDX-License-Identifier: MIT
// h2_memory: where nghttp2 gets the memory of an h2_session. It writes each frame into a buffer of 16 KiB,
// which it makes with the session and of which it needs nothing once the frame was taken: all sessions of a
// thread share one.
// Invariant: what nghttp2 has in that buffer is taken before another session writes.
#pragma once

#include <cstddef>

#include <nghttp2/nghttp2.h>

namespace leat::http::detail {

class h2_memory {
public:
    // Shorter blocks are not shared, nor those that nghttp2 asks for once its session is there.
    static constexpr std::size_t shared_min = 16 * 1024;

    h2_memory() noexcept = default;
    h2_memory(const h2_memory&) = delete;
    h2_memory& operator=(const h2_memory&) = delete;

    // For nghttp2, which copies it. This outlives the session.
    [[nodiscard]] nghttp2_mem functions() noexcept;
    void session_is_made() noexcept { making_ = false; }

private:
    struct calls;
    struct shared_block;

    static thread_local shared_block* shared_;
    shared_block* taken_ = nullptr;  // null: none
    bool making_ = true;
};

}  // namespace leat::http::detail
