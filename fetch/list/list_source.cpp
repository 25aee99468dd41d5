// SPDX-License-Identifier: MIT
#include <fetch/list/list_source.hpp>

#include <leat/fd.hpp>
#include <leat/io.hpp>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fetch {
namespace {

constexpr std::size_t list_block = 65536;

// Where standard input stands, if that is a regular file.
std::optional<std::uint64_t> place_in_file() {
    struct stat about{};
    if (::fstat(STDIN_FILENO, &about) != 0 || !S_ISREG(about.st_mode)) {
        return std::nullopt;
    }
    const off_t place = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    return place < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(place));
}

// A FIFO, whose writer may come later, or a terminal.
leat::pipe_reader opened_pipe(const std::string& name) {
    const leat::fd opened(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) {
        throw std::system_error(errno, std::system_category(), name);
    }
    return leat::pipe_reader::from_shared_fd(opened.get());
}

}  // namespace

leat::task<list_source> list_source::open(std::string name) {
    const bool standard = name == "-";
    list_source made(standard ? "standard input" : name);
    const auto place = standard ? place_in_file() : 0;
    if (place.has_value()) {
        auto opened = co_await leat::as_result(leat::file::open(standard ? "/proc/self/fd/0" : name));
        if (opened.ok()) {
            made.file_ = std::move(*opened);
            made.offset_ = *place;
            made.buffer_.resize(list_block);
            co_return made;
        }
        if (!standard && opened.error() != std::errc::operation_not_supported) {
            throw std::system_error(opened.error(), made.name_);
        }
    }
    made.pipe_ = standard ? leat::pipe_reader::standard_input() : opened_pipe(name);
    co_return made;
}

leat::task<std::string_view> list_source::read() {
    std::error_code failed;
    if (pipe_.is_open()) {
        auto received = co_await leat::as_result(pipe_.recv_chunk());
        if (received.ok()) {
            chunk_ = std::move(*received);
            co_return chunk_.text();
        }
        failed = received.error();
    } else {
        const auto count = co_await leat::as_result(file_.read_at(offset_, buffer_));
        if (count.ok()) {
            offset_ += *count;
            co_return std::string_view(buffer_).substr(0, *count);
        }
        failed = count.error();
    }
    throw std::system_error(failed, name_);
}

}  // namespace fetch
