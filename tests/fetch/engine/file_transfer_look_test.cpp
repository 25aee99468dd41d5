// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"
#include "made_run.hpp"

#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;

using fetch::run_kind;
using support::answer, support::http_origin, support::run, support::then;

struct heads_observer final : support::noting_observer {
    void ended(const fetch::transfer& of) override {
        noting_observer::ended(of);
        said.push_back(
            {.status = of.status, .size = of.size, .final_url = of.final_url, .fields = of.fields});
    }
    struct what_is_said {
        int status;
        std::optional<std::uint64_t> size;
        std::string final_url;
        std::optional<fetch::answer_fields> fields;
    };
    std::vector<what_is_said> said;
};

fetch::settings asking_for(run_kind kind) {
    fetch::settings how{.kind = kind};
    how.limits.transfers = 1;
    how.tries.first_wait = how.tries.longest_wait = 1ms;
    return how;
}

answer only_head(std::string_view status, std::string_view fields) {
    return {"HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) + "\r\n"};
}

bool is_head(const std::string& asked) {
    return asked.starts_with("HEAD ");
}

}  // namespace

LEAT_TEST("of a head only what it says is taken, and no file is made") {
    const leat::testing::any_folder folder;
    http_origin origin([](const std::string& asked) {
        CHECK(is_head(asked));
        return only_head("200 OK",
                         "Content-Length: 400\r\nContent-Type: text/plain\r\nETag: \"v\"\r\n"
                         "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    });
    heads_observer told;
    fetch::settings how = asking_for(run_kind::heads);
    how.folder = folder.path("out");
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(how, told, {{.url = origin.url("/a")}, {.url = origin.url("/b")}});
        CHECK(totals.fetched == 2);
        CHECK(totals.received == 0);
    });
    REQUIRE(told.said.size() == 2);
    CHECK(told.said[0].status == 200);
    CHECK(told.said[0].size == 400);
    REQUIRE(told.said[0].fields);
    CHECK(told.said[0].fields->type == "text/plain");
    CHECK(told.said[0].fields->etag == "\"v\"");
    CHECK(told.said[0].fields->last_modified == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(origin.accepted == 1);
    CHECK_FALSE(co_await leat::path_exists(how.folder));
}

LEAT_TEST("a link that refuses HEAD is asked for with GET; without that it has failed") {
    for (const std::string_view refusal : {"405 Method Not Allowed", "501 Not Implemented"}) {
        for (const run_kind kind : {run_kind::links, run_kind::heads}) {
            http_origin origin([&](const std::string& asked) {
                return is_head(asked) ? only_head(refusal, "Content-Length: 9\r\n")
                                      : support::with_length("abc");
            });
            heads_observer told;
            co_await origin.during(
                [&]() -> leat::task<> { co_await run(asking_for(kind), told, {{.url = origin.url("/a")}}); });
            CAPTURE(refusal);
            const bool checks = kind == run_kind::links;
            CHECK(told.all.at(0).state ==
                  (checks ? fetch::transfer_state::fetched : fetch::transfer_state::failed));
            CHECK(told.said.at(0).status == (checks ? 200 : refusal.starts_with("405") ? 405 : 501));
            CHECK(origin.heads.size() == (checks ? 2 : 1));
        }
    }
}

LEAT_TEST("of links redirects are told, what may pass is tried again, what is not there has failed") {
    int busy = 0;
    http_origin origin([&](const std::string& asked) -> answer {
        const std::string path = support::path_of(asked);
        if (path == "/moved") {
            return only_head("302 Found", "Content-Length: 0\r\nLocation: /there\r\n");
        }
        if (path == "/busy" && ++busy == 1) {
            return only_head("503 Service Unavailable", "Content-Length: 0\r\n");
        }
        return path == "/none" ? only_head("404 Not Found", "Content-Length: 0\r\n")
                               : only_head("200 OK", "Content-Length: 0\r\n");
    });
    heads_observer told;
    co_await origin.during([&]() -> leat::task<> {
        const auto totals = co_await run(
            asking_for(run_kind::links), told,
            {{.url = origin.url("/moved")}, {.url = origin.url("/busy")}, {.url = origin.url("/none")}});
        CHECK(totals.fetched == 2);
        CHECK(totals.failed == 1);
    });
    const auto of_number = [&](std::uint64_t number) {
        const auto found = std::find_if(told.all.begin(), told.all.end(),
                                        [&](const auto& each) { return each.number == number; });
        return static_cast<std::size_t>(found - told.all.begin());
    };
    CHECK(told.said.at(of_number(1)).final_url == origin.url("/there"));
    CHECK(told.all.at(of_number(2)).tries == 2);
    CHECK(told.all.at(of_number(3)).failure->kind == fetch::failure_kind::refused);
}
