// SPDX-License-Identifier: MIT
#include <leat/dns/resolver.hpp>

#include <leat/check.hpp>
#include <leat/dns/host_name.hpp>
#include <leat/endpoint.hpp>
#include <leat/sleep.hpp>

#include <algorithm>
#include <stdexcept>

#include <sys/stat.h>

namespace leat {

namespace detail {

namespace {

constexpr int dns_port = 53;
// How long a silent name is asked for when the options leave that to c-ares.
constexpr duration usual_timeout = std::chrono::seconds(5);
constexpr duration longest_timeout = std::chrono::hours(1);
constexpr int usual_tries = 4;
constexpr std::size_t channels_max = 8;  // that are kept while nobody asks them

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
    self.unlink();  // the question goes on: others may ask it, and a late answer finds nobody
    return true;
}

constinit const wait_kind lookup_kind{"the look-up of a name", stop_asking};

class [[nodiscard]] lookup_awaiter : public awaiter_base, asker {
public:
    lookup_awaiter(channel& asked, const std::string& name, address_families families) noexcept
        : asker(lookup_kind), channel_(asked), name_(name), families_(families) {}
    // Waits for its turn also when the answer is there at once.
    bool await_ready() {
        if (this_thread.task->cancelled()) {
            end = wait_end::cancelled;
        } else {
            channel_.ask(name_, families_, *this);
        }
        return false;
    }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> waiter) noexcept {
        suspend(waiter.promise());
    }
    void suspend(frame& waiter) noexcept { scheduler::suspend(waiter, *this); }
    result<std::vector<address>> await_resume() noexcept {
        return error ? result<std::vector<address>>(error) : std::move(addresses);
    }

private:
    channel& channel_;
    const std::string& name_;
    address_families families_;
};

}  // namespace

channel& resolver::channel_for(const resolve_options& options) {
    channel_settings wanted{
        canonical_servers(options.servers),
        options.timeout,
        options.tries,
        options.servers.empty() ? version_of("/etc/resolv.conf") : std::pair<std::int64_t, std::int64_t>(),
    };
    const auto of_use = [&](const std::unique_ptr<channel>& each) {
        return each->works() && each->settings() == wanted;
    };
    std::erase_if(channels_, [&](const auto& each) {
        return each->idle() && !of_use(each) && (!each->works() || channels_.size() >= channels_max);
    });
    for (const auto& each : channels_) {
        if (of_use(each)) {
            return *each;
        }
    }
    channels_.push_back(std::make_unique<channel>(loop_, std::move(wanted)));
    return *channels_.back();
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
    detail::channel& asked = current_scheduler().use<detail::resolver>().channel_for(options);
    detail::lookup_awaiter lookup(asked, name, local ? address_families::any : options.families);
    result<std::vector<address>> found = co_await lookup;
    if (local) {
        auto known = found.ok() ? std::move(*found) : std::vector<address>();
        co_return detail::localhost_addresses(std::move(known), options.families);
    }
    co_return std::move(found).value(("resolve " + host).c_str());
}

}  // namespace leat
