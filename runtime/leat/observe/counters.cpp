// SPDX-License-Identifier: MIT
#include <leat/observe/counters.hpp>

#include <leat/core/json_text.hpp>

namespace leat {

namespace {

// Calls `add(name, number)` for each number that has a name of its own.
template <typename Add>
void each_number(const counters& counted, Add add) {
    add("turns", counted.turns);
    add("resumptions", counted.resumptions);
    add("spawned", counted.spawned);
    add("tasks", counted.tasks);
    add("ready", counted.ready);
    add("timers", counted.timers);
    add("pending", counted.pending);
    add("frames", counted.frames);
    if (counted.counted) {
        add("ready_most", counted.ready_most);
        add("bytes_in", counted.bytes_in);
        add("bytes_out", counted.bytes_out);
    }
}

}  // namespace

std::string counters::to_text() const {
    std::string text;
    const auto add = [&](std::string_view name, auto number) {
        text += std::string(name) + " " + std::to_string(number) + "\n";
    };
    each_number(*this, add);
    if (counted) {
        for (const operation_count& each : operations) {
            add(std::string("operations ") + each.kind, each.count);
        }
        for (const lag_bucket& each : lag) {
            add("turns below " + std::to_string(each.below.count()) + " ns", each.turns);
        }
    }
    return text;
}

std::string counters::to_json() const {
    detail::json_text json;
    json.begin_object();
    each_number(*this, [&](std::string_view name, auto number) { json.key(name).value(number); });
    if (counted) {
        json.key("operations").begin_object();
        for (const operation_count& each : operations) {
            json.key(each.kind).value(each.count);
        }
        json.end_object();
        json.key("lag").begin_array();
        for (const lag_bucket& each : lag) {
            json.begin_object();
            json.key("below_ns").value(each.below.count());
            json.key("turns").value(each.turns);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
    return std::move(json.text);
}

}  // namespace leat
