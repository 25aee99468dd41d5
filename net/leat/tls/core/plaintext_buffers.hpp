// SPDX-License-Identifier: MIT
// The buffers that a TLS stream's chunks hold decrypted bytes in. They are kept per thread for reuse, a few
// of them, so that receiving does not allocate and an idle connection owns none.
#pragma once

#include <leat/chunk.hpp>

#include <cstddef>
#include <span>

namespace leat::tls::detail {

// One buffer, to be filled and made into a chunk, or to be given back.
class plaintext_buffer {
public:
    static constexpr std::size_t capacity = 16 * 1024;  // a record's data, RFC 8446, 5.1

    // Throws std::bad_alloc.
    plaintext_buffer();
    plaintext_buffer(const plaintext_buffer&) = delete;
    plaintext_buffer& operator=(const plaintext_buffer&) = delete;
    ~plaintext_buffer();

    [[nodiscard]] std::span<std::byte> bytes() noexcept { return {buffer_, capacity}; }
    // The first `size` bytes, in a chunk that owns the buffer from now on.
    [[nodiscard]] chunk to_chunk(std::size_t size) noexcept;

private:
    std::byte* buffer_;
};

}  // namespace leat::tls::detail
