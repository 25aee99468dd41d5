// SPDX-License-Identifier: MIT
// getaddrinfo, getnameinfo, gethostbyname, gethostbyname_r, res_query: each runs on a thread of the pool,
// also because it takes more of a stack than a small fibre has.
#include <leat/fibre/await.hpp>
#include <leat/fibre/hooks/core/descriptor_call.hpp>
#include <leat/fibre/hooks/core/hooks.hpp>
#include <leat/from_callback.hpp>
#include <leat/threads/offload.hpp>

#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace leat::detail {

namespace {

// What `wait()` gives; nothing when it was refused or could not be, and then errno says why.
template <typename Wait>
bool wait_or_fail(Wait wait) noexcept {
    if (is_refused()) {
        return false;
    }
    try {
        wait();
        return true;
    } catch (const fibre_cancelled&) {
        errno = ECANCELED;
    } catch (const std::system_error& error) {
        errno = error.code() == std::errc::operation_canceled ? ECANCELED : EAGAIN;
    } catch (const std::bad_alloc&) {
        errno = ENOMEM;
    }
    return false;
}

// What `look_up`, which owns all that it needs, gives on a thread of the pool. Cancelled it is abandoned: it
// may take long, and what it gives is dropped.
template <typename Answer, typename LookUp>
bool look_up_elsewhere(Answer& answer, LookUp look_up) noexcept {
    return wait_or_fail([&] {
        std::optional<callback<Answer>> answered;
        answer = leat::await(from_callback_anywhere<Answer>(
            [&](callback<Answer> done) {
                answered = done;
                offload_detached([done = std::move(done), look_up = std::move(look_up)] { done(look_up()); });
            },
            [&] { answered->fail(std::make_error_code(std::errc::operation_canceled)); }));
    });
}

struct free_addresses {
    void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

struct addresses {
    int result = EAI_SYSTEM;
    int error = 0;
    std::unique_ptr<addrinfo, free_addresses> list;
};

struct address_query {
    std::optional<std::string> host;
    std::optional<std::string> service;
    std::optional<addrinfo> hints;

    addresses operator()() const {
        addrinfo* list = nullptr;
        addresses answer;
        answer.result = real.getaddrinfo(host ? host->c_str() : nullptr, service ? service->c_str() : nullptr,
                                         hints ? &*hints : nullptr, &list);
        answer.error = errno;
        answer.list.reset(answer.result == 0 ? list : nullptr);
        return answer;
    }
};

struct names {
    int result = EAI_SYSTEM;
    int error = 0;
    std::string host;
    std::string service;
};

struct name_query {
    sockaddr_storage address;
    socklen_t size;
    std::size_t host_room;
    std::size_t service_room;
    int flags;

