// SPDX-License-Identifier: MIT
// What is tried again, what is checked, and what is limited, of transfers.
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

LEAT_TEST("what may pass is tried again, what cannot help is not") {
    struct trial {
        std::string_view status;
        int tries;
        failure_kind kind;
    };
    for (const trial& each : {trial{"404 Not Found", 1, failure_kind::refused},
                              trial{"503 Service Unavailable", 3, failure_kind::busy},
                              trial{"429 Too Many Requests", 3, failure_kind::busy},
                              trial{"500 Internal Server Error", 3, failure_kind::server},
                              trial{"304 Not Modified", 1, failure_kind::protocol}}) {
        const any_folder folder;
        http_origin origin(
            [&](const std::string&) -> answer { return {head(each.status, "", 0), then::close}; });
        settings how = into(folder, each.status.substr(0, 3));
        how.tries.tries = 3;
        noting_observer told;
        co_await origin.during(
            [&]() -> leat::task<> { co_await run(how, told, {{.url = origin.url("/b.bin")}}); });
        CAPTURE(each.status);
        CHECK(told.all.at(0).tries == each.tries);
        CHECK(told.all.at(0).failure->kind == each.kind);
        CHECK(told.all.at(0).failure->text ==
              origin.url("/b.bin") + ": the server answered " + std::string(each.status));
        CHECK(co_await files_in(how) == 0);
    }
}

LEAT_TEST("a server that asks for a pause gets it", on(simulated)) {
    const any_folder folder;
    const settings how = into(folder);
    int asked_times = 0;
    http_origin origin([&](const std::string&) -> answer {
        return ++asked_times == 1 ? answer{head("429 Too Many Requests", "Retry-After: 30\r\n", 0)}
                                  : support::with_length(body);
    });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const leat::time_point begin = leat::now();
        co_await run(how, told, {{.url = origin.url("/b.bin")}});
        CHECK(leat::now() - begin >= 30s);
    });
    CHECK(told.all.at(0).state == transfer_state::fetched);
}

LEAT_TEST("a checksum is checked, also of a file that was gone on with") {
    fetch::digester maker(fetch::digest_kind::sha_256);
    maker.add(std::as_bytes(std::span(body)));
    const fetch::digest right = maker.end();
    fetch::digest wrong = right;
    wrong.bytes[0] = static_cast<char>(wrong.bytes[0] ^ 1);
    for (const bool resumes : {false, true}) {
        const any_folder folder;
        settings how = into(folder, resumes ? "cut" : "whole");
        how.limits.transfers = 1;
        http_origin origin([&](const std::string& asked) {
            const std::size_t from = first_byte(asked);
            return from > 0 ? rest_from(from) : resumes ? cut() : support::with_length(body);
        });
        noting_observer told;
        co_await origin.during([&]() -> leat::task<> {
            job good{.url = origin.url("/good")};
            good.checksum = right;
            job bad{.url = origin.url("/bad")};
            bad.checksum = wrong;
            co_await run(how, told, {good, bad});
        });
        CAPTURE(resumes);
        REQUIRE(told.all.size() == 2);
        CHECK(told.all[0].state == transfer_state::fetched);
        CHECK(told.all[1].state == transfer_state::failed);
        CHECK(told.all[1].failure->kind == (resumes ? failure_kind::interrupted : failure_kind::checksum));
        CHECK(co_await content(how, "good") == body);
        CHECK_FALSE(co_await leat::path_exists(how.folder + "/bad"));
    }
}

LEAT_TEST("the time for a file begins when its turn has come, and is told", on(simulated)) {
    settings how{.folder = ""};
    how.tries.total = 6s;
    how.limits.per_host = 1;
    how.limits.rate = size / 4;
    http_origin origin([](const std::string& asked) {
        return support::path_of(asked) == "/held" ? answer{"", then::hold} : support::with_length(body);
    });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(
            how, told, {{.url = origin.url("/a")}, {.url = origin.url("/b")}, {.url = origin.url("/held")}});
        CHECK(totals.fetched == 2);
    });
    REQUIRE(told.all.size() == 3);
    CHECK(told.all[2].failure->text == origin.url("/held") + ": not done within 6 s");
}

