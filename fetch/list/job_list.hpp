// SPDX-License-Identifier: MIT
// job_list: all jobs of a run in their order, read while they are asked for: the URLs that are arguments,
// then those of lists (job_line.hpp) and Metalink files (metalink.hpp). It holds one block of a list at a
// time, so a list may have any length, and a job is given as soon as its line has come.
//
// A list is UTF-8, with or without a byte order mark; its lines end with LF, CR LF or CR. A file is a
// Metalink document if its name ends in .meta4 or its first character is "<".
#pragma once

#include <fetch/list/job.hpp>
#include <fetch/list/line_splitter.hpp>
#include <fetch/list/list_source.hpp>
#include <fetch/list/metalink.hpp>

#include <leat/task.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fetch {

// A list that is being read.
class open_list {
public:
    // "-" is standard input. Throws std::system_error that names it.
    [[nodiscard]] static leat::task<open_list> open(std::string name);

    // A job whose bytes have been read; nothing: there are not enough.
    [[nodiscard]] std::optional<job> take();
    // Reads more; false: there is no more, and take() gives what is left. Cancelled: nothing is lost. Throws
    // std::system_error and std::runtime_error that name the list; it is over then.
    [[nodiscard]] leat::task<bool> read_more();
    [[nodiscard]] bool may_wait() const noexcept { return source_.may_wait(); }

private:
    enum class format : std::uint8_t { unknown, lines, metalink };

    explicit open_list(list_source source);
    void decide(std::string_view bytes);
    void add(std::string_view bytes);
    void end();
    [[nodiscard]] std::optional<job> job_of(const line_splitter::line& line) const;

    list_source source_;
    format format_ = format::unknown;
    std::string front_;  // what has been read of it until then
    line_splitter lines_;
    std::optional<metalink_reader> metalink_;
    bool ended_ = false;
    std::exception_ptr failed_;  // behind what take() still gives
};

class job_list {
public:
    // `files` are paths; "-" is standard input.
    job_list(std::vector<std::string> arguments, std::vector<std::string> files)
        : arguments_(std::move(arguments)), files_(std::move(files)) {}

    // The next job, numbered from 1; nothing at the end. A line that cannot be understood is a job with a
    // mistake. Throws std::system_error or std::runtime_error, one line that names the list, for one that
    // cannot be read, is in UTF-16 or no Metalink document; the next call goes on with the next list. One
    // call at a time. Cancelled: nothing is lost, the next call goes on.
    [[nodiscard]] leat::task<std::optional<job>> next();
    // From now on the end of a pipe, or of another list that may have none, is where it has been read to. A
    // line of it that is not whole is left out.
    void wait_no_more() noexcept { waits_ = false; }

private:
    [[nodiscard]] std::optional<job> take();
    [[nodiscard]] leat::task<> read_more();

    std::vector<std::string> arguments_;
    std::size_t next_argument_ = 0;
    std::vector<std::string> files_;
    std::size_t next_file_ = 0;
    std::optional<open_list> list_;
    std::uint64_t number_ = 0;
    bool waits_ = true;
};

}  // namespace fetch
