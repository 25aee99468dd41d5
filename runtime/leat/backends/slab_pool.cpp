// SPDX-License-Identifier: MIT
#include <leat/backends/slab_pool.hpp>

#include <leat/check.hpp>

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
    --leased_;
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

bool slab_pool::provide_more() noexcept try {
    if (slabs_.size() == slabs_max) {
        put_back(new std::byte[buffer_size], from_heap);
        return true;
    }
    slabs_.push_back(std::make_unique_for_overwrite<std::byte[]>(buffer_size * buffers_in_slab));
    const auto first = static_cast<std::uint32_t>((slabs_.size() - 1) * buffers_in_slab);
    for (std::uint32_t i = buffers_in_slab; i-- > 0;) {
        put_back(slabs_.back().get() + i * buffer_size, first + i);
    }
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

}  // namespace leat
