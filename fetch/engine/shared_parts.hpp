// SPDX-License-Identifier: MIT
// shared_parts: what all transfers of a run share. Made by the run.
#pragma once

#include <fetch/engine/host_shares.hpp>
#include <fetch/engine/listed_checksums.hpp>
#include <fetch/engine/observer.hpp>
#include <fetch/engine/rate_limit.hpp>
#include <fetch/engine/settings.hpp>
#include <fetch/files/output_folder.hpp>

#include <leat/http/client.hpp>

#include <map>
#include <optional>
#include <string>

namespace fetch {

struct shared_parts {
    const settings& how;
    leat::http::client& client;
    observer& told;
    host_shares shares;
    rate_limit rate{how.limits.rate, how.limits.burst};
    std::map<std::string, rate_limit> host_rates = {};
    std::optional<output_folder> folder = {};  // none: bytes are only counted
    run_totals totals = {};
    listed_checksums checksums = {};  // that files must have

    // Of one host; null: it has none.
    [[nodiscard]] rate_limit* rate_of(const std::string& host) {
        return how.limits.rate_per_host == 0
                   ? nullptr
                   : &host_rates.try_emplace(host, how.limits.rate_per_host, how.limits.burst).first->second;
    }
};

}  // namespace fetch
