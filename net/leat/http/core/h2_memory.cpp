// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_memory.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace leat::http::detail {

struct alignas(std::max_align_t) h2_memory::shared_block {
    std::size_t size;
    std::size_t users;
    [[nodiscard]] void* data() noexcept { return this + 1; }
};

thread_local h2_memory::shared_block* h2_memory::shared_ = nullptr;

struct h2_memory::calls {
    static h2_memory& of(void* user_data) noexcept { return *static_cast<h2_memory*>(user_data); }

    // The block of this thread, or one that takes its place.
    static void* share(h2_memory& self, std::size_t size) noexcept {
        if (shared_ == nullptr || shared_->size < size) {
            void* const made = std::malloc(sizeof(shared_block) + size);
            if (made == nullptr) {
                return nullptr;
            }
            shared_ = ::new (made) shared_block{.size = size, .users = 0};
        }
        self.taken_ = shared_;
        ++self.taken_->users;
        return self.taken_->data();
    }

    static void leave(h2_memory& self) noexcept {
        if (--self.taken_->users == 0) {
            if (shared_ == self.taken_) {
                shared_ = nullptr;
            }
            std::free(self.taken_);
        }
        self.taken_ = nullptr;
    }

    static bool is_shared(const h2_memory& self, const void* block) noexcept {
        return self.taken_ != nullptr && block == self.taken_->data();
    }

    static void* allocate(std::size_t size, void* user_data) noexcept {
        h2_memory& self = of(user_data);
        const bool shares = self.making_ && self.taken_ == nullptr && size >= shared_min;
        return shares ? share(self, size) : std::malloc(size);
    }

    static void release(void* block, void* user_data) noexcept {
        h2_memory& self = of(user_data);
        if (is_shared(self, block)) {
            leave(self);
        } else {
            std::free(block);
        }
    }

    static void* allocate_zeros(std::size_t count, std::size_t size, void* /*user_data*/) noexcept {
        return std::calloc(count, size);
    }

    static void* reallocate(void* block, std::size_t size, void* user_data) noexcept {
        h2_memory& self = of(user_data);
        if (block == nullptr) {
            return allocate(size, user_data);
        }
        if (!is_shared(self, block)) {
            return std::realloc(block, size);
        }
        void* const own = std::malloc(size);
        if (own != nullptr) {
            std::memcpy(own, block, std::min(size, self.taken_->size));
            leave(self);
        }
        return own;
    }
};

nghttp2_mem h2_memory::functions() noexcept {
    return {.mem_user_data = this,
            .malloc = calls::allocate,
            .free = calls::release,
            .calloc = calls::allocate_zeros,
            .realloc = calls::reallocate};
}

}  // namespace leat::http::detail
