// SPDX-License-Identifier: MIT
// held_bytes: a long part costs time in proportion to its length, however it comes.
#include "split_stream.hpp"

#include <leat/framing/core/held_bytes.hpp>
#include <leat/testing/doctest.hpp>

#include <cstdint>
#include <new>

using framing_tests::bytes;
using leat::detail::held_bytes;
using leat::detail::part;
using leat::detail::wanted;

namespace {

struct cost {
    std::size_t looked_at = 0;  // bytes
    std::size_t moves = 0;      // of all bytes to another place
    std::size_t size = 0;       // of what was found
};

// What it costs to find `asked` in `text`, which comes `piece` bytes at a time.
cost cost_of(const wanted& asked, std::string_view text, std::size_t piece) {
    held_bytes held;
    cost spent;
    const char* place = nullptr;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        held.make_place();
        held.add(bytes(text.substr(at, piece)));
        held.join();
        spent.moves += held.text().data() != place ? 1 : 0;
        place = held.text().data();
        spent.looked_at += held.text().size() - held.searched_for(asked);
        const part found = held.look(asked);
        if (found.is == part::state::there) {
            spent.size += held.take(found).size();
        } else {
            held.keep_searched(asked, found);
        }
    }
    return spent;
}

constexpr std::size_t three_mib = 3 << 20;
constexpr std::string_view terminator = "\r<--EOM-->\r";

}  // namespace

TEST_CASE("3 MiB that end with a terminator are looked at once, in pieces of 64 KiB, and moved a few times") {
    const std::string text = std::string(three_mib, '.') + std::string(terminator);
    const auto asked = leat::detail::wanted_until(terminator, three_mib);
    const cost spent = cost_of(asked, text, 64 << 10);
    CHECK(spent.size == three_mib);
    CHECK(spent.looked_at <= text.size() + 49 * terminator.size());
    CHECK(spent.moves <= 10);
}

TEST_CASE("3 MiB of single bytes are looked at once and the length of the terminator a byte") {
    const std::string text = std::string(three_mib, '\r') + std::string(terminator);
    const auto asked = leat::detail::wanted_until(terminator, three_mib + 10);
    const cost spent = cost_of(asked, text, 1);
    CHECK(spent.size == three_mib);
    CHECK(spent.looked_at <= text.size() * terminator.size());
    CHECK(spent.moves <= 30);
}

TEST_CASE("many lines in pieces that cut each are moved as often as they come, and no more") {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += "line " + std::to_string(i) + "\n";
    }
    const auto asked = leat::detail::wanted_line(100, true);
    held_bytes held;
    std::size_t found = 0;
    std::size_t most = 0;
    for (std::size_t at = 0; at < text.size(); at += 1000) {
        held.make_place();
        held.add(bytes(std::string_view(text).substr(at, 1000)));
        held.join();
        most = std::max(most, held.text().size());
        for (part next = held.look(asked); next.is == part::state::there; next = held.look(asked)) {
            CHECK(held.take(next) == "line " + std::to_string(found));
            ++found;
        }
    }
    CHECK(found == 100'000);
    CHECK(most < 1'100);  // what was read is not kept
}

TEST_CASE("4 GiB and more are not taken out in one piece, and stay") {
    struct nothing_to_free final : leat::buffer_pool {
        void release(std::byte* /*buffer*/, std::uint32_t /*index*/) noexcept override {}
    } pool;
    held_bytes held;
    held.add(bytes("xy"));
    CHECK(held.find(leat::detail::wanted_line(10, true), false).is == part::state::missing);
    held.drop(1);
    held.add(leat::chunk(pool, nullptr, 0, UINT32_MAX));  // nobody looks at them
    CHECK_THROWS_AS((void)held.take_all(), std::bad_alloc);
    CHECK(held.size() == std::size_t{1} + UINT32_MAX);
}

TEST_CASE("all bytes are taken out in one piece, also when they came in two") {
    held_bytes held;
    held.add(bytes("ab"));
    CHECK(held.find(leat::detail::wanted_line(10, true), false).is == part::state::missing);
    held.add(bytes("cd"));
    CHECK(held.take_all().text() == "abcd");
    CHECK(held.empty());
    CHECK(held.take_all().empty());
}
