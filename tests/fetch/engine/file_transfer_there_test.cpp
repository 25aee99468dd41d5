// SPDX-License-Identifier: MIT
#include "made_answers.hpp"

#include <leat/io.hpp>
#include <leat/system/file.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

namespace {

using fetch::failure_kind, fetch::settings, fetch::transfer_state;
using leat::testing::any_folder;
using support::answer, support::content, support::files_in, support::http_origin, support::noting_observer;

const std::string changed_at = "Tue, 01 Dec 2020 10:00:00 GMT";
constexpr std::chrono::sys_seconds changed_time =
    std::chrono::sys_days(std::chrono::year(2020) / 12 / 1) + std::chrono::hours(10);

// A server's file, in its state of now.
struct served_file {
    std::string text = "first";
    std::string tag = "\"1\"";

    [[nodiscard]] answer operator()(const std::string& asked) const {
        if (asked.find("If-None-Match: " + tag + "\r\n") != std::string::npos) {
            return {"HTTP/1.1 304 Not Modified\r\nETag: " + tag + "\r\n\r\n"};
        }
        return {support::head("200 OK",
                              "ETag: " + tag + "\r\nLast-Modified: " + changed_at +
                                  "\r\nDate: Wed, 02 Dec 2020 10:00:00 GMT\r\n",
                              text.size()) +
                text};
    }
};

settings newer_into(const any_folder& folder, std::string_view name = "out") {
    settings how = support::into(folder, name);
    how.files.newer = true;
    how.files.server_time = true;
    return how;
}

leat::task<> write_mine(const settings& how, std::string name, std::string text) {
    (void)co_await leat::as_result(leat::make_folder(how.folder.substr(0, how.folder.rfind('/'))));
    (void)co_await leat::as_result(leat::make_folder(how.folder));
    co_await leat::write_file(how.folder + "/" + name, std::as_bytes(std::span(text)));
}

leat::task<bool> has_attributes(const settings& how) {
    co_await write_mine(how, "probe", "");
    auto probe = co_await leat::file::open(how.folder + "/probe", {.write = true});
    const auto set = co_await leat::as_result(probe.set_attribute("user.leat.probe", "x"));
    (void)co_await leat::as_result(leat::remove_file(how.folder + "/probe"));
    co_return set.ok();
}

// One run for this URL.
leat::task<noting_observer::ended_transfer> fetch_again(settings how, std::string url) {
    noting_observer told;
    co_await support::run(how, told, {{.url = std::move(url)}});
    co_return told.all.at(0);
}

}  // namespace

