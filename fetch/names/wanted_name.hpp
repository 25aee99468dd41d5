// SPDX-License-Identifier: MIT
// wanted_name: what a job's file is to be called. The engine asks; fetch/files finds the free name that is
// next to it.
#pragma once

#include <fetch/list/job.hpp>
#include <fetch/names/name_settings.hpp>

#include <leat/http/message.hpp>
#include <leat/http/url.hpp>

#include <string>

namespace fetch {

// A relative path below the output folder, with "/" between its parts: it is never empty, has no part that is
// "", "." or "..", and no part looks unfinished (reserved.hpp). It is
//   * what the job asks for (job::output), if it does;
//   * else, by the settings, the name of the URL, or host/path/name as on the site, or what the pattern
//   makes.
// With name_settings::content_disposition the name that the answer says, if there is one and it says one, is
// in the place of that of the URL. `asked` is the URL of the job, not where a redirect has led: a server does
// not choose names unless told. A pattern is sound (name_pattern.hpp).
[[nodiscard]] std::string wanted_name(const name_settings& by, const job& of, const leat::http::url& asked,
                                      const leat::http::response* answer);

}  // namespace fetch
