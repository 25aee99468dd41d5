// SPDX-License-Identifier: MIT
#include "../../support/any_folder.hpp"
#include "made_run.hpp"

#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <string>
#include <vector>

namespace {

struct plan_observer final : support::noting_observer {
    void planned(const fetch::transfer& of) override {
        plans.push_back(of.file + (of.state == fetch::transfer_state::kept ? " kept" : ""));
    }
    std::vector<std::string> plans;
};

leat::task<fetch::run_totals> plan(fetch::settings how, plan_observer& told, std::vector<fetch::job> jobs) {
    how.kind = fetch::run_kind::plan;
    return support::run(std::move(how), told, std::move(jobs));
}

}  // namespace

LEAT_TEST("a plan tells the names of files, and makes nothing") {
    const leat::testing::any_folder folder;
    plan_observer told;
    fetch::settings how{.folder = folder.path("out/deep")};
    const auto totals = co_await plan(
        how, told,
        {{.url = "http://h/a"}, {.url = "http://h/a"}, {.url = "http://h/b"}, {.url = "ftp://h/"}});
    CHECK(told.plans == std::vector<std::string>{"a", "a.1", "b"});
    REQUIRE(told.all.size() == 1);
    CHECK(told.all[0].failure->kind == fetch::failure_kind::bad_input);
    CHECK(totals.jobs == 4);
    CHECK(totals.failed == 1);
    CHECK(totals.tries == 0);
    CHECK_FALSE(co_await leat::path_exists(folder.path("out")));
}

LEAT_TEST("a plan sees the files that are there") {
    const leat::testing::any_folder folder;
    co_await folder.make();
    co_await leat::write_file_atomically(folder.path("a"), "x");
    fetch::settings how{.folder = folder.path()};
    plan_observer numbers;
    co_await plan(how, numbers, {{.url = "http://h/a"}});
    CHECK(numbers.plans == std::vector<std::string>{"a.1"});
    how.files.when_there = fetch::existing_file::skip;
    plan_observer skips;
    co_await plan(how, skips, {{.url = "http://h/a"}});
    CHECK(skips.plans == std::vector<std::string>{"a kept"});
    how.files.when_there = fetch::existing_file::fail;
    plan_observer fails;
    co_await plan(how, fails, {{.url = "http://h/a"}});
    CHECK(fails.plans.empty());
    CHECK(fails.all.at(0).failure->kind == fetch::failure_kind::file);
    CHECK((co_await leat::list_folder(folder.path())).size() == 1);
}
