// SPDX-License-Identifier: MIT
// docs/fetch-events.md is the schema that each line is held against.
#include "made_up.hpp"

#include <fetch/views/json_view.hpp>

#include <leat/sleep.hpp>
#include <leat/task_group.hpp>
#include <leat/testing/doctest.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <vector>

using namespace std::chrono_literals;

namespace {

using json = nlohmann::ordered_json;

// The tables of the page, by their headings; "" is the one before the first.
struct member {
    std::string name;
    std::string type;
};
using schema = std::map<std::string, std::vector<member>>;

schema schema_of_page() {
    // The compiler was told of this file from the folder above that of the program.
    const auto compiled_in = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
    const std::filesystem::path here(compiled_in / __FILE__);
    std::ifstream page(here.parent_path() / "../../../docs/fetch-events.md");
    REQUIRE(page.is_open());
    schema all;
    std::string heading;
    std::smatch found;
    for (std::string line; std::getline(page, line);) {
        if (std::regex_match(line, found, std::regex("## (?:The object )?(\\w+)"))) {
            heading = found[1];
        } else if (std::regex_match(line, found, std::regex("\\| `(\\w+)` \\| ([a-z ]+) \\|.*"))) {
            all[heading].push_back({found[1], found[2]});
        }
    }
    return all;
}

void hold_against(const schema& page, const json& value, std::vector<member> members) {
    auto each = members.begin();
    for (const auto& [name, held] : value.items()) {
        REQUIRE(each != members.end());
        CHECK(name == each->name);
        const std::string type = held.is_number_integer() && each->type.starts_with("number") ? "number"
                                 : held.is_number_integer()                                   ? "integer"
                                                            : held.type_name();
        CHECK_MESSAGE((" " + each->type + " ").find(" " + type + " ") != std::string::npos, name, " is ",
                      type);
        if (held.is_object()) {
            hold_against(page, held, page.at(name));
        }
        ++each;
    }
    CHECK(each == members.end());
}

std::vector<json> events_in(const std::string& text) {
    std::vector<json> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        events.push_back(json::parse(line));  // which throws for bytes that are no UTF-8
    }
    return events;
}

leat::task<> some_run(fetch::json_view& view, fetch::run_totals& totals) {
    made_up::one whole(view, totals, 1, "http://h/a");
    made_up::one slow(view, totals, 2, "http://h/\"b\xff\n");
    made_up::one known(view, totals, 3, "http://h/c");
    view.planned(known.of);
    view.stopped(known.of);
    whole.asks();
    whole.is_answered(206, 999, "caf\xe9");
    whole.receives(999);
    co_await leat::sleep(1500ms);
    whole.of.times.secured = leat::now();
    whole.of.final_url = "http://h/elsewhere";
    whole.of.fields = fetch::answer_fields{.type = "text/\xff", .last_modified = {}, .etag = "\"v\""};
    whole.ends(fetch::transfer_state::fetched);
    slow.asks();
    slow.tries_again({.kind = fetch::failure_kind::busy, .text = "503 \xf0\x9f", .status = 503}, 250ms);
    slow.asks();
    slow.is_answered(200, {});
    known.ends(fetch::transfer_state::kept);
    co_await leat::sleep(5s);
    slow.fails({.kind = fetch::failure_kind::interrupted, .text = "it ended"});
    totals.jobs = 3;
}

}  // namespace

LEAT_TEST("each event is as the page says, and valid UTF-8", on(simulated)) {
    const made_up::pipe_pair lines;
    fetch::json_view view(lines.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return view.draw(totals); });
        co_await some_run(view, totals);
        group.cancel();
    });
    view.summarize(totals, "SIGTERM");
    const schema page = schema_of_page();
    std::map<std::string, int> counted;
    for (const json& event : events_in(lines.text())) {
        const auto name = event.at("event").get<std::string>();
        INFO(event.dump());
        std::vector<member> members = page.at("");
        REQUIRE(page.contains(name));
        members.insert(members.end(), page.at(name).begin(), page.at(name).end());
        hold_against(page, event, members);
        CHECK(event.at("version") == 1);
        ++counted[name];
    }
    // One progress for each second in which something had changed, not for each second.
    CHECK(counted == std::map<std::string, int>{{"answered", 2},
                                                {"began", 3},
                                                {"ended", 3},
                                                {"planned", 1},
                                                {"progress", 2},
                                                {"stopped", 1},
                                                {"summary", 1},
                                                {"tries_again", 1}});
}

LEAT_TEST("an event's line does not change from one release to the next", on(simulated)) {
    const made_up::pipe_pair lines;
    fetch::json_view view(lines.writes.get());
    fetch::run_totals totals{.begin = leat::now()};
    made_up::one broken(view, totals, 2, "http://h/\"b\xff\n");
    co_await leat::sleep(1500ms);
    broken.fails({.kind = fetch::failure_kind::name, .text = "no such host"});
    view.summarize(totals, "");
    CHECK(
        lines.text() ==
        R"({"version":1,"event":"began","time":0.0,"number":2,"url":"http://h/\"b)"
        "\xef\xbf\xbd"
        R"(\n"}
{"version":1,"event":"ended","time":1.5,"number":2,"url":"http://h/\"b)"
        "\xef\xbf\xbd"
        R"(\n","state":"failed","file":null,"size":null,"received":0,"resumed":0,"tries":0,"status":null,)"
        R"("final_url":null,"times":{"begin":0.0,"asked":null,"named":null,"connected":null,"secured":null,)"
        R"("answered":null,"end":1.5},"failure":{"kind":"name","text":"no such host","status":null},)"
        R"("fields":null}
{"version":1,"event":"summary","time":1.5,"jobs":null,"begun":1,"fetched":0,"kept":0,"failed":1,"tries":0,)"
        R"("received":0,"seconds":1.5,"stopped":null,"unlisted":0,"unused_checksums":0}
)");
}