    names operator()() const {
        names answer;
        answer.host.resize(host_room);
        answer.service.resize(service_room);
        answer.result = real.getnameinfo(
            reinterpret_cast<const sockaddr*>(&address), size, host_room > 0 ? answer.host.data() : nullptr,
            static_cast<socklen_t>(host_room), service_room > 0 ? answer.service.data() : nullptr,
            static_cast<socklen_t>(service_room), flags);
        answer.error = errno;
        return answer;
    }
};

std::optional<std::string> text_of(const char* text) {
    return text != nullptr ? std::optional<std::string>(text) : std::nullopt;
}

// These write to what the caller gave them, and so are waited for to their end. errno and h_errno are those
// of the other thread.
template <typename Result, typename LookUp>
Result wait_for_elsewhere(Result refused, LookUp look_up) noexcept {
    Result result = refused;
    int error = 0;
    int host_error = 0;
    if (!wait_or_fail([&] {
            leat::await(offload([&] {
                result = look_up();
                error = errno;
                host_error = h_errno;
            }));
        })) {
        h_errno = NETDB_INTERNAL;
        return refused;
    }
    errno = error;
    h_errno = host_error;
    return result;
}

// The settings of the resolver belong to a thread (resolver(3)): what the caller has set in `_res` holds for
// its query on the other thread, too. A copy of the whole would share what is private to it.
int query_as(const struct __res_state& caller, const char* name, int kind, int type, unsigned char* answer,
             int size) {
    if ((caller.options & RES_INIT) == 0) {
        return real.res_query(name, kind, type, answer, size);
    }
    struct __res_state own{};
    if (::res_ninit(&own) != 0) {
        h_errno = NETDB_INTERNAL;
        return -1;
    }
    own.options = caller.options;
    own.retrans = caller.retrans;
    own.retry = caller.retry;
    own.nscount = caller.nscount;
    for (int i = 0; i < MAXNS; ++i) {
        if (caller.nsaddr_list[i].sin_family != 0) {  // those of IPv6 are private, and come from resolv.conf
            own.nsaddr_list[i] = caller.nsaddr_list[i];
        }
    }
    const int result = ::res_nquery(&own, name, kind, type, answer, size);
    ::res_nclose(&own);
    return result;
}

}  // namespace

extern "C" {

int leat_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** list) {
    if (!in_fibre()) [[likely]] {
        return real.getaddrinfo(host, service, hints, list);
    }
    addresses answer;
    try {
        address_query query{text_of(host), text_of(service),
                            hints != nullptr ? std::optional<addrinfo>(*hints) : std::nullopt};
        if (!look_up_elsewhere(answer, std::move(query))) {
            return errno == ENOMEM ? EAI_MEMORY : EAI_SYSTEM;
        }
    } catch (const std::bad_alloc&) {
        return EAI_MEMORY;
    }
    errno = answer.error;
    if (answer.result == 0) {
        *list = answer.list.release();
    }
    return answer.result;
}

int leat_getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_room, char* service,
                     socklen_t service_room, int flags) {
    name_query query{{}, size, host != nullptr ? host_room : 0, service != nullptr ? service_room : 0, flags};
    if (!in_fibre() || size > sizeof query.address) [[likely]] {
        return real.getnameinfo(address, size, host, host_room, service, service_room, flags);
    }
    std::memcpy(&query.address, address, size);
    names answer;
    if (!look_up_elsewhere(answer, query)) {
        return errno == ENOMEM ? EAI_MEMORY : EAI_SYSTEM;
    }
    errno = answer.error;
    if (answer.result == 0) {
        answer.host.copy(host, query.host_room);
        answer.service.copy(service, query.service_room);
    }
    return answer.result;
}

hostent* leat_gethostbyname(const char* name) {
    if (!in_fibre()) [[likely]] {
        return real.gethostbyname(name);
    }
    return wait_for_elsewhere<hostent*>(nullptr, [=] { return real.gethostbyname(name); });
}

int leat_gethostbyname_r(const char* name, hostent* into, char* buffer, std::size_t size, hostent** found,
                         int* error) {
    if (!in_fibre()) [[likely]] {
        return real.gethostbyname_r(name, into, buffer, size, found, error);
    }
    const int result =
        wait_for_elsewhere(-1, [=] { return real.gethostbyname_r(name, into, buffer, size, found, error); });
    if (result < 0) {
        *found = nullptr;
        *error = NETDB_INTERNAL;
        return errno;
    }
    return result;
}

int leat_res_query(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
    if (!in_fibre()) [[likely]] {
        return real.res_query(name, kind, type, answer, size);
    }
    const struct __res_state settings = _res;
    return wait_for_elsewhere(-1, [&] { return query_as(settings, name, kind, type, answer, size); });
}

decltype(leat_getaddrinfo) interposed_getaddrinfo __asm__("getaddrinfo")
    __attribute__((alias("leat_getaddrinfo")));
decltype(leat_gethostbyname) interposed_gethostbyname __asm__("gethostbyname")
    __attribute__((alias("leat_gethostbyname")));
decltype(leat_gethostbyname_r) interposed_gethostbyname_r __asm__("gethostbyname_r")
    __attribute__((alias("leat_gethostbyname_r")));
decltype(leat_getnameinfo) interposed_getnameinfo __asm__("getnameinfo")
    __attribute__((alias("leat_getnameinfo")));
decltype(leat_res_query) interposed_res_query __asm__("res_query") __attribute__((alias("leat_res_query")));
}

}  // namespace leat::detail
