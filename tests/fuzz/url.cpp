// SPDX-License-Identifier: MIT
// Text from a stranger as a URL, as a Location, and as an endpoint: what is accepted can be put into a
// request and says the same when it is written and read again, in a log without its credentials.
#include <leat/check.hpp>
#include <leat/endpoint.hpp>
#include <leat/http/core/text.hpp>
#include <leat/http/url.hpp>

using leat::http::url;

namespace {

void check_url(const url& accepted) {
    leat::check(leat::http::detail::is_request_target(accepted.request_target()), "a target can be sent");
    leat::check(accepted.request_target().starts_with('/'), "a target begins with a slash");
    leat::check(!accepted.host().empty() && accepted.port() != 0, "there is somewhere to connect to");
    leat::check(leat::http::detail::is_field_value(accepted.authority()), "a Host field can hold it");
    const auto again = url::try_parse(accepted.to_string());
    leat::check(again.ok(), "what is written can be read");
    leat::check(again->to_string() == accepted.to_string(), "and says the same");
    leat::check(again->origin() == accepted.origin(), "and leads to the same server");
    leat::check(url::try_parse(accepted.href()).ok() && url::parse(accepted.href()) == accepted,
                "all of it can be read again");
    std::string shown = accepted.to_string() + accepted.fragment();
    if (accepted.has_credentials()) {
        shown.insert(shown.find("//") + 2, "***@");
    }
    leat::check(leat::http::printable_url(accepted.href()) == shown, "no credentials are shown");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::string_view text(reinterpret_cast<const char*>(data), size);
    text.remove_suffix(text.ends_with('\n') ? 1 : 0);  // the last byte of a seed's file
    static const url base = url::parse("https://joe:pw@example.org:8443/a/b?c");
    if (const auto parsed = url::try_parse(text)) {
        check_url(*parsed);
        static_cast<void>(parsed->credentials());
    }
    if (const auto resolved = base.try_resolve(text)) {
        check_url(*resolved);
    }
    if (const auto parsed = leat::endpoint::try_parse(text)) {
        leat::check(leat::endpoint::parse(parsed->to_string()) == *parsed, "an endpoint survives its text");
    }
    return 0;
}
