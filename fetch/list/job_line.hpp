// SPDX-License-Identifier: MIT
// read_job_line: a line of a list of URLs, as a job.
//
//   https://example.org/a.iso<TAB>out=iso/a.iso<TAB>checksum=sha-256=2cf2...<TAB>mirror=https://b.org/a.iso
//
// Behind the URL come options, each after a tab:
//   out=PATH            of the file, below the output folder
//   checksum=KIND=HEX   that the file must have
//   size=BYTES          that it must have
//   mirror=URL          where it is, too; any number of them, in the order in which to try them. What begins
//                       with http:// or https:// is one without "mirror=", as in lists of aria2
//   header=NAME: VALUE  that goes with its requests; any number of them
//   referer=URL, user-agent=TEXT  the same for these two
// Blank lines and those that begin with # are no jobs; blanks around a line and around an option, and byte
// order marks in front of a line, do not count.
#pragma once

#include <fetch/list/job.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

// Where it stands, for what is said of mistakes. Number 0: no line, but an argument.
struct line_place {
    std::string_view list;
    std::uint64_t number = 0;
};

// "urls.txt:12: http://h/a: what is wrong", as one line of ASCII, without passwords and not too long.
[[nodiscard]] std::string mistake_at(const line_place& place, std::string_view url, std::string_view what);

// The job of a line, which comes without its end; nothing when it has none. What cannot be understood makes
// job::mistake, never a job that does something else. The job has no number.
[[nodiscard]] std::optional<job> read_job_line(std::string_view line, const line_place& place);

// The job of an argument: a URL without options.
[[nodiscard]] job job_of_argument(std::string_view argument);

}  // namespace fetch
