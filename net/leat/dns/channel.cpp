// SPDX-License-Identifier: MIT
#include <leat/dns/channel.hpp>

#include <leat/endpoint.hpp>
#include <leat/io.hpp>
#include <leat/spawn.hpp>

#include <algorithm>
#include <climits>
#include <memory>
#include <new>

#include <ares.h>
#include <sys/time.h>

namespace leat::detail {

// One socket and direction that c-ares wants to hear of. It belongs to the task that waits.
struct channel::watch : list_link {
    watch(channel& watched_for, int watched, bool to_write) noexcept
        : owner(&watched_for), fd(watched), writes(to_write) {}
    ~watch() {
        if (linked()) {
            unlink();
        }
    }

    channel* owner;  // null once c-ares has closed the socket
    int fd;
    bool writes;
    bool wanted = true;
};

namespace {

std::error_code error_of(int status) noexcept {
    switch (status) {
        case ARES_SUCCESS:
            return {};
        case ARES_ENOTFOUND:
            return dns_errc::no_such_host;
        case ARES_ENODATA:
            return dns_errc::no_address;
        case ARES_ETIMEOUT:
            return dns_errc::timed_out;
        case ARES_EREFUSED:
            return dns_errc::refused;
        case ARES_EBADNAME:
        case ARES_EFORMERR:
            return dns_errc::malformed_name;
        case ARES_EBADRESP:
            return dns_errc::malformed_answer;
        case ARES_ENOMEM:
            return std::make_error_code(std::errc::not_enough_memory);
        default:
            return dns_errc::temporary_failure;
    }
}

std::vector<address> addresses_of(const ares_addrinfo* found) {
    std::vector<address> addresses;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
        const leat::address next = endpoint::from_sockaddr(node->ai_addr, node->ai_addrlen).address();
        if (std::ranges::find(addresses, next) == addresses.end()) {
            addresses.push_back(next);
        }
    }
    return addresses;
}

int family_of(address_families families) noexcept {
    switch (families) {
        case address_families::any:
            return AF_UNSPEC;
        case address_families::ipv4:
            return AF_INET;
        case address_families::ipv6:
            return AF_INET6;
    }
    return AF_UNSPEC;
}

}  // namespace

channel::alarm::alarm(channel& owned_by) noexcept
    : timer([](timer& self) noexcept {
          static_cast<alarm&>(self).owner.process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      }),
      owner(owned_by) {}

channel::channel(scheduler& loop, channel_settings settings)
    : loop_(loop), settings_(std::move(settings)), alarm_(*this) {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    ares_options options{};
    int set = ARES_OPT_SOCK_STATE_CB;
    options.sock_state_cb_data = this;
    options.sock_state_cb = [](void* data, ares_socket_t fd, int readable, int writable) noexcept {
        static_cast<channel*>(data)->want(fd, readable != 0, writable != 0);
    };
    if (settings_.timeout > duration::zero()) {
        set |= ARES_OPT_TIMEOUTMS;
        const auto whole = std::chrono::ceil<std::chrono::milliseconds>(settings_.timeout);
        options.timeout = static_cast<int>(std::min<std::int64_t>(whole.count(), INT_MAX));
    }
    if (settings_.tries > 0) {
        set |= ARES_OPT_TRIES;
        options.tries = settings_.tries;
    }
    if (!settings_.servers.empty()) {
        set |= ARES_OPT_FLAGS;
        options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS;
    }
#ifdef ARES_OPT_QUERY_CACHE
    set |= ARES_OPT_QUERY_CACHE;  // of 0 seconds: one behaviour with every version of c-ares
#endif
    status_ = library != ARES_SUCCESS ? library : ares_init_options(&ares_, &options, set);
    if (status_ != ARES_SUCCESS) {
        ares_ = nullptr;
        return;
    }
    use_backend_sockets(ares_, *this);
    if (!settings_.servers.empty()) {
        status_ = ares_set_servers_ports_csv(ares_, settings_.servers.c_str());
    }
    if (status_ != ARES_SUCCESS) {
        ares_destroy(std::exchange(ares_, nullptr));
    }
}

channel::~channel() {
    if (ares_ != nullptr) {
        ares_destroy(ares_);  // answers what is still asked, and closes the sockets
    }
    loop_.alarms().disarm(alarm_);
}

void channel::ask(const std::string& name, address_families families, asker& waiting) {
    if (ares_ == nullptr) {
        waiting.error = error_of(status_);
        finish(waiting);
        return;
    }
    const auto [place, added] = questions_.try_emplace(key(name, families), *this);
    question& asked = place->second;
    asked.askers.push_back(waiting);
    if (!added) {
        return;
    }
    asked.what = &place->first;
    if (asked_ == asked_max) {
        waiting_.push_back(asked);
        return;
    }
    begin(asked);
    set_alarm();
}

