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
    pool->drop_abandoned(1);
}

void slab_pool::release(std::byte* buffer, std::uint32_t index) noexcept {
    if (abandoned_.load(std::memory_order_acquire) || home_ != &living_ || leased_ > most_leased_ ||
        index >= large) [[unlikely]] {
        release_other(buffer, index);
        return;
    }
    put_back(unused_, buffer, index);
    --leased_;
}

void slab_pool::release_other(std::byte* buffer, std::uint32_t index) noexcept {
    if (abandoned_.load(std::memory_order_acquire)) {
        release_abandoned(buffer, index);
        return;
    }
    check(home_ == &living_, "a chunk is freed by the thread that received it, until its run has ended");
    most_leased_ = std::max(most_leased_, leased_);
    if (index == from_heap) {
        delete[] buffer;
    } else {
        put_back(unused(index >> step_shift), buffer, index);
    }
    leased_ -= units_of(index);
}

void slab_pool::release_abandoned(std::byte* buffer, std::uint32_t index) noexcept {
    if (index == from_heap) {
        delete[] buffer;
    }
    drop_abandoned(units_of(index));
}

void slab_pool::drop_abandoned(std::int64_t units) noexcept {
    if (std::atomic_ref(leased_).fetch_sub(units, std::memory_order_acq_rel) == units) {
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

void slab_pool::shrink() noexcept {
    free_heap_buffers();
    const std::int64_t needed =
        (std::max(most_leased_, leased_) + buffers_in_slab - 1) / std::int64_t{buffers_in_slab};
    most_leased_ = leased_;
    free_slabs(std::max(slabs_kept, static_cast<std::uint32_t>(needed)));
}

// Those of which nothing is leased, until `aim` are left. The others stay: then it is tried again later.
void slab_pool::free_slabs(std::uint32_t aim) noexcept {
    std::array<std::int64_t, slabs_max> unused_units{};
    for (std::uint32_t step = 0; step < buffer_growth::steps; ++step) {
        for (const free_buffer* each = unused(step); each != nullptr; each = each->next) {
            unused_units[slab_of(each->index)] += units_of(each->index);
        }
    }
    std::array<bool, slabs_max> goes{};
    for (std::size_t at = slabs_.size(); at-- > 0 && slab_count_ > aim;) {
        if (slabs_[at].memory != nullptr && unused_units[at] == buffers_in_slab) {
            goes[at] = true;
            --slab_count_;
            large_slab_count_ -= slabs_[at].step != 0 ? 1 : 0;
        }
    }
    for (std::uint32_t step = 0; step < buffer_growth::steps; ++step) {
        for (free_buffer** link = &unused(step); *link != nullptr;) {
            if (goes[slab_of((*link)->index)]) {
                *link = (*link)->next;
            } else {
                link = &(*link)->next;
            }
        }
    }
    for (std::size_t at = 0; at < slabs_.size(); ++at) {
        if (goes[at]) {
            slabs_[at].memory.reset();
        }
    }
}

// Throws std::bad_alloc.
void slab_pool::add_slab(std::uint8_t step) {
    auto place = std::ranges::find_if(slabs_, [](const slab& each) { return each.memory == nullptr; });
    if (place == slabs_.end()) {
        place = slabs_.emplace(place);
    }
    place->memory = std::make_unique_for_overwrite<std::byte[]>(buffer_size * buffers_in_slab);
    place->step = step;
    const auto first = static_cast<std::uint32_t>(place - slabs_.begin()) * buffers_in_slab;
    const std::uint32_t units = 1U << (2 * step);
    for (std::uint32_t at = buffers_in_slab; at > 0;) {
        at -= units;
        put_back(unused(step), place->memory.get() + std::size_t{at} * buffer_size,
                 (first + at) | (std::uint32_t{step} << step_shift));
    }
    large_slab_count_ += step != 0 ? 1 : 0;
    ++slab_count_;
}

// Whether there may be one more slab. Where all that may be are there, some of other sizes go of which
// nothing is leased. To look for them takes a while: when there was none, it is not done again soon.
bool slab_pool::has_room() noexcept {
    constexpr std::uint8_t attempts = 255;
    if (slab_count_ < slabs_max) {
        return true;
    }
    if (looks_to_skip_ > 0) {
        --looks_to_skip_;
        return false;
    }
    free_slabs(slabs_max - slabs_kept);
    if (slab_count_ == slabs_max) {
        looks_to_skip_ = attempts;
    }
    return slab_count_ < slabs_max;
}

bool slab_pool::provide_more() noexcept try {
    if (has_room()) {
        add_slab(0);
    } else {
        put_back(unused_, new std::byte[buffer_size], from_heap);
    }
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

slab_pool::lease slab_pool::take_for(const buffer_growth& growth) noexcept {
    for (std::uint8_t step = growth.step(); step > 0; --step) {
        if (const lease taken = take_large(step); taken.buffer != nullptr) {
            return taken;
        }
    }
    return provide() ? take() : lease{nullptr, 0};
}

slab_pool::lease slab_pool::take_large(std::uint8_t step) noexcept try {
    free_buffer*& list = unused(step);
    if (list == nullptr) {
        if (large_slab_count_ == large_slabs_max || !has_room()) {
            return {nullptr, 0};
        }
        add_slab(step);
    }
    free_buffer* const first = list;
    const lease taken{reinterpret_cast<std::byte*>(first), first->index};
    list = first->next;
    leased_ += units_of(taken.index);
    return taken;
} catch (const std::bad_alloc&) {
    return {nullptr, 0};
}

}  // namespace leat
