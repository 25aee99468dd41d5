// SPDX-License-Identifier: MIT
#include <leat/dns/core/resolver.hpp>

#include <leat/check.hpp>
#include <leat/dns/core/host_name.hpp>
#include <leat/endpoint.hpp>
#include <leat/sleep.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>

#include <sys/stat.h>

namespace leat {

namespace detail {

namespace {

constexpr int dns_port = 53;
// When neither the options nor the system say.
constexpr duration usual_timeout = std::chrono::seconds(2);
constexpr int usual_tries = 3;
constexpr duration longest_timeout = std::chrono::hours(1);  // of a silent name in a simulation
constexpr const char* configuration_file = "/etc/resolv.conf";
constexpr const char* hosts_file = "/etc/hosts";

// Tells one version of a file from the next.
std::pair<std::int64_t, std::int64_t> version_of(const char* file) noexcept {
    struct stat found{};
    if (::stat(file, &found) != 0) {
        return {};
    }
    return {static_cast<std::int64_t>(found.st_ino),
            std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec};
}

// The list of servers as c-ares reads it. Throws std::invalid_argument naming what is no server.
std::string canonical_servers(std::string_view list) {
    std::string canonical;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        std::string_view each = list.substr(0, comma);
        list = comma == list.npos ? std::string_view() : list.substr(comma + 1);
        each.remove_prefix(std::min(each.find_first_not_of(' '), each.size()));
        each = each.substr(0, each.find_last_not_of(' ') + 1);
        const auto bare = literal_address(each);
        const auto server = bare ? result<endpoint>(endpoint(*bare, dns_port)) : endpoint::try_parse(each);
        if (!server) {
            throw std::invalid_argument("\"" + std::string(each) + "\" is not the address of a DNS server");
        }
        canonical += (canonical.empty() ? "" : ",") + server->to_string();
    }
    return canonical;
}

std::error_code error_of(name_answer::outcome how) noexcept {
    switch (how) {
        case name_answer::outcome::found:
            return dns_errc::no_address;  // when none is left of the family
        case name_answer::outcome::unknown:
            return dns_errc::no_such_host;
        case name_answer::outcome::failed:
            return dns_errc::temporary_failure;
        case name_answer::outcome::silent:
            return dns_errc::timed_out;
    }
    return dns_errc::malformed_answer;
}

bool is_wanted(const address& one, address_families families) noexcept {
    return families == address_families::any || one.is_ipv4() == (families == address_families::ipv4);
}

// The answer of a backend that knows names itself, when its time has come.
task<result<std::vector<address>>> await_answer(const name_answer& answer, const resolve_options& options) {
    const duration one_try = options.timeout > duration::zero() ? options.timeout : usual_timeout;
    const int tries = options.tries > 0 ? options.tries : usual_tries;
    co_await sleep(answer.how == name_answer::outcome::silent ? std::min(one_try, longest_timeout) * tries
                                                              : answer.delay);
    std::vector<address> found;
    for (const sockaddr_storage& each : answer.addresses) {
        const auto* const name = reinterpret_cast<const sockaddr*>(&each);
        const address next = endpoint::from_sockaddr(name, sizeof each).address();
        if (is_wanted(next, options.families)) {
            found.push_back(next);
        }
    }
    if (found.empty()) {
        co_return error_of(answer.how);
    }
    co_return found;
}

bool stop_asking(wait& self) noexcept {
    resolver::stop(static_cast<asker&>(self));
    return true;
}

constinit const wait_kind lookup_kind{"the look-up of a name", stop_asking};

class [[nodiscard]] lookup_awaiter : public leaf_awaiter<lookup_awaiter, asker> {
public:
    static constexpr bool always_suspends = true;

