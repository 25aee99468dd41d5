// SPDX-License-Identifier: MIT
#include <fetch/views/report.hpp>

#include <fetch/views/report_page.hpp>
#include <fetch/views/text.hpp>

#include <leat/sleep.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <functional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

using json = nlohmann::ordered_json;
constexpr std::size_t most_steps = 600;
constexpr std::size_t hosts_shown = 100;

std::system_error report_error(int error, const std::string& path) {
    return {error, std::system_category(), "the report " + path};
}

bool is_no_file(const std::string& path) {
    struct stat about{};
    return ::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode);
}

std::int64_t micros(leat::duration length) {
    return std::chrono::duration_cast<std::chrono::microseconds>(length).count();
}

// In a script of HTML no "<" may stand: "</script" and "<!--" are read there before it is.
std::string text_of(const json& data) {
    std::string text;
    for (const char each : data.dump(-1, ' ', false, json::error_handler_t::replace)) {
        text += each == '<' ? "\\u003c" : std::string_view(&each, 1);
    }
    return text;
}

const json row_columns = {"number",  "url",   "file",  "state", "status",    "tries",   "received", "kind",
                          "failure", "begin", "asked", "named", "connected", "secured", "answered", "end"};

json row_json(const report_row& one, leat::time_point begin) {
    json row = {one.number,   one.url,
                one.file,     name_of(one.state),
                one.status,   one.tries,
                one.received, one.state == transfer_state::failed ? name_of(one.kind) : "",
                one.failure,  micros(one.times.begin - begin)};
    // A step that was not taken, or was not reached, ended when the one before it did.
    leat::time_point last = one.times.begin;
    const auto& times = one.times;
    for (const auto& each :
         {times.asked, times.named, times.connected, times.secured, times.answered, times.end}) {
        last = std::max(last, each.value_or(last));
        row.push_back(micros(last - begin));
    }
    return row;
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    char text[64] = "";
    if (::localtime_r(&now, &parts) != nullptr) {
        (void)std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %Z", &parts);
    }
    return text;
}

}  // namespace

void rate_steps::add(leat::duration since_begin, std::uint64_t more) {
    while (since_begin / step >= static_cast<leat::duration::rep>(most_steps)) {
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            const std::uint64_t some = std::exchange(bytes[at], 0);
            bytes[at / 2] += some;
        }
        bytes.resize((bytes.size() + 1) / 2);
        step *= 2;
    }
    const auto at = static_cast<std::size_t>(std::max(since_begin, leat::duration::zero()) / step);
    bytes.resize(std::max(bytes.size(), at + 1));
    bytes[at] += more;
}

report::report(std::string path, report_limits limits) : path_(std::move(path)), rows_(limits) {
    const bool in_place = is_no_file(path_);
    part_ = in_place ? "" : path_ + ".part";
    const int flags = in_place ? 0 : O_CREAT | O_TRUNC | O_NOFOLLOW;
    file_.reset(::open(in_place ? path_.c_str() : part_.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
    if (!file_) {
        throw report_error(errno, path_);
    }
}

report::~report() {
    if (!part_.empty() && file_) {
        (void)::unlink(part_.c_str());
    }
}

void report::began(const transfer& /*of*/) {
    begin_ = begin_.value_or(leat::now());
}

void report::received(const transfer& /*of*/, std::size_t bytes) {
    rate_.add(leat::now() - *begin_, bytes);
}

void report::ended(const transfer& of) {
    rows_.add(report_row_of(of));
    if (of.state == transfer_state::failed) {
        failures& some = failures_[of.failure.has_value() ? of.failure->kind : failure_kind::other];
        if (++some.count == 1) {
            some.example = failure_line(of);
        }
    }
    add_to_host(of);
}

void report::add_to_host(const transfer& of) {
    if (of.host.empty() || (hosts_.size() == most_hosts && !hosts_.contains(of.host))) {
        return;
    }
    host& one = hosts_[of.host];
    ++one.transfers;
    one.failed += of.state == transfer_state::failed ? 1 : 0;
    one.received += of.received;
    if (of.times.answered.has_value() && of.times.asked.has_value()) {
        const leat::duration waited = *of.times.answered - *of.times.asked;
        ++one.answers;
        one.waited += waited;
        one.longest = std::max(one.longest, waited);
    }
}

leat::task<> report::draw(const run_totals& totals) {
    begin_ = totals.begin;
    co_return;
}

std::string report::page(const run_totals& totals, std::string_view stopped) {
    const leat::time_point begin = begin_.value_or(totals.begin);
    json head;
    head["date"] = today();
    head["length"] = micros(leat::now() - begin);
    head["totals"] = {{"jobs", totals.jobs.has_value() ? json(*totals.jobs) : json()},
                      {"fetched", totals.fetched},
                      {"kept", totals.kept},
                      {"failed", totals.failed},
                      {"tries", totals.tries},
                      {"received", totals.received},
                      {"stopped", stopped}};
    head["rate"] = {{"step", micros(rate_.step)}, {"bytes", rate_.bytes}};
    head["failures"] = json::array();
    for (const auto& [kind, some] : failures_) {
        head["failures"].push_back(
            {{"kind", name_of(kind)}, {"count", some.count}, {"example", some.example}});
    }
    std::vector<std::pair<leat::duration, const std::pair<const std::string, host>*>> slowest;
    for (const auto& each : hosts_) {
        if (each.second.answers > 0) {
            slowest.emplace_back(each.second.waited / static_cast<std::int64_t>(each.second.answers), &each);
        }
    }
    const auto shown = slowest.begin() + static_cast<std::ptrdiff_t>(std::min(slowest.size(), hosts_shown));
    std::partial_sort(slowest.begin(), shown, slowest.end(), std::greater<>());
    head["hosts"] = json::array();
    for (auto each = slowest.begin(); each != shown; ++each) {
        const auto& [name, one] = *each->second;
        head["hosts"].push_back({{"host", printable(name)},
                                 {"mean", micros(each->first)},
                                 {"most", micros(one.longest)},
                                 {"transfers", one.transfers},
                                 {"failed", one.failed},
                                 {"received", one.received}});
    }
    const report_limits& limits = rows_.limits();
    head["most"] = {{"failed", limits.failed}, {"slowest", limits.slowest}, {"sample", limits.sample}};
    head["left_out"] = rows_.left_out();
    head["columns"] = row_columns;
    std::string data = text_of(head);
    data.back() = ',';  // rows one by one: as one value of JSON they would need much memory
    data += "\"rows\":[";
    for (const report_row& each : rows_.take()) {
        data += text_of(row_json(each, begin)) + ",\n";
    }
    if (data.ends_with(",\n")) {
        data.resize(data.size() - 2);
    }
    std::string all(report_page());
    return all.replace(all.find("@RUN@"), 5, data + "]}");
}

void report::summarize(const run_totals& totals, std::string_view stopped) {
    const std::string text = page(totals, stopped);
    for (std::string_view rest = text; !rest.empty();) {
        const ssize_t count = ::write(file_.get(), rest.data(), rest.size());
        if (count < 0 && errno != EINTR) {
            throw report_error(errno, path_);
        }
        rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    if (!part_.empty() && ::rename(part_.c_str(), path_.c_str()) != 0) {
        throw report_error(errno, path_);
    }
    part_.clear();
}

}  // namespace fetch
