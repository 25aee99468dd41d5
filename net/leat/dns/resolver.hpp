// SPDX-License-Identifier: MIT
// resolver: what one scheduler has of name resolution, a channel of c-ares for each set of options in use.
// It is a service of the scheduler: made at the first look-up, gone with the run.
#pragma once

#include <leat/dns/channel.hpp>

#include <memory>
#include <vector>

namespace leat::detail {

class resolver final : public service {
public:
    explicit resolver(scheduler& loop) noexcept : loop_(loop) {}

    // The channel for these options, with /etc/resolv.conf as it is now. It lives until the next call, and
    // on while it is asked something.
    [[nodiscard]] channel& channel_for(const resolve_options& options);

private:
    scheduler& loop_;
    std::vector<std::unique_ptr<channel>> channels_;
};

}  // namespace leat::detail
