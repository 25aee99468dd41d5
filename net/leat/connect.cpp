// SPDX-License-Identifier: MIT
#include <leat/connect.hpp>

#include <leat/core/wait_queue.hpp>
#include <leat/dns/core/host_name.hpp>
#include <leat/task_group.hpp>
#include <leat/timeout.hpp>

#include <algorithm>
#include <utility>

namespace leat {

namespace detail {

namespace {

// Tells one waiting task that there is something new to look at.
class auto_reset_event {
public:
    void tell() noexcept { told_ = !waiting_.wake_one(); }

    class [[nodiscard]] awaiter : public leaf_awaiter<awaiter> {
    public:
        explicit awaiter(auto_reset_event& source) noexcept : leaf_awaiter(event_kind), source_(source) {}
        bool take_now() noexcept { return std::exchange(source_.told_, false); }
        void enqueue() noexcept { source_.waiting_.push_back(*this); }
        void await_resume() const noexcept {}

    private:
        static inline constinit const wait_kind event_kind{"a look-up or a connection", wait_queue::leave};

        auto_reset_event& source_;
    };

    awaiter next() noexcept { return awaiter(*this); }

private:
    wait_queue waiting_;
    bool told_ = false;
};

// The attempts to reach one host. Look-ups and attempts are children of one group; `run` starts them.
class race {
public:
    race(std::string host, int port, const connect_options& options)
        : host_(std::move(host)), port_(port), options_(options) {}

    task<> run(task_group& group);
    [[nodiscard]] tcp_stream take_winner();
    [[nodiscard]] std::string what() const;

private:
    task<> look_up(address_families families);
    task<> attempt(endpoint target);
    void add_targets(const std::vector<address>& found);
    void add_given();

    std::string host_;
    int port_;
    const connect_options& options_;
    std::vector<endpoint> targets_;
    std::size_t tried_ = 0;
    int running_ = 0;  // look-ups and attempts
    std::error_code lookup_error_;
    std::error_code attempt_error_;
    tcp_stream winner_;
    auto_reset_event changed_;
};

task<> race::run(task_group& group) {
    const auto start = [&](auto&& child) {
        ++running_;
        group.spawn(std::forward<decltype(child)>(child));
    };
    bool asked_alone = options_.names.families != address_families::any;
    if (!options_.addresses.empty()) {
        add_given();
        asked_alone = true;
    } else {
        start([this] { return look_up(options_.names.families); });
    }
    while (!winner_.is_open() && (running_ > 0 || tried_ < targets_.size())) {
        duration patience = duration::max();
        if (tried_ < targets_.size()) {
            patience = options_.attempt_delay;
            start([this, target = targets_[tried_++]] { return attempt(target); });
        } else if (!asked_alone && targets_.empty()) {
            patience = options_.attempt_delay;
        }
        const bool told = co_await move_on_after(patience, changed_.next());
        if (!told && !asked_alone && targets_.empty()) {
            asked_alone = true;
            start([this] { return look_up(address_families::ipv4); });
        }
    }
    group.cancel();
}

task<> race::look_up(address_families families) {
    resolve_options wanted = options_.names;
    wanted.families = families;
    const auto found = co_await as_result(resolve(host_, wanted));
    if (found.ok()) {
        if (options_.resolved_at != nullptr && targets_.empty() && !literal_address(host_)) {
            *options_.resolved_at = now();
        }
        add_targets(*found);
    } else if (!lookup_error_ || families == options_.names.families) {
        lookup_error_ = found.error();
    }
    --running_;
    changed_.tell();
}

void race::add_targets(const std::vector<address>& found) {
    for (const address& each : interleaved(found)) {
        const endpoint target(each, port_);
        if (std::ranges::find(targets_, target) == targets_.end()) {
            targets_.push_back(target);
        }
    }
}

void race::add_given() {
    std::vector<address> wanted;
    for (const address& each : options_.addresses) {
        const auto family = each.is_ipv4() ? address_families::ipv4 : address_families::ipv6;
        if (options_.names.families == address_families::any || options_.names.families == family) {
            wanted.push_back(each);
        }
    }
    add_targets(wanted);
    lookup_error_ = dns_errc::no_address;
}

task<> race::attempt(endpoint target) {
    const tcp_connect_options each{.timeout = duration::max(),
                                   .local = options_.local,
                                   .fast_open = options_.fast_open,
                                   .keep_alive = options_.keep_alive,
                                   .user_timeout = options_.user_timeout,
                                   .socket = options_.socket};
    auto made = co_await as_result(tcp_stream::connect(target, each));
    if (!made.ok()) {
        attempt_error_ = made.error();
    } else if (connected_to_itself(*made)) {
        attempt_error_ = errno_code(ECONNREFUSED);
    } else if (!winner_.is_open()) {
        winner_ = std::move(*made);
    }
    --running_;
    changed_.tell();
}

tcp_stream race::take_winner() {
    if (!winner_.is_open()) {
        throw std::system_error(attempt_error_ ? attempt_error_ : lookup_error_, what());
    }
    return std::move(winner_);
}

std::string race::what() const {
    const auto literal = literal_address(host_);
    return describe_connect(
        literal ? endpoint(*literal, port_).to_string() : printable(host_) + ":" + std::to_string(port_),
        options_.local);
}

}  // namespace

bool connected_to_itself(const tcp_stream& stream) {
    return stream.local_endpoint() == stream.remote_endpoint();
}

std::vector<address> interleaved(const std::vector<address>& addresses) {
    std::vector<address> order;
    order.reserve(addresses.size());
    const auto same = [&](const address& each) { return each.is_ipv4() == addresses.front().is_ipv4(); };
    auto first = addresses.begin();
    auto other = addresses.begin();
    while (order.size() < addresses.size()) {
        first = std::find_if(first, addresses.end(), same);
        if (first != addresses.end()) {
            order.push_back(*first++);
        }
        other = std::find_if_not(other, addresses.end(), same);
        if (other != addresses.end()) {
            order.push_back(*other++);
        }
    }
    return order;
}

}  // namespace detail

task<tcp_stream> connect_to_host(std::string host, int port, connect_options options) {
    [[maybe_unused]] const endpoint checked(address(), port);  // throws naming the port
    const address_families wanted = options.names.families;
    if (options.local.has_value()) {
        options.names.families = options.local->is_ipv4() ? address_families::ipv4 : address_families::ipv6;
    }
    detail::race attempts(std::move(host), port, options);
    if (wanted != address_families::any && wanted != options.names.families) {
        throw std::system_error(std::make_error_code(std::errc::address_family_not_supported),
                                attempts.what());
    }
    const auto run = [&](task_group& group) { return attempts.run(group); };
    try {
        co_await timeout(options.timeout, with_task_group(run));
    } catch (const timed_out&) {
        throw std::system_error(std::make_error_code(std::errc::timed_out), attempts.what());
    }
    co_return attempts.take_winner();
}

task<tcp_stream> tcp_stream::connect(std::string host, int port, tcp_connect_options options) {
    return connect_to_host(std::move(host), port,
                           {.timeout = options.timeout,
                            .local = options.local,
                            .fast_open = options.fast_open,
                            .keep_alive = options.keep_alive,
                            .user_timeout = options.user_timeout,
                            .socket = options.socket});
}

}  // namespace leat