LEAT_TEST("a file that is as on the server is kept, and one that is not is replaced") {
    const any_folder folder;
    const settings how = newer_into(folder);
    const bool noted = co_await has_attributes(how);
    served_file served;
    http_origin origin([&](const std::string& asked) { return served(asked); });
    co_await origin.during([&]() -> leat::task<> {
        CHECK((co_await fetch_again(how, origin.url("/f"))).state == transfer_state::fetched);
        const auto kept = co_await fetch_again(how, origin.url("/f"));
        CHECK(kept.state == transfer_state::kept);
        CHECK(kept.file == "f");
        CHECK((origin.heads.at(1).find("If-None-Match: \"1\"") != std::string::npos) == noted);
        served = {"second", "\"2\""};
        const auto changed = co_await fetch_again(how, origin.url("/f"));
        CHECK(changed.state == (noted ? transfer_state::fetched : transfer_state::failed));
        CHECK(co_await content(how, "f") == (noted ? "second" : "first"));
        settings anyway = how;
        anyway.files.when_there = fetch::existing_file::replace;
        CHECK((co_await fetch_again(anyway, origin.url("/f"))).state ==
              (noted ? transfer_state::kept : transfer_state::fetched));
        CHECK(co_await content(how, "f") == "second");
    });
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("a file that was changed since it was fetched is only replaced when that is wanted") {
    const any_folder folder;
    const settings how = newer_into(folder);
    if (!co_await has_attributes(how)) {
        co_return;
    }
    served_file served;
    http_origin origin([&](const std::string& asked) { return served(asked); });
    co_await origin.during([&]() -> leat::task<> {
        co_await fetch_again(how, origin.url("/f"));
        auto mine = co_await leat::file::open(how.folder + "/f", {.write = true});
        co_await mine.write_at(0, std::string_view("MINE!"));
        const std::size_t asked = origin.heads.size();
        const auto failed = co_await fetch_again(how, origin.url("/f"));
        CHECK(failed.failure.value_or(fetch::failure()).kind == failure_kind::file);
        CHECK(origin.heads.size() == asked);
        CHECK(co_await content(how, "f") == "MINE!");
        settings anyway = how;
        anyway.files.when_there = fetch::existing_file::replace;
        CHECK((co_await fetch_again(anyway, origin.url("/f"))).state == transfer_state::fetched);
        CHECK(co_await content(how, "f") == "first");
        CHECK((co_await fetch_again(how, origin.url("/f"))).state == transfer_state::kept);
    });
}

LEAT_TEST("of a file that nobody has noted the size and the time tell whether it is the server's") {
    const any_folder folder;
    const settings how = newer_into(folder);
    co_await write_mine(how, "f", "thing");  // of the size of the server's
    served_file served;
    http_origin origin([&](const std::string& asked) { return served(asked); });
    co_await origin.during([&]() -> leat::task<> {
        const auto failed = co_await fetch_again(how, origin.url("/f"));
        CHECK(failed.failure.value_or(fetch::failure()).kind == failure_kind::file);
        auto mine = co_await leat::file::open(how.folder + "/f", {.write = true});
        co_await mine.set_modified(changed_time);
        CHECK((co_await fetch_again(how, origin.url("/f"))).state == transfer_state::kept);
        served.text = "longer";
        CHECK((co_await fetch_again(how, origin.url("/f"))).state == transfer_state::failed);
        CHECK(co_await content(how, "f") == "thing");
        settings anyway = how;
        anyway.files.when_there = fetch::existing_file::replace;
        CHECK((co_await fetch_again(anyway, origin.url("/f"))).state == transfer_state::fetched);
        CHECK(co_await content(how, "f") == "longer");
    });
}

LEAT_TEST("a file of another URL is treated as any other file of that name") {
    const any_folder folder;
    const settings how = newer_into(folder);
    if (!co_await has_attributes(how)) {
        co_return;
    }
    served_file served;
    http_origin origin([&](const std::string& asked) { return served(asked); });
    co_await origin.during([&]() -> leat::task<> {
        for (const transfer_state expected : {transfer_state::fetched, transfer_state::kept}) {
            const auto one = co_await fetch_again(how, origin.url("/a/f"));
            const auto other = co_await fetch_again(how, origin.url("/b/f"));
            CHECK(one.state == expected);
            CHECK(other.state == expected);
            CHECK(one.file == "f");
            CHECK(other.file == "f.1");
        }
    });
    CHECK(co_await files_in(how) == 2);
}

LEAT_TEST("a changed file that does not come leaves the one that is there") {
    const any_folder folder;
    settings how = newer_into(folder);
    how.tries.tries = 1;
    if (!co_await has_attributes(how)) {
        co_return;
    }
    served_file served;
    bool broken = false;
    http_origin origin([&](const std::string& asked) -> answer {
        answer whole = served(asked);
        return broken ? answer{whole.bytes.substr(0, whole.bytes.size() - 1), support::then::close} : whole;
    });
    co_await origin.during([&]() -> leat::task<> {
        co_await fetch_again(how, origin.url("/f"));
        served = {"second", "\"2\""};
        broken = true;
        CHECK((co_await fetch_again(how, origin.url("/f"))).state == transfer_state::failed);
        CHECK(co_await content(how, "f") == "first");
        served = {};  // as it was: what came of the other state is dropped
        broken = false;
        CHECK((co_await fetch_again(how, origin.url("/f"))).state != transfer_state::failed);
        CHECK(co_await content(how, "f") == "first");
    });
    CHECK(co_await files_in(how) == 1);
}

LEAT_TEST("a file that is there under the name that the answer gives it stays, and its body is not taken") {
    const any_folder folder;
    settings how = support::into(folder, "out");
    how.names.content_disposition = true;
    how.files.when_there = fetch::existing_file::skip;
    http_origin origin([](const std::string&) -> answer {
        return {support::head("200 OK", "Content-Disposition: attachment; filename=named\r\n", 6) + "second"};
    });
    co_await origin.during([&]() -> leat::task<> {
        co_await write_mine(how, "named", "first");
        const auto kept = co_await fetch_again(how, origin.url("/f"));
        CHECK(kept.state == transfer_state::kept);
        CHECK(kept.file == "named");
        CHECK(kept.received == 0);
    });
    CHECK(co_await content(how, "named") == "first");
}
