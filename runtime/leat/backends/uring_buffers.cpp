// SPDX-License-Identifier: MIT
#include <leat/backends/uring_buffers.hpp>

#include <leat/check.hpp>
#include <leat/result.hpp>

#include <algorithm>
#include <cstring>

#include <sys/mman.h>

namespace leat {

namespace {

constexpr std::size_t shared_size(std::uint32_t entries) {
    return entries * sizeof(io_uring_buf);
}

}  // namespace

uring_buffers::uring_buffers(uring_ring& ring) : ring_(&ring) {
    if (!ring.newer_features()) {
        return;
    }
    void* const memory =
        ::mmap(nullptr, shared_size(entries), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::system_error(errno_code(errno), "memory for a ring of buffers");
    }
    ::madvise(memory, shared_size(entries), MADV_DONTFORK);  // or a child's copy becomes the kernel's
    shared_ = static_cast<io_uring_buf_ring*>(memory);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    registration.ring_entries = entries;
    registration.bgid = group;
    if (const int status = ::io_uring_register_buf_ring(&ring.native(), &registration, 0); status < 0) {
        ::munmap(memory, shared_size(entries));
        throw std::system_error(errno_code(-status), "io_uring_register of a ring of buffers");
    }
}

uring_buffers::~uring_buffers() {
    if (!shared()) {
        return;
    }
    ::io_uring_unregister_buf_ring(&ring_->native(), group);
    ::munmap(shared_, shared_size(entries));
    for (std::uint32_t index = 0; index < entries; ++index) {
        if (slots_[index].buffer != nullptr) {
            pool_->release(slots_[index].buffer, index);
        }
    }
}

// Without memory for more the kernel may run out, which is provided for.
void uring_buffers::offer_more() noexcept {
    short_ = false;
    for (; offered_ < target_ && !pool_->exhausted() && pool_->provide(); ++offered_) {
        const slab_pool::lease lease = pool_->take();
        slots_[lease.index].buffer = lease.buffer;
        // Field by field: the tail of the ring lies inside the first entry.
        io_uring_buf& entry = shared_->bufs[tail_++ & (entries - 1)];
        entry.addr = reinterpret_cast<std::uintptr_t>(lease.buffer);
        entry.len = slab_pool::buffer_size;
        entry.bid = static_cast<std::uint16_t>(lease.index);
    }
    __atomic_store_n(&shared_->tail, tail_, __ATOMIC_RELEASE);
}

// All receives that find none in one turn tell of it, but only once are there more.
void uring_buffers::ran_out() noexcept {
    if (!std::exchange(short_, true)) {
        target_ = std::clamp(target_ * 2, offered_at_first, offered_max);
    }
    least_offered_ = 0;
}

// The kernel compares its place in the ring with the end of it whenever it takes one, and does so only inside
// enter (IORING_SETUP_DEFER_TASKRUN): until then the end may move back.
void uring_buffers::shrink() noexcept {
    if (std::exchange(least_offered_, offered_) < target_ / 2) {
        return;
    }
    target_ = std::max(target_ / 2, offered_at_first);
    for (; offered_ > target_; --offered_) {
        release(shared_->bufs[--tail_ & (entries - 1)].bid);
    }
    least_offered_ = offered_;
    __atomic_store_n(&shared_->tail, tail_, __ATOMIC_RELEASE);
}

std::uint16_t uring_buffers::filled(unsigned completion_flags) noexcept {
    const unsigned number = completion_flags >> IORING_CQE_BUFFER_SHIFT;
    check(number < entries && slots_[number].buffer != nullptr, "the kernel fills what it was offered");
    least_offered_ = std::min(least_offered_, --offered_);
    return static_cast<std::uint16_t>(number);
}

void uring_buffers::push(queue& to, std::uint16_t number, std::uint32_t size) noexcept {
    if (to.count != 0) {
        slot& last = slots_[to.last];
        const std::uint32_t end = last.begin + last.size;
        if (end + size <= slab_pool::buffer_size) {
            std::memcpy(last.buffer + end, slots_[number].buffer, size);
            last.size += size;
            release(number);
            return;
        }
    }
    slots_[number].begin = 0;
    slots_[number].size = size;
    slots_[number].next = none;
    (to.first == none ? to.first : slots_[to.last].next) = number;
    to.last = number;
    ++to.count;
    ++queued_;
}

std::size_t uring_buffers::size(const queue& of) const noexcept {
    std::size_t sum = 0;
    std::uint16_t number = of.first;
    for (std::uint32_t left = of.count; left != 0; --left) {
        sum += slots_[number].size;
        number = slots_[number].next;
    }
    return sum;
}

std::uint16_t uring_buffers::pop(queue& of) noexcept {
    const std::uint16_t number = of.first;
    of.first = slots_[number].next;
    --of.count;
    --queued_;
    return number;
}

void uring_buffers::consume(queue& of, std::size_t count) noexcept {
    slot& first = slots_[of.first];
    first.begin += static_cast<std::uint32_t>(count);
    first.size -= static_cast<std::uint32_t>(count);
    if (first.size == 0) {
        release(pop(of));
    }
}

slab_pool::lease uring_buffers::take_front(queue& of) noexcept {
    const std::span<std::byte> unread = front(of);
    const slab_pool::lease lease = take(pop(of));
    if (unread.data() != lease.buffer) {
        std::memmove(lease.buffer, unread.data(), unread.size());
    }
    return lease;
}

void uring_buffers::clear(queue& of) noexcept {
    while (of.count > 0) {
        release(pop(of));
    }
}

}  // namespace leat
