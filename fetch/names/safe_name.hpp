// SPDX-License-Identifier: MIT
// safe_name and safe_path: what strangers would like a file to be called, made a name that does no harm. All
// names of files go through here.
#pragma once

#include <string>
#include <string_view>

namespace fetch {

// Who has chosen a name: a server or a Metalink file, or the user. The user may have hidden files, and names
// that begin with a dash.
enum class named_by : bool { stranger, user };

// A name that is no path, not empty, not "." or "..", and of at most name_max bytes (reserved.hpp): it is cut
// between two characters, before its extension if that is short. Slashes, backslashes, controls, characters
// that change the order in which text is shown, and what is no UTF-8 become "_", and so does a dot or a dash
// at the front. It never looks unfinished: "x.part" becomes "x.part_". A safe name stays as it is.
[[nodiscard]] std::string safe_name(std::string_view wanted, named_by whom = named_by::stranger);

// A relative path of safe names. Empty ones, "." and ".." are left out. Of a path that is very long or deep
// some folders in the middle are left out.
[[nodiscard]] std::string safe_path(std::string_view wanted, named_by whom = named_by::stranger);

}  // namespace fetch
