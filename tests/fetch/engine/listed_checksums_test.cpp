// SPDX-License-Identifier: MIT
#include "made_answers.hpp"

#include <leat/io.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

namespace {

using fetch::failure_kind, fetch::job, fetch::settings, fetch::transfer_state;
using leat::testing::any_folder;
using support::answer, support::http_origin, support::noting_observer;
using support::body, support::content, support::cut, support::files_in, support::first_byte, support::into;
using support::rest_from;

fetch::digest digest_of(std::string_view text, fetch::digest_kind kind = fetch::digest_kind::sha_256) {
    fetch::digester made(kind);
    made.add(std::as_bytes(std::span(text)));
    return made.end();
}

fetch::listed_checksums list_of(const std::string& lines) {
    return fetch::listed_checksums(fetch::checksum_list::read(lines));
}

struct sum_observer : noting_observer {
    void ended(const fetch::transfer& of) override {
        noting_observer::ended(of);
        sums.push_back(of.sum);
    }
    std::vector<std::optional<fetch::digest>> sums;
};

leat::task<fetch::run_totals> run_listed(fetch::settings how, sum_observer& told, std::vector<job> jobs,
                                         fetch::listed_checksums list) {
    leat::http::client client(support::direct);
    fetch::shared_parts parts{.how = how,
                              .client = client,
                              .told = told,
                              .shares = fetch::host_shares(fetch::limits_of(how)),
                              .checksums = std::move(list)};
    co_await fetch::run_jobs(parts, support::jobs_of(std::move(jobs)));
    co_return parts.totals;
}

}  // namespace

LEAT_TEST("files are held to a list of checksums by their names") {
    const any_folder folder;
    const settings how = into(folder);
    http_origin origin([](const std::string&) { return support::with_length(body); });
    sum_observer told;
    const std::string lines = fetch::checksum_line(digest_of(body), "./right") +
                              fetch::checksum_line(digest_of("x"), "wrong") +
                              fetch::checksum_line(digest_of("y"), "none");
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run_listed(
            how, told,
            {{.url = origin.url("/right")}, {.url = origin.url("/wrong")}, {.url = origin.url("/other")}},
            list_of(lines));
        CHECK(totals.fetched == 2);
        CHECK(totals.unlisted == 1);
        CHECK(totals.unused_checksums == 2);
    });
    for (const auto& each : told.all) {
        CHECK((each.state == transfer_state::failed) == (each.file == "wrong"));
        CHECK((each.failure && each.failure->kind == failure_kind::checksum) == (each.file == "wrong"));
    }
    CHECK(co_await files_in(how) == 2);
}

LEAT_TEST("bytes that are only counted are held to the list, too") {
    settings how{};
    http_origin origin([](const std::string&) { return support::with_length(body); });
    sum_observer told;
    co_await origin.during([&]() -> leat::task<> {
        co_await run_listed(how, told, {{.url = origin.url("/a/wrong")}},
                            list_of(fetch::checksum_line(digest_of("x"), "wrong")));
    });
    CHECK(told.all.at(0).failure.value_or(fetch::failure()).kind == failure_kind::checksum);
}

LEAT_TEST("checksums of a job and of the list hold both, and do not contradict each other") {
    using enum fetch::digest_kind;
    const fetch::digest right = digest_of(body);
    struct pair {
        fetch::digest job;
        fetch::digest listed;
        std::optional<failure_kind> why;
    };
    const std::vector<pair> pairs{{right, right, {}},
                                  {digest_of("x"), right, failure_kind::bad_input},
                                  {right, digest_of("x"), failure_kind::bad_input},
                                  {digest_of(body, md5), right, {}},
                                  {digest_of("x", md5), right, failure_kind::checksum},
                                  {digest_of(body, md5), digest_of("x"), failure_kind::checksum}};
    const any_folder folder;
    for (const pair& each : pairs) {
        const settings how = into(folder, "out" + std::to_string(&each - pairs.data()));
        http_origin origin([](const std::string&) { return support::with_length(body); });
        sum_observer told;
        co_await origin.during([&]() -> leat::task<> {
            co_await run_listed(
                how, told, {{.url = origin.url("/f"), .mirrors = {origin.url("/g")}, .checksum = each.job}},
                list_of(fetch::checksum_line(each.listed, "f")));
        });
        const auto& failure = told.all.at(0).failure;
        CHECK((failure ? std::optional(failure->kind) : std::nullopt) == each.why);
        CHECK(co_await files_in(how) == (each.why ? 0 : 1));
        if (each.why == failure_kind::bad_input) {
            CHECK(origin.heads.empty());
        }
    }
}

LEAT_TEST("a file that is gone on with has the checksum of all its bytes") {
    const any_folder folder;
    settings how = into(folder);
    how.sums = true;
    http_origin origin([&](const std::string& asked) {
        const std::size_t from = first_byte(asked);
        return from == 0 ? cut() : rest_from(from);
    });
    sum_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run_listed(how, told, {{.url = origin.url("/f")}},
                                                list_of(fetch::checksum_line(digest_of(body), "f")));
        CHECK(totals.fetched == 1);
        CHECK(totals.received == support::size);
    });
    CHECK(told.sums.at(0) == digest_of(body));
}

LEAT_TEST("a file that is there and stays is read and held to the list") {
    const any_folder folder;
    settings how = into(folder);
    how.files.when_there = fetch::existing_file::skip;
    how.sums = true;
    (void)co_await leat::as_result(leat::make_folder(how.folder.substr(0, how.folder.rfind('/'))));
    co_await leat::make_folder(how.folder);
    co_await leat::write_file(how.folder + "/right", body);
    co_await leat::write_file(how.folder + "/wrong", std::string_view("mine"));
    co_await leat::write_file(how.folder + "/other", std::string_view("too"));
    http_origin origin([](const std::string&) { return support::with_length(body); });
    sum_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run_listed(
            how, told,
            {{.url = origin.url("/right")}, {.url = origin.url("/wrong")}, {.url = origin.url("/other")}},
            list_of(fetch::checksum_line(digest_of(body), "right") +
                    fetch::checksum_line(digest_of(body), "wrong")));
        CHECK(totals.kept == 2);
        CHECK(totals.failed == 1);
        CHECK(totals.unlisted == 1);
        CHECK(totals.unused_checksums == 1);
    });
    CHECK(origin.heads.empty());
    CHECK(co_await content(how, "wrong") == "mine");
    for (std::size_t i = 0; i < told.all.size(); ++i) {
        const bool wrong = told.all[i].file == "wrong";
        CHECK((told.all[i].state == transfer_state::failed) == wrong);
        CHECK(told.sums[i].has_value() != wrong);
    }
}
