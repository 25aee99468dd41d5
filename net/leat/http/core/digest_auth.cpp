// SPDX-License-Identifier: MIT
#include <leat/http/core/digest_auth.hpp>

#include <leat/http/core/text.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <utility>

namespace leat::http::detail {
namespace {

void skip(std::string_view& text, std::string_view characters) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
}

std::string_view take_token(std::string_view& text) noexcept {
    const auto* const end = std::ranges::find_if_not(text, is_token_character);
    const std::string_view token = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(token.size());
    return token;
}

// What stands between quotes, which `text` begins with; nothing where they do not end.
std::optional<std::string> take_quoted(std::string_view& text) {
    std::string value;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            text.remove_prefix(at + 1);
            return value;
        }
        if (text[at] == '\\' && at + 1 < text.size()) {
            ++at;
        }
        value += text[at];
    }
    return std::nullopt;
}

// One part of a WWW-Authenticate field: the name of a scheme, or a parameter of the scheme before.
struct part {
    std::string_view name;
    std::optional<std::string> value;  // of a parameter
};

// Takes the next part; nothing at the end, or where the field is malformed (RFC 9110 11.2).
std::optional<part> take_part(std::string_view& text) {
    skip(text, " \t,");
    const std::string_view name = take_token(text);
    if (name.empty()) {
        return std::nullopt;
    }
    std::string_view behind = text;
    skip(behind, " \t");
    if (!behind.starts_with('=')) {
        return part{name, std::nullopt};
    }
    behind.remove_prefix(1);
    skip(behind, " \t");
    text = behind;
    if (!text.starts_with('"')) {
        return part{name, std::string(take_token(text))};
    }
    auto value = take_quoted(text);
    if (!value) {
        return std::nullopt;
    }
    return part{name, std::move(value)};
}

bool names_auth(std::string_view qop) noexcept {
    for (auto each = next_element(qop); !each.empty(); each = next_element(qop)) {
        if (equal_ignoring_case(each, "auth")) {
            return true;
        }
    }
    return false;
}

// A challenge as it is put together.
struct draft {
    digest_challenge made;
    bool known = true;  // no algorithm, and no qop, that is not spoken here
    bool has_nonce = false;

    void take(const part& given) {
        const std::string& value = *given.value;
        if (equal_ignoring_case(given.name, "realm")) {
            made.realm = value;
        } else if (equal_ignoring_case(given.name, "nonce")) {
            made.nonce = value;
            has_nonce = true;
        } else if (equal_ignoring_case(given.name, "opaque")) {
            made.opaque = value;
        } else if (equal_ignoring_case(given.name, "stale")) {
            made.stale = equal_ignoring_case(value, "true");
        } else if (equal_ignoring_case(given.name, "qop")) {
            made.auth = names_auth(value);
            known = known && made.auth;
        } else if (equal_ignoring_case(given.name, "algorithm")) {
            take_algorithm(value);
        }
    }
    void take_algorithm(std::string_view value) {
        made.algorithm_text = value;
        constexpr std::string_view of_session = "-sess";
        const std::size_t plain = value.size() - std::min(value.size(), of_session.size());
        made.session = equal_ignoring_case(value.substr(plain), of_session);
        const std::string_view name = made.session ? value.substr(0, plain) : value;
        if (equal_ignoring_case(name, "SHA-256")) {
            made.algorithm = digest_algorithm::sha256;
        } else {
            known = known && equal_ignoring_case(name, "MD5");
        }
    }
};

std::string quoted_text(std::string_view text) {
    std::string made = "\"";
    for (const char c : text) {
        made.append(c == '"' || c == '\\' ? "\\" : "").append(1, c);
    }
    return made + "\"";
}

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view each : parts) {
        text.append(each).append(":");
    }
    text.pop_back();
    return text;
}

}  // namespace

std::optional<digest_challenge> find_digest_challenge(const headers& fields) {
    std::optional<digest_challenge> best;
    const auto consider = [&best](draft& one) {
        if (one.known && one.has_nonce && (!best || best->algorithm < one.made.algorithm) &&
            hex_digest(one.made.algorithm, "")) {
            best = std::move(one.made);
        }
        one = draft();
    };
    for (std::string_view field : fields.get_all("WWW-Authenticate")) {
        draft one;
        bool of_digest = false;
        while (auto found = take_part(field)) {
            if (!found->value) {
                consider(one);
                of_digest = equal_ignoring_case(found->name, "Digest");
            } else if (of_digest) {
                one.take(*found);
            }
        }
        consider(one);
    }
    return best;
}

std::string digest_session::authorize(std::string_view credentials, std::string_view method,
                                      std::string_view target) {
    const auto hash = [this](std::initializer_list<std::string_view> parts) {
        return hex_digest(given_.algorithm, joined(parts)).value_or("");
    };
    const std::size_t colon = credentials.find(':');
    const std::string_view user = credentials.substr(0, colon);
    const std::string_view password = colon == credentials.npos ? "" : credentials.substr(colon + 1);
    std::array<char, 9> count{};
    (void)std::snprintf(count.data(), count.size(), "%08x", ++count_);

    std::string secret = hash({user, given_.realm, password});
    if (given_.session) {
        secret = hash({secret, given_.nonce, own_nonce_});
    }
    const std::string asked = hash({method, target});
    const std::string answer = given_.auth
                                   ? hash({secret, given_.nonce, count.data(), own_nonce_, "auth", asked})
                                   : hash({secret, given_.nonce, asked});

    std::string text = "Digest username=" + quoted_text(user) + ", realm=" + quoted_text(given_.realm) +
                       ", nonce=" + quoted_text(given_.nonce) + ", uri=" + quoted_text(target);
    if (!given_.algorithm_text.empty()) {
        text += ", algorithm=" + given_.algorithm_text;
    }
    text += ", response=\"" + answer + "\"";
    if (!given_.opaque.empty()) {
        text += ", opaque=" + quoted_text(given_.opaque);
    }
    if (given_.auth) {
        text.append(", qop=auth, nc=").append(count.data());
    }
    if (given_.auth || given_.session) {
        text += ", cnonce=" + quoted_text(own_nonce_);
    }
    return text;
}

}  // namespace leat::http::detail
