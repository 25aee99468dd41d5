// SPDX-License-Identifier: MIT
// With LEAT_SHOW_REPORT=FOLDER the pages stay there, to be looked at in a browser.
#include "made_up.hpp"

#include <fetch/views/report.hpp>

#include "../../support/folder.hpp"

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/testing/doctest.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <vector>

using namespace std::chrono_literals;

namespace {

std::string content_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

nlohmann::json data_in(const std::string& page) {
    const std::string begin = "<script type=\"application/json\" id=\"run\">";
    const std::size_t from = page.find(begin) + begin.size();
    return nlohmann::json::parse(page.substr(from, page.find("</script>", from) - from));
}

// A run of so many transfers, of which one in 40 fails, at 50 at once.
leat::task<> busy_run(fetch::report& view, fetch::run_totals& totals, int transfers) {
    std::mt19937 random(7);
    const auto some = [&](unsigned most) { return std::chrono::microseconds(random() % most + 1); };
    std::vector<std::unique_ptr<made_up::one>> under_way;
    for (int number = 1; number <= transfers; ++number) {
        const std::string host = "host" + std::to_string(number % 23) + ".example.org";
        auto one = std::make_unique<made_up::one>(view, totals, static_cast<std::uint64_t>(number),
                                                  "https://" + host + "/pub/archive/2026/file-" +
                                                      std::to_string(number) +
                                                      ".tar.gz?part=" + std::to_string(number % 7));
        one->of.host = host + ":443";
        one->asks();
        auto& times = one->of.times;
        times.asked = leat::now() + some(30'000);
        if (number <= 50) {
            times.named = *times.asked + some(40'000);
            times.connected = *times.named + some(80'000);
            times.secured = *times.connected + some(120'000);
        }
        under_way.push_back(std::move(one));
        co_await leat::sleep(some(9000));
        if (under_way.size() < 50 && number < transfers) {
            continue;
        }
        const std::size_t chosen = random() % under_way.size();
        std::swap(under_way[chosen], under_way.back());
        made_up::one& ending = *under_way.back();
        if (random() % 40 == 0) {
            ending.fails(
                {.kind = random() % 3 == 0 ? fetch::failure_kind::connect : fetch::failure_kind::refused,
                 .text = ending.of.shown + ": the server answered 404 Not Found"});
        } else {
            ending.of.status = 200;
            ending.of.times.answered = std::max(leat::now() - some(150'000),
                                                ending.of.times.secured.value_or(*ending.of.times.asked));
            ending.receives(random() % 300'000);
            ending.ends(fetch::transfer_state::fetched);
        }
        under_way.pop_back();
    }
    for (auto& each : under_way) {
        each->ends(fetch::transfer_state::kept);
    }
    totals.jobs = transfers;
}

// Where the page of a test goes.
std::string page_path(const leat::testing::folder& folder, const char* name) {
    const char* const shown = std::getenv("LEAT_SHOW_REPORT");
    return shown != nullptr ? std::string(shown) + "/" + name : folder.path() + "/" + name;
}

}  // namespace

LEAT_TEST("a report has each transfer of a run, with its steps one after the other", on(simulated)) {
    const leat::testing::folder folder;
    const std::string path = page_path(folder, "run.html");
    fetch::run_totals totals{.begin = leat::now()};
    {
        fetch::report view(path);
        co_await busy_run(view, totals, 10'000);
        view.summarize(totals, "SIGINT");
    }
    const nlohmann::json data = data_in(content_of(path));
    CHECK(data.at("left_out") == 0);
    REQUIRE(data.at("rows").size() == 10'000);
    CHECK(data.at("totals").at("stopped") == "SIGINT");
    const auto bytes = data.at("rate").at("bytes").get<std::vector<std::uint64_t>>();
    CHECK(bytes.size() <= 600);
    CHECK(std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0}) == totals.received);
    std::uint64_t failed = 0;
    for (const auto& each : data.at("failures")) {
        failed += each.at("count").get<std::uint64_t>();
    }
    CHECK(failed == totals.failed);
    CHECK(data.at("hosts").size() == 23);
    const std::size_t steps = 9;
    REQUIRE(data.at("columns").at(steps) == "begin");
    for (const auto& row : data.at("rows")) {
        REQUIRE(row.size() == data.at("columns").size());
        for (std::size_t at = steps + 1; at < row.size(); ++at) {
            REQUIRE(row.at(at) >= row.at(at - 1));
        }
    }
}

LEAT_TEST("nothing that a URL or a server says leaves its place in the page", on(simulated)) {
    const leat::testing::folder folder;
    const std::string path = page_path(folder, "hostile.html");
    const std::string hostile =
        "</script><script>document.title='taken'</script><!--<img src=x onerror=alert(1)>\"'&\xff\x1b[31m";
    fetch::run_totals totals{.begin = leat::now()};
    fetch::report view(path);
    made_up::one one(view, totals, 1, "http://h/" + hostile);
    one.of.host = hostile;
    one.of.file = hostile;
    one.asks();
    one.of.times.answered = leat::now();
    one.fails({.kind = fetch::failure_kind::refused, .text = hostile});
    view.summarize(totals, "");
    const std::string page = content_of(path);
    std::size_t scripts = 0;
    for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) {
        ++scripts;
    }
    CHECK(scripts == 2);
    CHECK(page.find("<img") == std::string::npos);
    CHECK(page.find("<!--") == std::string::npos);
    CHECK(page.find("script-src 'sha256-") != std::string::npos);
    const nlohmann::json data = data_in(page);
    CHECK(data.at("rows").at(0).at(1).get<std::string>().starts_with("http://h/</script><script>"));
    co_return;
}

LEAT_TEST("a report of a long run is bounded, and says what it leaves out", on(simulated)) {
    const leat::testing::folder folder;
    const std::string path = page_path(folder, "long.html");
    fetch::run_totals totals{.begin = leat::now()};
    fetch::report view(path, {.failed = 50, .slowest = 100, .sample = 200});
    co_await busy_run(view, totals, 10'000);
    view.summarize(totals, "");
    const nlohmann::json data = data_in(content_of(path));
    CHECK(data.at("rows").size() == 350);
    CHECK(data.at("left_out") == 10'000 - 350);
}

LEAT_TEST("a report gets its name when it is whole, and one that cannot be made is known at once",
          on(simulated)) {
    const leat::testing::folder folder;
    const std::string path = folder.path() + "/run.html";
    std::ofstream(path) << "the one before";
    const fetch::run_totals totals{.begin = leat::now()};
    {
        const fetch::report given_up(path);
    }
    CHECK(content_of(path) == "the one before");
    CHECK_FALSE(std::filesystem::exists(path + ".part"));
    {
        fetch::report view(path);
        view.summarize(totals, "");
    }
    CHECK(content_of(path).starts_with("<!DOCTYPE html>"));
    CHECK_FALSE(std::filesystem::exists(path + ".part"));
    CHECK_THROWS_AS(fetch::report(folder.path() + "/none/run.html"), std::system_error);
    fetch::report nowhere("/dev/full");
    CHECK_THROWS_AS(nowhere.summarize(totals, ""), std::system_error);
    CHECK(std::filesystem::is_character_file("/dev/full"));
    co_return;
}

TEST_CASE("steps of the rate become longer instead of more") {
    fetch::rate_steps rate;
    for (int second = 0; second < 3600; ++second) {
        rate.add(std::chrono::seconds(second), 10);
    }
    CHECK(rate.bytes.size() <= 600);
    CHECK(rate.step == 6400ms);
    CHECK(std::accumulate(rate.bytes.begin(), rate.bytes.end(), std::uint64_t{0}) == 36'000);
    CHECK(rate.bytes[0] == 70);
    CHECK(rate.bytes[1] == 60);
}
