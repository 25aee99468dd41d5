// SPDX-License-Identifier: MIT
// Files whose pieces have digests, from origins that send wrong bytes.
#include "made_answers.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace {

using fetch::failure_kind, fetch::job, fetch::settings, fetch::transfer_state;
using leat::testing::any_folder;
using support::answer, support::http_origin, support::noting_observer, support::run;
using support::body, support::content, support::cut, support::files_in, support::first_byte, support::into;
using support::head, support::size, support::tag;

constexpr std::size_t piece_length = 100'000;

std::span<const std::byte> as_bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

fetch::piece_digests digests_of_body() {
    fetch::piece_digests made{.kind = fetch::digest_kind::sha_256, .length = piece_length};
    fetch::digester each(made.kind);
    for (std::size_t at = 0; at < size; at += piece_length) {
        each.add(as_bytes_of(std::string_view(body).substr(at, piece_length)));
        made.bytes.push_back(each.end().bytes);
    }
    return made;
}

job with_pieces(std::string url, std::vector<std::string> mirrors = {}) {
    return {.url = std::move(url), .mirrors = std::move(mirrors), .size = size, .pieces = digests_of_body()};
}

// The body with a byte of each of these pieces changed.
std::string with_wrong(std::initializer_list<std::size_t> pieces) {
    std::string made = body;
    for (const std::size_t each : pieces) {
        made[each * piece_length + 77] = '!';
    }
    return made;
}

answer whole_of(std::string_view bytes) {
    return {head("200 OK", tag, bytes.size()) + std::string(bytes)};
}

// The bytes that a request with a range asks for, told as those from `shift` later on.
answer range_of(std::string_view bytes, const std::string& asked, std::size_t shift = 0) {
    const std::size_t from = first_byte(asked);
    const std::size_t last = std::stoul(asked.substr(asked.find('-', asked.find("bytes=")) + 1));
    const std::string range = "Content-Range: bytes " + std::to_string(from + shift) + "-" +
                              std::to_string(last + shift) + "/" + std::to_string(bytes.size()) + "\r\n";
    return {head("206 Partial Content", range, last + 1 - from) +
            std::string(bytes.substr(from, last + 1 - from))};
}

bool asks_for_range(const std::string& asked, std::string_view range) {
    return asked.find("\r\nRange: bytes=" + std::string(range) + "\r\n") != std::string::npos;
}

bool has_range(const std::string& asked) {
    return asked.find("\r\nRange: ") != std::string::npos;
}

}  // namespace

LEAT_TEST("pieces that are right are asked for once") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string&) { return whole_of(body); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {with_pieces(origin.url("/b.bin"))});
        CHECK(totals.fetched == 1);
    });
    CHECK(origin.heads.size() == 1);
    CHECK(co_await content(how, "b.bin") == body);
}

LEAT_TEST("a wrong piece is asked for again, alone, of another mirror first") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string&) { return whole_of(with_wrong({1, 3})); });
    http_origin mirror([](const std::string& asked) { return range_of(body, asked); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        co_await mirror.during([&]() -> leat::task<> {
            job one = with_pieces(origin.url("/b.bin"), {mirror.url("/mirrored")});
            fetch::digester made(fetch::digest_kind::sha_256);
            made.add(as_bytes_of(body));
            one.checksum = made.end();
            const auto totals = co_await run(how, told, {one});
            CHECK(totals.fetched == 1);
            CHECK(totals.received == size + 2 * piece_length);
        });
    });
    CHECK(origin.heads.size() == 1);
    REQUIRE(mirror.heads.size() == 2);
    CHECK(asks_for_range(mirror.heads[0], "100000-199999"));
    CHECK(asks_for_range(mirror.heads[1], "300000-399999"));
    CHECK(told.all.at(0).there == size);
    CHECK(co_await content(how, "b.bin") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("where there is one URL, the wrong piece is asked for there") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string& asked) {
        return has_range(asked) ? range_of(body, asked) : whole_of(with_wrong({2}));
    });
    noting_observer told;
    co_await origin.during(
        [&]() -> leat::task<> { co_await run(how, told, {with_pieces(origin.url("/b.bin"))}); });
    CHECK(origin.heads.size() == 2);
    CHECK(co_await content(how, "b.bin") == body);
}

