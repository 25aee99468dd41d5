// SPDX-License-Identifier: MIT
#include "made_answers.hpp"

#include <leat/io.hpp>
#include <leat/system/file.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

namespace {

using fetch::failure_kind, fetch::job, fetch::settings, fetch::transfer_state;
using leat::testing::any_folder;
using support::answer, support::http_origin, support::noting_observer;
using support::body, support::content, support::cut, support::files_in, support::first_byte,
    support::rest_from;

constexpr std::size_t half = 150'000;

settings taking_over(const any_folder& folder, std::string_view name = "out") {
    settings how = support::into(folder, name);
    how.files.take_over = true;
    return how;
}

leat::task<> leave_half(const settings& how, std::string text, std::string name = "f") {
    (void)co_await leat::as_result(leat::make_folder(how.folder.substr(0, how.folder.rfind('/'))));
    (void)co_await leat::as_result(leat::make_folder(how.folder));
    co_await leat::write_file(how.folder + "/" + name, std::as_bytes(std::span(text)));
}

leat::task<noting_observer::ended_transfer> fetch_half(const settings& how, job one) {
    noting_observer told;
    std::vector<job> jobs;
    jobs.push_back(std::move(one));
    co_await support::run(how, told, std::move(jobs));
    co_return told.all.at(0);
}

fetch::digest sum_of_body() {
    fetch::digester made(fetch::digest_kind::sha_256);
    made.add(std::as_bytes(std::span(body)));
    return made.end();
}

answer no_such_range(std::size_t whole = support::size) {
    return {support::head("416 Range Not Satisfiable",
                          "Content-Range: bytes */" + std::to_string(whole) + "\r\n", 0)};
}

}  // namespace

LEAT_TEST("a half file of another program is gone on with, also after a break") {
    const any_folder folder;
    const settings how = taking_over(folder);
    co_await leave_half(how, body.substr(0, half));
    int asked_times = 0;
    http_origin origin([&](const std::string& asked) -> answer {
        answer rest = rest_from(first_byte(asked));
        return ++asked_times > 1 ? rest : answer{rest.bytes.substr(0, 100'000), support::then::close};
    });
    co_await origin.during([&]() -> leat::task<> {
        const auto done = co_await fetch_half(how, {.url = origin.url("/f")});
        INFO(done.failure.value_or(fetch::failure()).text);
        CHECK(done.state == transfer_state::fetched);
        CHECK(done.file == "f");
        CHECK(done.received == support::size - half);
    });
    CHECK(first_byte(origin.heads.at(0)) == half);
    CHECK(origin.heads.at(1).find("If-Range: \"v1\"") != std::string::npos);
    CHECK(co_await content(how, "f") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("half a file that is not of this one is found out by its checksum") {
    const any_folder folder;
    const settings how = taking_over(folder);
    co_await leave_half(how, std::string(half, 'x'));
    http_origin origin([&](const std::string& asked) {
        const std::size_t from = first_byte(asked);
        return from == 0 ? support::with_length(body) : rest_from(from);
    });
    co_await origin.during([&]() -> leat::task<> {
        const auto done = co_await fetch_half(how, {.url = origin.url("/f"), .checksum = sum_of_body()});
        CHECK(done.state == transfer_state::fetched);
        CHECK(done.received == support::size - half + support::size);
    });
    CHECK(co_await content(how, "f") == body);
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("a file as long as the server's is kept, unless its checksum is wrong") {
    const any_folder folder;
    const settings how = taking_over(folder);
    http_origin origin([](const std::string&) { return no_such_range(); });
    co_await origin.during([&]() -> leat::task<> {
        co_await leave_half(how, body);
        CHECK((co_await fetch_half(how, {.url = origin.url("/f")})).state == transfer_state::kept);
        const job checked{.url = origin.url("/f"), .checksum = sum_of_body()};
        CHECK((co_await fetch_half(how, checked)).state == transfer_state::kept);
        co_await leave_half(how, std::string(support::size, 'x'));
        const auto wrong = co_await fetch_half(how, checked);
        CHECK(wrong.failure.value_or(fetch::failure()).kind == failure_kind::checksum);
        CHECK((co_await content(how, "f"))[0] == 'x');
    });
}

LEAT_TEST("what does not fit fails, and the half file stays as it is") {
    const std::string range =
        "Content-Range: bytes " + std::to_string(half) + "-" + std::to_string(support::size - 1) + "/";
    const std::string rest = body.substr(half);
    const auto part = [&](const std::string& more) {
        return answer{support::head("206 Partial Content", more, rest.size()) + rest};
    };
    const std::vector<std::pair<const char*, answer>> answers{
        {"only 7 bytes", no_such_range(7)},
        {"how long", part(range + "*\r\n")},
        {"no ranges", support::with_length(body)},
        {"another range", rest_from(half - 1)},
        {"changed it since", part(range + std::to_string(support::size) +
                                  "\r\nLast-Modified: Fri, 01 Jan 2100 10:00:00 GMT\r\n")},
        {"404", {support::head("404 Not Found", "", 0)}}};
    const any_folder folder;
    for (const auto& [why, given] : answers) {
        const settings how = taking_over(folder, why);
        co_await leave_half(how, body.substr(0, half));
        http_origin origin([&, text = given](const std::string&) { return text; });
        co_await origin.during([&]() -> leat::task<> {
            const auto failed = co_await fetch_half(how, {.url = origin.url("/f")});
            CHECK(failed.state == transfer_state::failed);
            CAPTURE(failed.failure.value_or(fetch::failure()).text);
            CHECK(failed.failure.value_or(fetch::failure()).text.find(why) != std::string::npos);
        });
        CHECK(origin.heads.size() == 1);
        CHECK(co_await content(how, "f") == body.substr(0, half));
        CHECK(co_await files_in(how) == 1);
    }
}

LEAT_TEST("a file that may have holes is not gone on with") {
    const any_folder folder;
    for (const char* const other : {"f.aria2", "f.st", "f.part"}) {
        const settings how = taking_over(folder, other);
        co_await leave_half(how, body.substr(0, half));
        co_await leave_half(how, "", other);
        if (std::string_view(other) == "f.part") {
            co_await leave_half(how, "", "f.part.note");
        }
        http_origin origin([](const std::string& asked) { return rest_from(first_byte(asked)); });
        co_await origin.during([&]() -> leat::task<> {
            const auto failed = co_await fetch_half(how, {.url = origin.url("/f")});
            CHECK(failed.failure.value_or(fetch::failure()).kind == failure_kind::file);
        });
        CHECK(origin.heads.empty());
        CHECK(co_await content(how, "f") == body.substr(0, half));
    }
}
