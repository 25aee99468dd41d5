// SPDX-License-Identifier: MIT
// resolve() of a library that was built without c-ares: IP addresses work, names say why they do not.
#include <leat/dns/resolve.hpp>

#include <leat/dns/host_name.hpp>

namespace leat {

task<std::vector<address>> resolve(std::string host, resolve_options options) {
    if (auto literal = detail::literal_answer(host, options.families)) {
        co_return std::move(*literal);
    }
    const bool is_name = !detail::name_to_ask(host).empty();
    throw std::system_error(is_name ? dns_errc::unsupported : dns_errc::malformed_name,
                            "resolve " + detail::printable(host));
}

}  // namespace leat
