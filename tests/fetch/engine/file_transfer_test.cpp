// SPDX-License-Identifier: MIT
#include "made_answers.hpp"

#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

using fetch::failure_kind, fetch::job, fetch::settings, fetch::transfer_state;
using leat::testing::any_folder;
using support::answer, support::http_origin, support::noting_observer, support::run, support::then;
using support::body, support::content, support::cut, support::files_in, support::first_byte, support::into;
using support::head, support::rest_from, support::size, support::tag;

}  // namespace

LEAT_TEST("a file is fetched under its name") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string&) { return support::with_length(body); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {{.url = origin.url("/a/b.bin")}});
        CHECK(totals.fetched == 1);
        CHECK(totals.received == size);
        CHECK(totals.jobs == 1);
    });
    REQUIRE(told.all.size() == 1);
    CHECK(told.all[0].state == transfer_state::fetched);
    CHECK(told.all[0].file == "b.bin");
    CHECK(co_await content(how, "b.bin") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("a transfer that is cut goes on where it was") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([&](const std::string& asked) {
        const std::size_t from = first_byte(asked);
        return from == 0 ? cut() : rest_from(from);
    });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {{.url = origin.url("/b.bin")}});
        CHECK(totals.fetched == 1);
        CHECK(totals.received == size);
    });
    REQUIRE(origin.heads.size() == 2);
    CHECK(origin.heads[1].find("If-Range: \"v1\"") != std::string::npos);
    CHECK(told.all.at(0).tries == 2);
    CHECK(co_await content(how, "b.bin") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("a later run goes on where an earlier one has failed") {
    const any_folder folder;
    bool broken = true;
    http_origin origin([&](const std::string& asked) {
        const std::size_t from = first_byte(asked);
        return broken ? cut(tag, std::max<std::size_t>(from, 1) + 300'000) : rest_from(from);
    });
    settings how = into(folder);
    how.tries.tries = 1;
    co_await origin.during([&]() -> leat::task<> {
        noting_observer told;
        co_await run(how, told, {{.url = origin.url("/b.bin")}});
        CHECK(told.all.at(0).state == transfer_state::failed);
        CHECK(told.all.at(0).failure->kind == failure_kind::interrupted);
        broken = false;
        noting_observer then_told;
        const auto totals = co_await run(how, then_told, {{.url = origin.url("/b.bin")}});
        CHECK(then_told.all.at(0).state == transfer_state::fetched);
        INFO(then_told.all.at(0).failure.value_or(fetch::failure()).text);
        CHECK(totals.received == size - 300'001);
    });
    CHECK(co_await content(how, "b.bin") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("what has changed on the server is fetched from the start") {
    const any_folder folder;
    const settings how = into(folder);
    int asked_times = 0;
    const std::string newer(size, 'n');
    http_origin origin([&](const std::string&) -> answer {
        return ++asked_times == 1 ? cut() : answer{head("200 OK", "ETag: \"v2\"\r\n", size) + newer};
    });
    noting_observer told;
    co_await origin.during(
        [&]() -> leat::task<> { co_await run(how, told, {{.url = origin.url("/b.bin")}}); });
    CHECK(co_await content(how, "b.bin") == newer);
}

LEAT_TEST("a server that sends another range than was asked for makes no wrong file") {
    const auto wrong = [](std::size_t from) {
        answer given = rest_from(from - 1);
        return given;
    };
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([&](const std::string& asked) {
        const std::size_t from = first_byte(asked);
        return from == 0 ? cut() : wrong(from);
    });
    noting_observer told;
    co_await origin.during(
        [&]() -> leat::task<> { co_await run(how, told, {{.url = origin.url("/b.bin")}}); });
    REQUIRE(told.all.size() == 1);
    CHECK(told.all[0].state == transfer_state::failed);
    CHECK(told.all[0].failure->kind == failure_kind::protocol);
    CHECK_FALSE(co_await leat::path_exists(how.folder + "/b.bin"));
}

LEAT_TEST("a range of another state of the file, or of another size, is not put behind what is there") {
    for (const std::string_view other : {"ETag: \"v2\"\r\n", "size"}) {
        const any_folder folder;
        const settings how = into(folder, other.substr(0, 4));
        int asked_times = 0;
        http_origin origin([&](const std::string& asked) -> answer {
            ++asked_times;
            const std::size_t from = first_byte(asked);
            if (from == 0) {
                return asked_times == 1 ? cut() : support::with_length(body);
            }
            if (other != "size") {
                return rest_from(from, other);
            }
            return {head("206 Partial Content",
                         "Content-Range: bytes " + std::to_string(from) + "-" + std::to_string(size) + "/" +
                             std::to_string(size + 1) + "\r\n",
                         size - from + 1) +
                    body.substr(from) + "x"};
        });
        noting_observer told;
        co_await origin.during(
            [&]() -> leat::task<> { co_await run(how, told, {{.url = origin.url("/b.bin")}}); });
        CAPTURE(other);
        CHECK(co_await content(how, "b.bin") == body);
    }
}

LEAT_TEST("a file that was whole but for its name is not asked for again, whatever 416 says") {
    const any_folder folder;
    int asked_times = 0;
    http_origin origin([&](const std::string& asked) -> answer {
        ++asked_times;
        if (first_byte(asked) == 0) {
            // it says that it is one byte longer, then that it is not
            return {head("200 OK", tag, size + 1) + body, then::close};
        }
        return {
            head("416 Range Not Satisfiable", "Content-Range: bytes */" + std::to_string(size) + "\r\n", 0)};
    });
    settings how = into(folder);
    how.tries.tries = 3;
    noting_observer told;
    co_await origin.during(
        [&]() -> leat::task<> { co_await run(how, told, {{.url = origin.url("/b.bin")}}); });
    // Both cannot be right, so it begins from the start, and fails as often as it may.
    CHECK(told.all.at(0).state == transfer_state::failed);
    CHECK_FALSE(co_await leat::path_exists(how.folder + "/b.bin"));
}

LEAT_TEST("without a validator it begins from the start") {
    const any_folder folder;
    const settings how = into(folder);
    int asked_times = 0;
    http_origin origin(
        [&](const std::string&) { return ++asked_times == 1 ? cut("") : support::with_length(body); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {{.url = origin.url("/b.bin")}});
        CHECK(totals.received == size + size / 2);
    });
    CHECK(origin.heads.at(1).find("Range") == std::string::npos);
    CHECK(co_await content(how, "b.bin") == body);
}