    lookup_awaiter(resolver& asked, name_question&& what, duration cache_time) noexcept
        : leaf_awaiter(lookup_kind), resolver_(asked), what_(std::move(what)), cache_time_(cache_time) {}
    bool take_now() {
        resolver_.ask(std::move(what_), cache_time_, *this);
        return end == wait_end::finished;
    }
    result<std::vector<address>> await_resume() noexcept {
        return found.error ? result<std::vector<address>>(found.error) : std::move(found.addresses);
    }

private:
    resolver& resolver_;
    name_question what_;
    duration cache_time_;
};

}  // namespace

resolver::alarm::alarm(resolver& owned_by) noexcept
    : timer([](timer& self) noexcept { static_cast<alarm&>(self).owner.begin_waiting(); }), owner(owned_by) {}

resolver::resolver(scheduler& loop) noexcept : loop_(loop), alarm_(*this) {}

resolver::~resolver() {
    loop_.alarms().disarm(alarm_);
}

channel_settings resolver::settings_for(const resolve_options& options) {
    const name_files files{version_of(configuration_file), version_of(hosts_file)};
    if (!system_ || files != files_) {
        system_ = read_system_options();
        known_.clear();
        files_ = files;
        ++files_read_;
    }
    const auto first_of = [](auto asked, auto configured, auto usual) {
        return asked > decltype(asked){} ? asked : configured > decltype(asked){} ? configured : usual;
    };
    return {
        .servers = canonical_servers(options.servers),
        .timeout = first_of(options.timeout, system_->timeout, usual_timeout),
        .tries = first_of(options.tries, system_->attempts, usual_tries),
        .over_tcp = system_->over_tcp,
        .rotate = system_->rotate,
        .files = files_read_,
    };
}

void resolver::ask(name_question&& what, duration cache_time, asker& waiting) {
    if (const name_found* known = known_.find(what, loop_.io().now(), cache_time)) {
        waiting.found = *known;
        finish(waiting);
        return;
    }
    const auto [place, added] = questions_.try_emplace(std::move(what), *this);
    question& asked = place->second;
    asked.askers.push_back(waiting);
    waiting.asked = &asked;
    if (added) {
        asked.what = &place->first;
        waiting_.push_back(asked);
        begin_waiting();
    }
}

void resolver::stop(asker& waiting) noexcept {
    waiting.unlink();
    question& asked = *waiting.asked;
    if (asked.askers.empty()) {
        asked.owner.abandon(asked);
    }
}

// What has been asked goes on, until another needs its place: others may ask it, and a late answer finds
// nobody.
void resolver::abandon(question& left) noexcept {
    if (left.state == question::stage::waiting) {
        erase(left);
    } else if (!waiting_.empty()) {
        (void)begin_in_next_turn();  // without memory the next that is answered makes room
    }
}

// False: there is no memory for it.
bool resolver::begin_in_next_turn() noexcept {
    return set_alarm(after(loop_.io().now(), duration(1)));
}

// Begins as many as there is room for, but not so many that the loop is held when all are answered at once.
void resolver::begin_waiting() noexcept {
    if (std::exchange(beginning_, true)) {
        return;  // one was answered at once
    }
    std::size_t begun = 0;
    do {
        for (begun = 0; !waiting_.empty() && begun < young_max && make_room(); ++begun) {
            begin(waiting_.pop_front());
        }
    } while (begun == young_max && !waiting_.empty() && !begin_in_next_turn());
    beginning_ = false;
    if (!waiting_.empty() && begun < young_max && asked_count_ < asked_max) {
        (void)set_alarm(after(young_.front().begun, silence));
    }  // else, or without it, the next that is answered makes room, or that nobody waits for any more
}

// False: there is no memory for it.
bool resolver::set_alarm(time_point when) noexcept {
    try {
        loop_.alarms().arm(alarm_, when);
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void resolver::begin(question& next) noexcept {
    next.begun = loop_.io().now();
    next.state = question::stage::young;
    young_.push_back(next);
    ++young_count_;
    ++asked_count_;
    next.asking.reset(new (std::nothrow) channel(loop_, next));
    if (next.asking == nullptr ||
        next.asking->ask(next.what->name, next.what->families, next.what->settings)) {
        settle(next);
    }
}

void resolver::ended(question& answered) noexcept {
    settle(answered);
    begin_waiting();
}

void resolver::settle(question& answered) noexcept {
    std::error_code error = std::make_error_code(std::errc::not_enough_memory);
    if (answered.asking != nullptr) {
        try {
            const name_found found{answered.asking->error(), answered.asking->addresses()};
            known_.keep(*answered.what, found, loop_.io().now(), answered.asking->lifetime());
            for (asker* each = answered.askers.first(); each != nullptr; each = answered.askers.next(*each)) {
                each->found.addresses = found.addresses;
            }
            error = found.error;
        } catch (const std::bad_alloc&) {
            // is what all of them are told
        }
    }
    while (!answered.askers.empty()) {
        asker& next = answered.askers.pop_front();
        next.found.error = error;
        finish(next);
    }
    erase(answered);
}

void resolver::finish(asker& waiting) noexcept {
    waiting.asked = nullptr;
    if (waiting.task != nullptr) {
        loop_.finish(waiting);
    } else {
        waiting.end = wait_end::finished;  // it was answered at once, before it suspended
    }
}

void resolver::find_silent(time_point now) noexcept {
    while (!young_.empty() && after(young_.front().begun, silence) <= now) {
        question& old = young_.pop_front();
        old.state = question::stage::silent;
        --young_count_;
        silent_.push_back(old);
    }
}

// Whether another question may be asked.
bool resolver::make_room() noexcept {
    find_silent(loop_.io().now());
    if (asked_count_ == asked_max && !drop_abandoned(silent_) && !drop_abandoned(young_)) {
        return false;
    }
    return young_count_ < young_max || drop_abandoned(young_);
}

// Gives up the oldest question that nobody waits for.
bool resolver::drop_abandoned(list<question>& among) noexcept {
    for (question* each = among.first(); each != nullptr; each = among.next(*each)) {
        if (each->askers.empty()) {
            erase(*each);
            return true;
        }
    }
    return false;
}

void resolver::erase(question& old) noexcept {
    old.unlink();
    asked_count_ -= old.state == question::stage::waiting ? 0 : 1;
    young_count_ -= old.state == question::stage::young ? 1 : 0;
    questions_.erase(questions_.find(*old.what));
}

}  // namespace detail

task<std::vector<address>> resolve(std::string host, resolve_options options) {
    check(options.tries >= 0, "the number of tries of a look-up is not negative");
    if (auto literal = detail::literal_answer(host, options.families)) {
        co_return std::move(*literal);
    }
    const std::string name = detail::name_to_ask(host);
    if (name.empty()) {
        throw std::system_error(dns_errc::malformed_name, "resolve " + detail::printable(host));
    }
    // Of localhost c-ares 1.18 is not asked for one family: it would leak a few bytes each time.
    const bool local = name == "localhost";
    if (const std::optional<name_answer> answer = current_scheduler().io().resolve(name)) {
        if (local) {
            co_return detail::localhost_addresses({}, options.families);
        }
        result<std::vector<address>> known = co_await detail::await_answer(*answer, options);
        co_return std::move(known).value(("resolve " + host).c_str());
    }
    auto& asked = current_scheduler().use<detail::resolver>();
    detail::lookup_awaiter lookup(
        asked, {name, local ? address_families::any : options.families, asked.settings_for(options)},
        options.cache_time);
    result<std::vector<address>> found = co_await lookup;
    if (local) {
        auto known = found.ok() ? std::move(*found) : std::vector<address>();
        co_return detail::localhost_addresses(std::move(known), options.families);
    }
    co_return std::move(found).value(("resolve " + host).c_str());
}

}  // namespace leat
