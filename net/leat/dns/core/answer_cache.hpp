// SPDX-License-Identifier: MIT
// answer_cache: what name servers have answered, for as long as the answer says that it holds: the time to
// live of its records (RFC 1035 3.2.1), and for what there is not the SOA record that comes with it (RFC 2308
// 5). Used by resolver only, which clears it when the system's files of names have changed.
//
// Invariant: at most entries_max answers are kept; the oldest one makes room.
#pragma once

#include <leat/address.hpp>
#include <leat/clock.hpp>
#include <leat/core/list.hpp>
#include <leat/dns/core/channel.hpp>
#include <leat/dns/resolve.hpp>

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <system_error>
#include <vector>

namespace leat::detail {

// What is asked, and how.
struct name_question {
    friend auto operator<=>(const name_question&, const name_question&) = default;

    std::string name;
    address_families families;
    channel_settings settings;
};

struct name_found {
    std::error_code error;
    std::vector<address> addresses;  // none if there is an error
};

class answer_cache {
public:
    static constexpr std::size_t entries_max = 1000;

    // What is known, unless it is older than `most`; else null. It is good until the next call.
    [[nodiscard]] const name_found* find(const name_question& asked, time_point now, duration most) noexcept;
    // Keeps an answer in place of an older one; not at all when it does not hold, or without memory.
    void keep(const name_question& asked, const name_found& answer, time_point now, duration holds) noexcept;
    void clear() noexcept;

private:
    struct entry : list_link {
        const name_question* asked = nullptr;
        name_found answer;
        time_point since;
        time_point until;
    };

    void erase(entry& old) noexcept;

    std::map<name_question, entry> entries_;
    list<entry> by_age_;  // the oldest first
};

}  // namespace leat::detail
