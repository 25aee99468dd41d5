// SPDX-License-Identifier: MIT
#include <fetch/views/json_view.hpp>

#include <fetch/views/text.hpp>

#include <leat/sleep.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>

namespace fetch {
namespace {

using json = nlohmann::ordered_json;
constexpr int schema_version = 1;

// In seconds, to the microsecond: no more digits than are known.
double seconds_of(leat::duration length) {
    return std::round(std::chrono::duration<double, std::micro>(length).count()) / 1e6;
}

json text_or_null(const std::string& text) {
    return text.empty() ? json() : json(text);
}

template <typename Value>
json value_or_null(const std::optional<Value>& value) {
    return value.has_value() ? json(*value) : json();
}

json failure_json(const std::optional<failure>& why) {
    if (!why.has_value()) {
        return {};
    }
    json told;
    told["kind"] = name_of(why->kind);
    told["text"] = why->text;
    told["status"] = why->status == 0 ? json() : json(why->status);
    return told;
}

std::string_view name_of(leat::http::version version) noexcept {
    switch (version) {
        case leat::http::version::http_1_0:
            return "1.0";
        case leat::http::version::http_1_1:
            return "1.1";
        case leat::http::version::http_2:
            return "2";
    }
    return "1.1";
}

json times_json(const transfer_times& times, leat::time_point begin) {
    const auto since_begin = [&](const std::optional<leat::time_point>& time) {
        return time.has_value() ? json(seconds_of(*time - begin)) : json();
    };
    json told;
    told["begin"] = seconds_of(times.begin - begin);
    told["asked"] = since_begin(times.asked);
    told["named"] = since_begin(times.named);
    told["connected"] = since_begin(times.connected);
    told["secured"] = since_begin(times.secured);
    told["answered"] = since_begin(times.answered);
    told["end"] = since_begin(times.end);
    return told;
}

json fields_json(const std::optional<answer_fields>& fields) {
    if (!fields.has_value()) {
        return {};
    }
    json told;
    told["type"] = text_or_null(fields->type);
    told["last_modified"] = text_or_null(fields->last_modified);
    told["etag"] = text_or_null(fields->etag);
    return told;
}

}  // namespace

class json_view::event {
public:
    event(json_view& view, std::string_view name) : view_(view) {
        if (!view.begin_.has_value()) {
            view.begin_ = leat::now();
        }
        line_["version"] = schema_version;
        line_["event"] = name;
        line_["time"] = seconds_of(leat::now() - *view.begin_);
    }
    event& of(const transfer& one) {
        line_["number"] = one.job.number;
        line_["url"] = one.shown;
        return *this;
    }
    event& of(const run_totals& totals) {
        line_["jobs"] = value_or_null(totals.jobs);
        line_["begun"] = totals.begun;
        line_["fetched"] = totals.fetched;
        line_["kept"] = totals.kept;
        line_["failed"] = totals.failed;
        line_["tries"] = totals.tries;
        line_["received"] = totals.received;
        return *this;
    }
    event& add(const char* name, json value) {
        line_[name] = std::move(value);
        return *this;
    }
    void write() const {
        view_.lines_.print(line_.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
    }

private:
    json_view& view_;
    json line_;
};

void json_view::began(const transfer& of) {
    event(*this, "began").of(of).write();
}

void json_view::answered(const transfer& of) {
    event(*this, "answered")
        .of(of)
        .add("try", of.tries)
        .add("status", of.status)
        .add("http", name_of(of.version))
        .add("file", text_or_null(of.file))
        .add("size", value_or_null(of.size))
        .add("there", of.there)
        .write();
}

void json_view::tries_again(const transfer& of, leat::duration wait) {
    event(*this, "tries_again")
        .of(of)
        .add("try", of.tries)
        .add("wait", seconds_of(wait))
        .add("failure", failure_json(of.failure))
        .write();
}

void json_view::planned(const transfer& of) {
    event(*this, "planned")
        .of(of)
        .add("file", text_or_null(of.file))
        .add("kept", of.state == transfer_state::kept)
        .add("size", value_or_null(of.size))
        .add("there", of.there)
        .write();
}

void json_view::ended(const transfer& of) {
    event(*this, "ended")
        .of(of)
        .add("state", name_of(of.state))
        .add("file", text_or_null(of.file))
        .add("size", value_or_null(of.size))
        .add("received", of.received)
        .add("resumed", of.resumed)
        .add("tries", of.tries)
        .add("status", of.status == 0 ? json() : json(of.status))
        .add("final_url", text_or_null(of.final_url))
        .add("times", times_json(of.times, *begin_))
        .add("failure", of.state == transfer_state::failed ? failure_json(of.failure) : json())
        .add("fields", fields_json(of.fields))
        .write();
}

void json_view::stopped(const transfer& of) {
    event(*this, "stopped")
        .of(of)
        .add("file", text_or_null(of.file))
        .add("size", value_or_null(of.size))
        .add("received", of.received)
        .add("tries", of.tries)
        .write();
}

leat::task<> json_view::draw(const run_totals& totals) {
    begin_ = totals.begin;
    // None of these goes back, so a change of one is one of their sum.
    const auto changes = [&] {
        return totals.received + totals.tries + totals.begun + totals.fetched + totals.kept + totals.failed;
    };
    std::uint64_t told = 0;
    for (int tick = 1;; ++tick) {
        co_await leat::sleep(std::chrono::milliseconds(100));
        if (tick % 10 == 0 && changes() != told) {
            told = changes();
            event(*this, "progress").of(totals).write();
        }
        lines_.write_some();
    }
}

void json_view::summarize(const run_totals& totals, std::string_view stopped) {
    event(*this, "summary")
        .of(totals)
        .add("seconds", seconds_of(leat::now() - totals.begin))
        .add("stopped", text_or_null(std::string(stopped)))
        .add("unlisted", totals.unlisted)
        .add("unused_checksums", totals.unused_checksums)
        .write();
    lines_.finish(stopped);
}

}  // namespace fetch
