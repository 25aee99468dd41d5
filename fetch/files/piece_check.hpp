// SPDX-License-Identifier: MIT
// piece_check: which pieces of a file are not those that are meant, by their digests (RFC 5854 4.2.4), as its
// bytes pass. For the engine.
//
//   check.add(0, bytes); check.add(bytes.size(), more); ...
//   if (!check.has_passed(size)) { all of the file again, from 0 on }
//   for (std::size_t piece : check.wrong()) { ... check.part_of(piece, size) ... }
#pragma once

#include <fetch/files/byte_ranges.hpp>
#include <fetch/files/digest.hpp>
#include <fetch/list/job.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fetch {

class piece_check {
public:
    // `wanted` outlives it. Throws what digester does.
    explicit piece_check(const piece_digests& wanted) : wanted_(&wanted), digester_(wanted.kind) {}

    // The bytes of the file from `offset` on. From 0 on it begins again; bytes that are not those behind the
    // last ones are not looked at.
    void add(std::uint64_t offset, std::span<const std::byte> bytes);
    // Whether all bytes of a file of that size have passed; then its last piece has been looked at, too.
    [[nodiscard]] bool has_passed(std::uint64_t size);

    // Of those that have passed.
    [[nodiscard]] const std::vector<std::size_t>& wrong() const noexcept { return wrong_; }
    // More than half of all pieces are wrong: these are not a few bytes that were changed on their way.
    [[nodiscard]] bool is_another_file() const noexcept { return wrong_.size() > wanted_->bytes.size() / 2; }
    // The pieces make up a file of that size.
    [[nodiscard]] bool fits(std::uint64_t size) const noexcept;
    [[nodiscard]] byte_range part_of(std::size_t piece, std::uint64_t size) const noexcept;
    [[nodiscard]] bool is_right(std::size_t piece, const digest& made) const noexcept;

private:
    void end_piece();

    const piece_digests* wanted_;
    digester digester_;         // of the bytes of a piece that have passed
    std::uint64_t passed_ = 0;  // bytes
    std::size_t ended_ = 0;     // pieces
    std::vector<std::size_t> wrong_;
};

}  // namespace fetch
