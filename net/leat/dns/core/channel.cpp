// SPDX-License-Identifier: MIT
#include <leat/dns/core/channel.hpp>

#include <leat/endpoint.hpp>
#include <leat/io.hpp>
#include <leat/spawn.hpp>

#include <algorithm>
#include <climits>
#include <memory>
#include <new>
#include <set>
#include <utility>

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

// Each address once, in order; the first so many of them.
std::vector<address> addresses_of(const ares_addrinfo* found) {
    std::vector<address> addresses;
    std::set<address> known;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
        const leat::address next = endpoint::from_sockaddr(node->ai_addr, node->ai_addrlen).address();
        if (known.insert(next).second) {
            addresses.push_back(next);
        }
        if (addresses.size() == channel::addresses_max) {
            break;
        }
    }
    return addresses;
}

// Of records that are not a server's, such as those of /etc/hosts, it is zero.
duration lifetime_of(const ares_addrinfo* found) noexcept {
    int least = found->nodes != nullptr ? found->nodes->ai_ttl : 0;
    for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
        least = std::min(least, node->ai_ttl);
    }
    for (const ares_addrinfo_cname* alias = found->cnames; alias != nullptr; alias = alias->next) {
        least = std::min(least, alias->ttl);
    }
    return std::chrono::seconds(std::max(least, 0));  // RFC 2181 8
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

// Begins with any of the servers (resolv.conf(5), rotate). An older c-ares goes on from the last one of the
// same channel: a new one would always begin with the first.
#if ARES_VERSION < 0x012200
int rotate_servers(ares_channeldata* ares, std::uint64_t chance) noexcept {
    ares_addr_port_node* first = nullptr;
    const int status = ares_get_servers_ports(ares, &first);
    std::size_t count = 0;
    ares_addr_port_node* last = nullptr;
    for (ares_addr_port_node* each = first; each != nullptr; each = each->next) {
        last = each;
        ++count;
    }
    if (status != ARES_SUCCESS || count < 2) {
        ares_free_data(first);
        return status;
    }
    ares_addr_port_node* end = last;
    for (std::size_t left = chance % count; left > 0; --left) {
        end = end == last ? first : end->next;
    }
    ares_addr_port_node* const begin = end->next != nullptr ? end->next : first;
    last->next = first;
    end->next = nullptr;
    const int set = ares_set_servers_ports(ares, begin);
    last->next = nullptr;
    end->next = end == last ? nullptr : begin;
    ares_free_data(first);
    return set;
}
#else
int rotate_servers(ares_channeldata*, std::uint64_t) noexcept {
    return ARES_SUCCESS;
}
#endif

}  // namespace

channel::alarm::alarm(channel& owned_by) noexcept
    : timer([](timer& self) noexcept {
          static_cast<alarm&>(self).owner.process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      }),
      owner(owned_by) {}

channel::channel(scheduler& loop, listener& told) noexcept : loop_(loop), told_(told), alarm_(*this) {}

channel::~channel() {
    answered_ = true;
    if (ares_ != nullptr) {
        ares_destroy(ares_);  // closes the sockets
    }
    loop_.alarms().disarm(alarm_);
}

bool channel::ask(const std::string& name, address_families families,
                  const channel_settings& settings) noexcept {
    if (const int status = open(settings); status != ARES_SUCCESS) {
        take(status, nullptr);
        return true;
    }
    families_ = families;
    ares_addrinfo_hints hints{};
    hints.ai_family = family_of(families);
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(
        ares_, name.c_str(), nullptr, &hints,
        [](void* argument, int status, int, ares_addrinfo* found) noexcept {
            static_cast<channel*>(argument)->take(status, found);
            ares_freeaddrinfo(found);
        },
        this);
    set_alarm();
    return answered_;
}