LEAT_TEST("a mirror takes over, at once") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin broken([](const std::string&) -> answer { return {head("404 Not Found", "", 0)}; });
    http_origin origin([](const std::string&) { return support::with_length(body); });
    noting_observer told;
    co_await broken.during([&]() -> leat::task<> {
        co_await origin.during([&]() -> leat::task<> {
            job one{.url = broken.url("/b.bin")};
            one.mirrors = {broken.url("/c.bin"), origin.url("/d.bin")};
            co_await run(how, told, {one});
        });
    });
    CHECK(told.all.at(0).tries == 3);
    CHECK(co_await content(how, "b.bin") == body);
}

LEAT_TEST("a bad line fails alone, and says why") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string&) { return support::with_length("x"); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        job mistaken{.url = origin.url("/b")};
        mistaken.mistake = "list:3: it is wrong";
        const auto totals =
            co_await run(how, told, {{.url = "ftp://h/"}, mistaken, {.url = origin.url("/c")}});
        CHECK(totals.failed == 2);
        CHECK(totals.fetched == 1);
    });
    CHECK(told.all.at(0).failure->kind == failure_kind::bad_input);
    CHECK(told.all.at(1).failure->text == "list:3: it is wrong");
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("without a folder bytes are counted") {
    http_origin origin([](const std::string&) { return support::with_length(body); });
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run({}, told, {{.url = origin.url("/b")}, {.url = origin.url("/b")}});
        CHECK(totals.received == 2 * size);
        CHECK(totals.fetched == 2);
    });
    CHECK(told.all.at(0).there == size);
    CHECK(told.all.at(0).file.empty());
}

LEAT_TEST("the rate of one host is kept, and does not count for another", on(simulated)) {
    http_origin slow([](const std::string&) { return support::with_length(body); });
    http_origin other([](const std::string&) { return support::with_length(body); });
    settings how;
    how.limits.rate_per_host = size / 4;
    noting_observer told;
    co_await slow.during([&]() -> leat::task<> {
        co_await other.during([&]() -> leat::task<> {
            const leat::time_point begin = leat::now();
            co_await run(how, told,
                         {{.url = slow.url("/1")}, {.url = slow.url("/2")}, {.url = other.url("/3")}});
            CHECK(leat::now() - begin >= 7s);
            CHECK(leat::now() - begin <= 9s);
        });
    });
    REQUIRE(told.all.size() == 3);
    CHECK(told.all[0].number == 3);  // it has a host for itself
}

LEAT_TEST("a server that asks for a day's pause fails its transfer, and holds up no other", on(simulated)) {
    http_origin origin([](const std::string& head) -> answer {
        return support::path_of(head) == "/bad"
                   ? answer{support::head("503 Service Unavailable", "Retry-After: 86400\r\n", 0)}
                   : support::with_length("x");
    });
    settings how;
    how.limits.transfers = 1;
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const leat::time_point begin = leat::now();
        co_await run(how, told, {{.url = origin.url("/bad")}, {.url = origin.url("/good")}});
        CHECK(leat::now() - begin < 1min);
    });
    CHECK(told.all.at(0).failure->kind == failure_kind::busy);
    CHECK(told.all.at(1).state == transfer_state::fetched);
}

LEAT_TEST("fields of a job go in place of those of all, and may be repeated") {
    http_origin origin([](const std::string&) { return support::with_length("x"); });
    settings how;
    how.fields = {{"X-One", "all"}, {"X-Two", "all"}};
    noting_observer told;
    co_await origin.during([&]() -> leat::task<> {
        job one{.url = origin.url("/1")};
        one.fields = {{"X-One", "1"}, {"X-One", "2"}};
        co_await run(how, told, {one});
    });
    const std::string& sent = origin.heads.at(0);
    CHECK(sent.find("X-One: 1\r\nX-One: 2\r\n") != std::string::npos);
    CHECK(sent.find("X-Two: all\r\n") != std::string::npos);
    CHECK(sent.find("X-One: all") == std::string::npos);
}
