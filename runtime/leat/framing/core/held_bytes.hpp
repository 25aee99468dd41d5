// SPDX-License-Identifier: MIT
// held_bytes: what a reader has received and not given yet. A chunk that holds all of it is kept as it came;
// bytes of several are joined.
// Invariant: the bytes are those of `store_` from `begin_`, and then those of `piece_`. Without bytes there
// is no buffer from the next receive on.
#pragma once

#include <leat/chunk.hpp>
#include <leat/framing/core/part.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace leat::detail {

class held_bytes {
public:
    held_bytes() noexcept = default;
    held_bytes(held_bytes&& other) noexcept
        : store_(std::exchange(other.store_, {})),
          begin_(std::exchange(other.begin_, 0)),
          piece_(std::move(other.piece_)),
          searched_(std::exchange(other.searched_, 0)),
          searched_for_(std::exchange(other.searched_for_, {})) {}
    held_bytes& operator=(held_bytes&& other) noexcept {
        held_bytes taken(std::move(other));
        std::swap(store_, taken.store_);
        std::swap(begin_, taken.begin_);
        std::swap(piece_, taken.piece_);
        std::swap(searched_, taken.searched_);
        std::swap(searched_for_, taken.searched_for_);
        return *this;
    }
    ~held_bytes() = default;

    [[nodiscard]] std::size_t size() const noexcept { return store_.size() - begin_ + piece_.size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // Whether all of them are in one place.
    [[nodiscard]] bool in_one() const noexcept { return begin_ == store_.size() || piece_.empty(); }
    // All of them, which are in one place.
    [[nodiscard]] std::string_view text() const noexcept {
        return begin_ == store_.size() ? piece_.text() : std::string_view(store_).substr(begin_);
    }

    // Looks for `asked` once no more bytes can be had without waiting; `ended`: none will come at all. If it
    // is missing there is place for the next ones. Throws what it is refused for, and std::bad_alloc.
    [[nodiscard]] part find(const wanted& asked, bool ended);
    // Looks for `asked`; the bytes are in one place.
    [[nodiscard]] part look(const wanted& asked) const noexcept {
        return look_for(asked, text(), searched_for(asked));
    }
    // How many of the first bytes were searched for its delimiter before.
    [[nodiscard]] std::size_t searched_for(const wanted& asked) const noexcept {
        return searched_for_ == asked.delimiter ? searched_ : 0;
    }
    // Keeps how far it was looked for `asked`, which is missing. Throws std::bad_alloc.
    void keep_searched(const wanted& asked, const part& missing);
    // Puts them into one place. Throws std::bad_alloc; no byte is lost.
    void join();
    // Before a receive: joins them, and frees what holds no byte.
    void make_place();
    // What has been received then.
    void add(chunk more) noexcept { piece_ = std::move(more); }
    // Puts `bytes` before the others. Throws std::bad_alloc; then nothing has changed, `bytes` neither.
    void put_back(chunk&& bytes);

    // Forgets the first `count`, which are there. They stay readable until the next receive.
    void drop(std::size_t count) noexcept;
    // What `found` is, which is dropped.
    std::string_view take(const part& found) noexcept {
        const std::string_view given = text().substr(found.begin, found.size);
        drop(found.whole);
        return given;
    }
    // Copies as many as fit; they are in one place.
    std::size_t copy_to(std::span<std::byte> into) const noexcept;
    // The chunk that holds all of them as it came; empty if there is none.
    [[nodiscard]] chunk take_piece() noexcept {
        searched_ = 0;
        return begin_ == store_.size() ? std::move(piece_) : chunk();
    }
    // Takes out the first of them, all if they are in one place. Throws std::bad_alloc; then nothing has
    // changed.
    [[nodiscard]] chunk take_chunk();
    // Takes out all of them. Throws std::bad_alloc, also for 4 GiB and more; then nothing has changed.
    [[nodiscard]] chunk take_all();
    void clear() noexcept;

private:
    std::string store_;
    std::size_t begin_ = 0;
    chunk piece_;
    std::size_t searched_ = 0;  // at the front there is no `searched_for_` before this
    std::string searched_for_;
};

}  // namespace leat::detail