// Nobody would look at the servers again.
void channel::give_up_for_memory() noexcept {
    if (!std::exchange(answered_, true)) {
        error_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

int channel::open(const channel_settings& settings) noexcept {
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) {
        return library;
    }
    ares_options options{};
    int set = ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    options.sock_state_cb_data = this;
    options.sock_state_cb = [](void* data, ares_socket_t fd, int readable, int writable) noexcept {
        static_cast<channel*>(data)->want(fd, readable != 0, writable != 0);
    };
    options.flags = ARES_FLAG_EDNS;
    options.flags |= settings.servers.empty() ? 0 : ARES_FLAG_NOSEARCH;
    options.flags |= settings.over_tcp ? ARES_FLAG_USEVC : 0;
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(settings.timeout);
    options.timeout = static_cast<int>(std::min<std::int64_t>(whole.count(), INT_MAX));
    options.tries = settings.tries;
    // What later versions do otherwise unless they are told: one behaviour with each of them.
#ifdef ARES_OPT_QUERY_CACHE
    set |= ARES_OPT_QUERY_CACHE;  // of 0 seconds
#endif
#ifdef ARES_OPT_MAXTIMEOUTMS
    set |= ARES_OPT_MAXTIMEOUTMS;
    options.maxtimeout = INT_MAX;
#endif
#ifdef ARES_OPT_UDP_MAX_QUERIES
    set |= ARES_OPT_UDP_MAX_QUERIES;  // another port for the other family, and for the next try
    options.udp_max_queries = 1;
#endif
    int status = ares_init_options(&ares_, &options, set);
    if (status != ARES_SUCCESS) {
        ares_ = nullptr;
        return status;
    }
    use_backend_sockets(ares_, *this);
    if (!settings.servers.empty()) {
        status = ares_set_servers_ports_csv(ares_, settings.servers.c_str());
    } else if (settings.rotate) {
        status = rotate_servers(ares_, loop_.io().random());
    }
    return status;
}

// Called by c-ares, perhaps inside ask(), and when it is destroyed. It may not be asked anything from here.
void channel::take(int status, const ares_addrinfo* found) noexcept {
    if (std::exchange(answered_, true)) {
        return;
    }
    error_ = error_of(status);
    try {
        if (!error_) {
            addresses_ = addresses_of(found);
            error_ = addresses_.empty() ? dns_errc::no_address : std::error_code();
            lifetime_ = std::min(lifetime_of(found), missing_holds());
        } else if (error_ == dns_errc::no_such_host || error_ == dns_errc::no_address) {
            lifetime_ = missing_holds();
        }
    } catch (const std::bad_alloc&) {
        error_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

// How long it holds that there are no addresses of a family that is asked for. c-ares takes what it has got
// of one family for the whole answer when the server has failed to answer for the other one.
duration channel::missing_holds() const noexcept {
    const bool has_ipv4 = std::ranges::any_of(addresses_, &address::is_ipv4);
    const bool has_ipv6 = std::ranges::any_of(addresses_, &address::is_ipv6);
    duration holds = duration::max();
    if (!has_ipv4 && families_ != address_families::ipv6) {
        holds = std::min(holds, seen_.no_ipv4_for());
    }
    if (!has_ipv6 && families_ != address_families::ipv4) {
        holds = std::min(holds, seen_.no_ipv6_for());
    }
    return holds;
}

std::error_code channel::error_of(int status) const noexcept {
    switch (status) {
        case ARES_SUCCESS:
            return {};
        case ARES_ENOTFOUND:
            return dns_errc::no_such_host;
        case ARES_ENODATA:
            return seen_.malformed() ? dns_errc::malformed_answer : dns_errc::no_address;
        case ARES_ETIMEOUT:
            return dns_errc::timed_out;
        case ARES_EREFUSED:
            return dns_errc::refused;
        case ARES_EBADNAME:
            return dns_errc::malformed_name;
        case ARES_EBADRESP:
            return dns_errc::malformed_answer;
        case ARES_ENOMEM:
            return std::make_error_code(std::errc::not_enough_memory);
        case ARES_ECONNREFUSED:
            // No server was reached: there is a better word for it when we have run out of descriptors.
            return socket_error_ ? socket_error_ : dns_errc::temporary_failure;
        default:
            return dns_errc::temporary_failure;
    }
}

result<int> channel::open_socket(int family, int type, int protocol) noexcept {
    if (++unused_sockets_ > compared_max) {
        return errno_code(EAFNOSUPPORT);  // what an address is like to which there is no way
    }
    const result<int> opened = loop_.io().sockets().open(family, type, protocol);
    socket_error_ = opened.error();
    return opened;
}

void channel::stream_ended(int fd) noexcept {
    seen_.stream_ended();
    ended_stream_ = fd;
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
    if (ended_stream_ == fd) {
        ended_stream_ = -1;
    }
    loop_.io().retire(fd);
}

void channel::want(int fd, bool readable, bool writable) noexcept {
    try {
        want_one(fd, false, readable);
        want_one(fd, true, writable);
    } catch (const std::bad_alloc&) {
        short_of_memory_ = true;  // c-ares is asked nothing from here
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
        spawn_call(loop_.background(), std::source_location::current(), drive(std::move(added)));
    }
}

task<> channel::drive(std::unique_ptr<watch> self) {
    while (self->owner != nullptr && self->wanted) {
        readiness_awaiter readiness = self->writes ? writable(self->fd) : readable(self->fd);
        result<void> ready;
        try {
            ready = co_await as_result(readiness);
        } catch (const std::bad_alloc&) {
            ready = std::make_error_code(std::errc::not_enough_memory);
        }
        if (!ready) {  // closed meanwhile; or not to be watched, and then the query times out
            if (self->owner != nullptr && ready.error() == std::errc::not_enough_memory) {
                self->owner->short_of_memory_ = true;
                self->owner->go_on();
            }
            co_return;
        }
        if (self->owner != nullptr && self->wanted) {
            self->owner->process(self->writes ? ARES_SOCKET_BAD : self->fd,
                                 self->writes ? self->fd : ARES_SOCKET_BAD);
        }
    }
}

void channel::process(int readable, int writable) noexcept {
    ares_process_fd(ares_, readable, writable);
    if (!answered_ && ended_stream_ >= 0) {
        // c-ares 1.34.9 forgets the end of a connection that comes inside a message, and goes on reading it.
        ares_cancel(ares_);
    }
    go_on();
}

void channel::go_on() noexcept {
    set_alarm();
    if (answered_) {
        told_.answered(*this);
    }
}

void channel::set_alarm() noexcept {
    if (short_of_memory_) {
        give_up_for_memory();
    }
    timeval left{};
    if (answered_ || ares_timeout(ares_, nullptr, &left) == nullptr) {
        loop_.alarms().disarm(alarm_);
        return;
    }
    // c-ares has another clock; a time that has just not come there is looked at again a little later.
    const auto wait = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    try {
        loop_.alarms().arm(alarm_,
                           after(loop_.io().now(), std::max<duration>(wait, std::chrono::milliseconds(1))));
    } catch (const std::bad_alloc&) {
        give_up_for_memory();
    }
}

}  // namespace leat::detail
