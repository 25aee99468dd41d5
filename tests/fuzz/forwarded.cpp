// SPDX-License-Identifier: MIT
// Bytes from a stranger as the fields Forwarded and X-Forwarded-For, behind which a trusted proxy adds whom
// it has the request from: that counts, and nothing of the stranger's.
#include "../support/sent_from.hpp"

#include <leat/check.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/forwarded.hpp>

#include <string>
#include <string_view>

using leat::check;
using leat::endpoint;
using leat::http::forwarded_request;
using leat::testing::sent_from;

namespace {

const leat::http::trusted_proxies ours{.networks = {leat::network::parse("10.0.0.0/8")}};
const endpoint proxy("10.0.0.1", 5);
const endpoint stranger("192.0.2.1", 0);

// Not one that is further left than the stranger.
void check_is_told(const forwarded_request& found, bool surely) {
    check(found.client == stranger || (!surely && found.hidden && found.client == proxy),
          "the proxy is believed");
    check(found.scheme == "http" && found.host == "a", "and nobody else");
}

void check_in_order(sent_from& connection) {
    for (const auto& found : {forwarded(connection.asked(), ours), x_forwarded(connection.asked(), ours)}) {
        check(found.client.has_value() && !found.scheme.empty(), "somebody has sent it, by some scheme");
        check(found.client == proxy || found.client->address().scope_id() == 0, "no zone is taken over");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (!leat::http::detail::is_field_value(bytes)) {
        return 0;
    }
    const std::string text(leat::http::detail::trim(bytes));
    sent_from connection(proxy);
    auto& fields = connection.asked().headers;
    fields = {{"Host", "a"}, {"Forwarded", text}, {"X-Forwarded-For", text}, {"X-Forwarded-Host", text}};
    check_in_order(connection);
    fields = {{"Host", "a"}, {"Forwarded", text}, {"Forwarded", "for=192.0.2.1"}};
    check_is_told(forwarded(connection.asked(), ours), true);
    fields = {{"Host", "a"}, {"Forwarded", text + ", for=192.0.2.1"}};
    check_is_told(forwarded(connection.asked(), ours), false);
    fields = {{"Host", "a"}, {"X-Forwarded-For", text + ", 192.0.2.1"}};
    check_is_told(x_forwarded(connection.asked(), ours), true);
    return 0;
}