LEAT_TEST("a mirror that sends no such range, or wrong bytes again, mends nothing and does no harm") {
    for (const std::string_view kind : {"range", "whole", "bytes", "gone", "short"}) {
        const any_folder folder;
        const settings how = into(folder, kind);
        http_origin origin([](const std::string& asked) {
            return has_range(asked) ? range_of(body, asked) : whole_of(with_wrong({1}));
        });
        http_origin mirror([&](const std::string& asked) -> answer {
            if (kind == "whole") {
                return whole_of(body);
            }
            if (kind == "gone") {
                return {head("404 Not Found", "", 0)};
            }
            answer given = range_of(kind == "bytes" ? with_wrong({1}) : body, asked, kind == "range" ? 1 : 0);
            if (kind == "short") {
                given.bytes.resize(given.bytes.size() - 10);
                given.next = support::then::close;
            }
            return given;
        });
        noting_observer told;
        co_await origin.during([&]() -> leat::task<> {
            co_await mirror.during([&]() -> leat::task<> {
                co_await run(how, told, {with_pieces(origin.url("/b.bin"), {mirror.url("/b")})});
            });
        });
        CAPTURE(kind);
        CHECK(mirror.heads.size() == 1);
        CHECK(origin.heads.size() == 2);
        CHECK(told.all.at(0).state == transfer_state::fetched);
        CHECK(co_await content(how, "b.bin") == body);
    }
}

LEAT_TEST("a piece that stays wrong fails the file, after a few requests") {
    const any_folder folder;
    const settings how = into(folder);
    const std::string wrong = with_wrong({1});
    http_origin origin([&](const std::string& asked) {
        return has_range(asked) ? range_of(wrong, asked) : whole_of(wrong);
    });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {with_pieces(origin.url("/b.bin"))});
        CHECK(totals.failed == 1);
    });
    CHECK(origin.heads.size() == 3);
    CHECK(told.all.at(0).failure->kind == failure_kind::checksum);
    CHECK(told.all[0].failure->text.find("piece 2 of 4") != std::string::npos);
    CHECK(co_await files_in(how) == 0);
}

LEAT_TEST("another file than is meant is given up as soon as it is seen, for a mirror") {
    const any_folder folder;
    const settings how = into(folder);
    const std::string other(size, 'o');
    http_origin origin([&](const std::string&) { return whole_of(other); });
    http_origin mirror([](const std::string&) { return whole_of(body); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        co_await mirror.during([&]() -> leat::task<> {
            const auto totals =
                co_await run(how, told, {with_pieces(origin.url("/b.bin"), {mirror.url("/b")})});
            CHECK(totals.received < 2 * size);
        });
    });
    CHECK(told.failures.at(0).kind == failure_kind::checksum);
    CHECK_FALSE(has_range(mirror.heads.at(0)));
    CHECK(co_await content(how, "b.bin") == body);
}

LEAT_TEST("pieces of what an earlier run has left are looked at as well") {
    const any_folder folder;
    bool broken = true;
    http_origin origin([&](const std::string& asked) -> answer {
        if (broken) {
            answer given = whole_of(with_wrong({0}));
            given.bytes.resize(given.bytes.size() - size / 4);
            given.next = support::then::close;
            return given;
        }
        return asked.find("Range: bytes=0-99999") != std::string::npos
                   ? range_of(body, asked)
                   : support::rest_from(first_byte(asked));
    });
    settings how = into(folder);
    how.tries.tries = 1;
    co_await origin.during([&]() -> leat::task<> {
        noting_observer told;
        co_await run(how, told, {with_pieces(origin.url("/b.bin"))});
        CHECK(told.all.at(0).state == transfer_state::failed);
        broken = false;
        noting_observer then_told;
        co_await run(how, then_told, {with_pieces(origin.url("/b.bin"))});
        INFO(then_told.all.at(0).failure.value_or(fetch::failure()).text);
        CHECK(then_told.all.at(0).state == transfer_state::fetched);
    });
    CHECK(origin.heads.size() == 3);
    CHECK(co_await content(how, "b.bin") == body);
}

LEAT_TEST("without a folder pieces are checked, and nothing can be mended") {
    http_origin origin([](const std::string&) { return whole_of(with_wrong({2})); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        co_await run({}, told, {with_pieces(origin.url("/b")), with_pieces(origin.url("/b"))});
    });
    CHECK(told.all.at(0).failure->kind == failure_kind::checksum);
    CHECK(origin.heads.size() == 2);
}
