// SPDX-License-Identifier: MIT
#include <leat/backends/slab_pool.hpp>

#include <leat/check.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace leat {

// From then on any thread may release what is leased. The backend's own share keeps the pool until here.
void slab_pool::let_go::operator()(slab_pool* pool) const noexcept {
    ++pool->leased_;
    pool->abandoned_.store(true, std::memory_order_release);
    pool->drop_abandoned();
}

void slab_pool::release(std::byte* buffer, std::uint32_t index) noexcept {
    if (abandoned_.load(std::memory_order_acquire)) [[unlikely]] {
        release_abandoned(buffer, index);
        return;
    }
    check(home_ == &living_, "a chunk is freed by the thread that received it, until its run has ended");
    if (index != from_heap) [[likely]] {
        put_back(buffer, index);
    } else {
        delete[] buffer;
    }
    if (--leased_ <= little_) [[unlikely]] {
        shrink();
    }
}

void slab_pool::release_abandoned(std::byte* buffer, std::uint32_t index) noexcept {
    if (index == from_heap) {
        delete[] buffer;
    }
    drop_abandoned();
}

void slab_pool::drop_abandoned() noexcept {
    if (std::atomic_ref(leased_).fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete this;
    }
}

// Those that provide() got and nobody took.
void slab_pool::free_heap_buffers() noexcept {
    for (free_buffer** link = &unused_; *link != nullptr;) {
        if ((*link)->index == from_heap) {
            delete[] reinterpret_cast<std::byte*>(std::exchange(*link, (*link)->next));
        } else {
            link = &(*link)->next;
        }
    }
}

// Slabs of which nothing is leased go, until half are left. Others stay: then it is tried again later.
void slab_pool::shrink() noexcept {
    free_heap_buffers();
    std::array<std::uint32_t, slabs_max> unused{};
    for (const free_buffer* each = unused_; each != nullptr; each = each->next) {
        ++unused[each->index / buffers_in_slab];
    }
    const std::uint32_t aim = leased_ == 0 ? slabs_kept : std::max(slabs_kept, slab_count_ / 2);
    std::array<bool, slabs_max> goes{};
    for (std::size_t slab = slabs_.size(); slab-- > 0 && slab_count_ > aim;) {
        if (slabs_[slab] != nullptr && unused[slab] == buffers_in_slab) {
            goes[slab] = true;
            --slab_count_;
        }
    }
    for (free_buffer** link = &unused_; *link != nullptr;) {
        if (goes[(*link)->index / buffers_in_slab]) {
            *link = (*link)->next;
        } else {
            link = &(*link)->next;
        }
    }
    for (std::size_t slab = 0; slab < slabs_.size(); ++slab) {
        if (goes[slab]) {
            slabs_[slab].reset();
        }
    }
    little_ = slab_count_ <= slabs_kept
                  ? -1
                  : std::min(std::int64_t{slab_count_} * buffers_in_slab / 4, leased_ - 1);
}

bool slab_pool::provide_more() noexcept try {
    if (slab_count_ == slabs_max) {
        put_back(new std::byte[buffer_size], from_heap);
        return true;
    }
    auto place = std::ranges::find_if(slabs_, [](const auto& slab) { return slab == nullptr; });
    if (place == slabs_.end()) {
        place = slabs_.emplace(place);
    }
    *place = std::make_unique_for_overwrite<std::byte[]>(buffer_size * buffers_in_slab);
    const auto first = static_cast<std::uint32_t>(place - slabs_.begin()) * buffers_in_slab;
    for (std::uint32_t i = buffers_in_slab; i-- > 0;) {
        put_back(place->get() + i * buffer_size, first + i);
    }
    if (++slab_count_ > slabs_kept) {
        little_ = std::int64_t{slab_count_} * buffers_in_slab / 4;
    }
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

}  // namespace leat
