// SPDX-License-Identifier: MIT
// disposition_name: the name of a file that the field Content-Disposition of an answer says (RFC 6266).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fetch {

// In UTF-8, as far as the server sends that, and without the folders in front of it; else as the server says:
// it goes through safe_name(). Of "filename*" (RFC 8187; UTF-8 and ISO-8859-1) if that is sound, else of
// "filename", in which bytes that are no UTF-8 are ISO-8859-1. What many servers send though it is not
// allowed is understood: a name with spaces without quotes, a missing quote at the end, no disposition type.
// Nothing when it says no name.
[[nodiscard]] std::optional<std::string> disposition_name(std::string_view field);

}  // namespace fetch
