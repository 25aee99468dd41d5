// SPDX-License-Identifier: MIT
#include <leat/tls/core/plaintext_buffers.hpp>

#include <leat/core/sanitizers.hpp>

#include <cstdint>
#include <new>
#include <utility>

namespace leat::tls::detail {
namespace {

// Under AddressSanitizer none: the heap finds a use after the release.
constexpr std::size_t kept_max = leat::detail::address_sanitized ? 0 : 16;

struct unused_buffer {
    unused_buffer* next;
};

// This thread's unused buffers. Chunks may still die after it, while the thread ends.
struct cache {
    unused_buffer* first = nullptr;
    std::size_t size = 0;
    std::size_t size_max = kept_max;

    cache() noexcept = default;
    cache(const cache&) = delete;
    cache& operator=(const cache&) = delete;
    ~cache() {
        size_max = 0;
        while (first != nullptr) {
            ::operator delete(std::exchange(first, first->next));
        }
    }
};

thread_local cache unused;

std::byte* take() {
    if (unused.first == nullptr) {
        return static_cast<std::byte*>(::operator new(plaintext_buffer::capacity));
    }
    --unused.size;
    return reinterpret_cast<std::byte*>(std::exchange(unused.first, unused.first->next));
}

void give_back(std::byte* buffer) noexcept {
    if (unused.size >= unused.size_max) {
        ::operator delete(buffer);
        return;
    }
    ++unused.size;
    unused.first = ::new (buffer) unused_buffer{unused.first};
}

class plaintext_pool final : public buffer_pool {
public:
    void release(std::byte* buffer, std::uint32_t) noexcept override { give_back(buffer); }
};

constinit plaintext_pool pool;

}  // namespace

plaintext_buffer::plaintext_buffer() : buffer_(take()) {}

plaintext_buffer::~plaintext_buffer() {
    if (buffer_ != nullptr) {
        give_back(buffer_);
    }
}

chunk plaintext_buffer::to_chunk(std::size_t size) noexcept {
    return {pool, std::exchange(buffer_, nullptr), 0, static_cast<std::uint32_t>(size)};
}

}  // namespace leat::tls::detail
