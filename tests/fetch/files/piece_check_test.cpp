// SPDX-License-Identifier: MIT
#include <fetch/files/piece_check.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace {

using fetch::byte_range, fetch::piece_check, fetch::piece_digests;

using piece_numbers = std::vector<std::size_t>;

std::span<const std::byte> in_bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}

piece_digests digests_of(std::string_view text, std::uint64_t length) {
    piece_digests made{.kind = fetch::digest_kind::sha_1, .length = length};
    fetch::digester each(made.kind);
    for (std::size_t at = 0; at < text.size(); at += length) {
        each.add(in_bytes(text.substr(at, length)));
        made.bytes.push_back(each.end().bytes);
    }
    return made;
}

}  // namespace

TEST_CASE("pieces that are right and wrong are told, in whatever portions bytes pass") {
    const std::string right = "0123456789abcdefghijXYZ";
    std::string other = right;
    other[7] = '-';
    other[22] = '-';
    const piece_digests wanted = digests_of(right, 5);
    for (unsigned seed = 1; seed <= 100; ++seed) {
        INFO("seed ", seed);
        std::mt19937 luck(seed);
        piece_check check(wanted);
        for (std::size_t at = 0; at < other.size();) {
            const std::size_t portion = std::min<std::size_t>(1 + luck() % 12, other.size() - at);
            check.add(at, in_bytes(std::string_view(other).substr(at, portion)));
            at += portion;
        }
        CHECK(check.has_passed(other.size()));
        CHECK(check.wrong() == piece_numbers{1, 4});
        CHECK_FALSE(check.is_another_file());
        check.add(0, in_bytes(right));
        CHECK(check.has_passed(right.size()));
        CHECK(check.wrong().empty());
    }
}

TEST_CASE("bytes that are not those that come next do not count, and a new start begins again") {
    const std::string text = "0123456789";
    const piece_digests wanted = digests_of(text, 4);
    piece_check check(wanted);
    check.add(0, in_bytes("0123"));
    check.add(5, in_bytes("56789"));
    CHECK_FALSE(check.has_passed(10));
    check.add(4, in_bytes("456789"));
    CHECK(check.has_passed(10));
    CHECK(check.has_passed(10));
    CHECK(check.wrong().empty());
    check.add(0, in_bytes("xxxxxxxxx"));
    CHECK_FALSE(check.has_passed(10));
    CHECK(check.wrong() == piece_numbers{0, 1});
    CHECK(check.is_another_file());
}

TEST_CASE("pieces fit files of some sizes only, and a longer file has wrong ones") {
    const std::string text = "0123456789";
    const piece_digests wanted = digests_of(text, 4);
    piece_check check(wanted);
    CHECK(check.fits(10));
    CHECK(check.fits(12));
    CHECK_FALSE(check.fits(8));
    CHECK_FALSE(check.fits(13));
    CHECK(check.part_of(1, 10) == byte_range{4, 8});
    CHECK(check.part_of(2, 10) == byte_range{8, 10});
    check.add(0, in_bytes(text + "abcd"));
    CHECK(check.has_passed(14));
    CHECK(check.wrong() == piece_numbers{2, 3});

    const piece_digests none{.kind = fetch::digest_kind::sha_1, .length = 4};
    piece_check empty(none);
    CHECK(empty.fits(0));
    CHECK(empty.has_passed(0));
    CHECK_FALSE(empty.is_another_file());
}
