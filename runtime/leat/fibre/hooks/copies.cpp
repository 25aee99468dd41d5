// SPDX-License-Identifier: MIT
// sendfile and splice, which have no flag for a socket that blocks.
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>

namespace leat::detail {

namespace {

// sendfile to a descriptor that blocks: through a buffer, for the kernel would wait.
ssize_t send_file(int out, int in, off_t* offset, std::size_t size) {
    std::array<std::byte, 8192> buffer;
    std::size_t sent = 0;
    while (sent < size) {
        const std::size_t wanted = std::min(size - sent, buffer.size());
        const ssize_t got = offset != nullptr ? ::pread(in, buffer.data(), wanted, *offset)
                                              : leat_read(in, buffer.data(), wanted);
        if (got <= 0) {
            return got < 0 && sent == 0 ? -1 : static_cast<ssize_t>(sent);
        }
        const ssize_t some = leat_write(out, buffer.data(), static_cast<std::size_t>(got));
        const ssize_t moved = std::max<ssize_t>(some, 0);
        if (offset != nullptr) {
            *offset += moved;
        } else if (moved < got) {
            (void)::lseek(in, moved - got, SEEK_CUR);
        }
        sent += static_cast<std::size_t>(moved);
        if (some < got) {
            return some < 0 && sent == 0 ? -1 : static_cast<ssize_t>(sent);
        }
    }
    return static_cast<ssize_t>(sent);
}

bool is_ready_to_splice(int fd, short event) noexcept {
    return is_file(fd) || is_ready(fd, event);
}

}  // namespace

extern "C" {

ssize_t leat_sendfile(int out, int in, off_t* offset, std::size_t size) noexcept {
    if (!in_fibre() || is_nonblocking(out) || is_file(out)) [[likely]] {
        return real.sendfile(out, in, offset, size);
    }
    return send_file(out, in, offset, size);
}

// One of the two is a pipe. Once both are ready it moves at once what does not wait, perhaps less than asked.
ssize_t leat_splice(int in, off64_t* in_offset, int out, off64_t* out_offset, std::size_t size,
                    unsigned flags) {
    if (!in_fibre() || (flags & SPLICE_F_NONBLOCK) != 0) [[likely]] {
        return real.splice(in, in_offset, out, out_offset, size, flags);
    }
    const std::size_t at_once =
        is_nonblocking(out) || is_file(out) ? size : std::min<std::size_t>(size, PIPE_BUF);
    const auto side = [&](int fd, direction way, short event) {
        return is_nonblocking(fd) ? ssize_t{0} : try_until_ready(fd, way, [&]() -> ssize_t {
            errno = EAGAIN;
            return is_ready_to_splice(fd, event) ? 0 : -1;
        });
    };
    for (;;) {
        if (side(in, direction::in, POLLIN) < 0 || side(out, direction::out, POLLOUT) < 0) {
            return -1;
        }
        const ssize_t moved = real.splice(in, in_offset, out, out_offset, at_once, flags | SPLICE_F_NONBLOCK);
        if (moved >= 0 || errno != EAGAIN || is_nonblocking(in) || is_nonblocking(out)) {
            return moved;
        }
    }
}

decltype(leat_sendfile) interposed_sendfile __asm__("sendfile") __attribute__((alias("leat_sendfile")));
decltype(leat_sendfile) interposed_sendfile64 __asm__("sendfile64") __attribute__((alias("leat_sendfile")));
decltype(leat_splice) interposed_splice __asm__("splice") __attribute__((alias("leat_splice")));
}

}  // namespace leat::detail
