// SPDX-License-Identifier: MIT
// peer_of: the other side of a stream of any kind, where it has an IP address. Used by serve(),
// the HTTP server and any_stream.
#pragma once

#include <leat/endpoint.hpp>

#include <optional>

namespace leat::detail {

template <typename Stream>
std::optional<endpoint> peer_of(const Stream& stream) {
    if constexpr (requires { std::optional<endpoint>(stream.remote_endpoint()); }) {
        return std::optional<endpoint>(stream.remote_endpoint());
    } else {
        return std::nullopt;
    }
}

}  // namespace leat::detail