void channel::begin(question& next) {
    ++asked_;
    ares_addrinfo_hints hints{};
    hints.ai_family = family_of(next.what->second);
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        ares_, next.what->first.c_str(), nullptr, &hints,
        [](void* argument, int status, int, ares_addrinfo* found) noexcept {
            auto& ended = *static_cast<question*>(argument);
            ended.owner.answered(ended, status, found);
            ares_freeaddrinfo(found);
        },
        &next);
}

void channel::begin_waiting() noexcept {
    while (asked_ < asked_max && !waiting_.empty()) {
        question& next = waiting_.pop_front();
        if (next.askers.empty()) {
            questions_.erase(questions_.find(*next.what));
        } else {
            begin(next);
        }
    }
}

// Called by c-ares, perhaps inside ask(). It may not be asked anything from here.
void channel::answered(question& asked, int status, const ares_addrinfo* found) noexcept {
    // No server was reached: there is a better word for it when we have run out of descriptors.
    std::error_code error = status == ARES_ECONNREFUSED && socket_error_ ? socket_error_ : error_of(status);
    std::vector<address> addresses;
    try {
        if (!error) {
            addresses = addresses_of(found);
            error = addresses.empty() ? dns_errc::no_address : std::error_code();
        }
        for (asker* each = asked.askers.first(); each != nullptr; each = asked.askers.next(*each)) {
            each->addresses = addresses;
        }
    } catch (const std::exception&) {
        error = std::make_error_code(std::errc::not_enough_memory);
    }
    while (!asked.askers.empty()) {
        asker& next = asked.askers.pop_front();
        next.error = error;
        finish(next);
    }
    questions_.erase(questions_.find(*asked.what));
    --asked_;
}

void channel::finish(asker& waiting) noexcept {
    if (waiting.task != nullptr) {
        loop_.finish(waiting);
    } else {
        waiting.end = wait_end::finished;  // it was answered at once, before it suspended
    }
}

result<int> channel::open_socket(int family, int type, int protocol) noexcept {
    const result<int> opened = loop_.io().sockets().open(family, type, protocol);
    socket_error_ = opened.error();
    return opened;
}

void channel::close_socket(int fd) noexcept {
    for (watch* next = watches_.first(); next != nullptr;) {
        watch& each = *next;
        next = watches_.next(each);
        if (each.fd == fd) {
            each.unlink();
            each.owner = nullptr;
        }
    }
    loop_.io().retire(fd);
}

void channel::want(int fd, bool readable, bool writable) noexcept {
    try {
        want_one(fd, false, readable);
        want_one(fd, true, writable);
    } catch (const std::bad_alloc&) {  // nobody watches: the query times out
        socket_error_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

void channel::want_one(int fd, bool writes, bool wanted) {
    for (watch* each = watches_.first(); each != nullptr; each = watches_.next(*each)) {
        if (each->fd == fd && each->writes == writes) {
            each->wanted = wanted;
            return;
        }
    }
    if (wanted) {
        auto added = std::make_unique<watch>(*this, fd, writes);
        watches_.push_back(*added);
        spawn_call(loop_.background(), std::source_location::current(), drive, std::move(added));
    }
}

task<> channel::drive(std::unique_ptr<watch> self) {
    while (self->owner != nullptr && self->wanted) {
        readiness_awaiter readiness = self->writes ? writable(self->fd) : readable(self->fd);
        const result<void> ready = co_await as_result(readiness);
        if (!ready) {
            co_return;  // closed meanwhile; or not to be watched, and then the query times out
        }
        if (self->owner != nullptr && self->wanted) {
            self->owner->process(self->writes ? ARES_SOCKET_BAD : self->fd,
                                 self->writes ? self->fd : ARES_SOCKET_BAD);
        }
    }
}

void channel::process(int readable, int writable) noexcept {
    ares_process_fd(ares_, readable, writable);
    begin_waiting();
    set_alarm();
}

void channel::set_alarm() noexcept {
    timeval left{};
    if (ares_timeout(ares_, nullptr, &left) == nullptr) {
        loop_.alarms().disarm(alarm_);
        return;
    }
    // c-ares has another clock; a time that has just not come there is looked at again a little later.
    const auto wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    loop_.alarms().arm(alarm_,
                       after(loop_.io().now(), std::max<duration>(wait, std::chrono::milliseconds(1))));
}

}  // namespace leat::detail
