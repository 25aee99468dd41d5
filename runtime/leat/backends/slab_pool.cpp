// SPDX-License-Identifier: MIT
#include <leat/backends/slab_pool.hpp>

namespace leat {

void slab_pool::let_go::operator()(slab_pool* pool) const noexcept {
    pool->abandoned_ = true;
    if (pool->leased_ == 0) {
        delete pool;
    }
}

void slab_pool::release(std::byte* buffer, std::uint32_t index) noexcept {
    if (index != from_heap) [[likely]] {
        put_back(buffer, index);
    } else {
        delete[] buffer;
    }
    if (--leased_ == 0 && abandoned_) [[unlikely]] {
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
