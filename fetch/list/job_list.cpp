// SPDX-License-Identifier: MIT
#include <fetch/list/job_list.hpp>

#include <fetch/list/job_line.hpp>

#include <leat/io.hpp>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

namespace fetch {
namespace {

constexpr std::size_t line_max = std::size_t{1} << 20;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

// What is behind the blanks and byte order marks at the front of a list. Some of a mark may be left.
std::string_view without_front(std::string_view text) noexcept {
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
        if (!text.starts_with(byte_order_mark)) {
            return text;
        }
        text.remove_prefix(byte_order_mark.size());
    }
}

}  // namespace

open_list::open_list(list_source source) : source_(std::move(source)), lines_(line_max) {
    if (source_.name().ends_with(".meta4")) {
        format_ = format::metalink;
        metalink_.emplace(source_.name());
    }
}

leat::task<open_list> open_list::open(std::string name) {
    list_source source = co_await list_source::open(std::move(name));
    co_return open_list(std::move(source));
}

// `bytes` are those at the front.
void open_list::decide(std::string_view bytes) {
    if (bytes.starts_with('\xff') ||
        bytes.starts_with('\xfe')) {  // of its byte order mark; UTF-8 has neither
        throw std::runtime_error(source_.name() + ": the list is in UTF-16, not in UTF-8");
    }
    const std::string_view rest = without_front(bytes);
    const bool half_a_mark = byte_order_mark.starts_with(rest);
    if (rest.starts_with('<')) {
        format_ = format::metalink;
        metalink_.emplace(source_.name());
    } else if (!half_a_mark || bytes.size() > line_max) {
        format_ = format::lines;
    }
}

void open_list::add(std::string_view bytes) {
    if (format_ == format::unknown) {
        front_ += bytes;
        decide(front_);
        bytes = format_ == format::metalink ? without_front(front_) : std::string_view(front_);
    }
    switch (format_) {
        case format::unknown:
            break;
        case format::lines:
            lines_.add(bytes);
            break;
        case format::metalink:
            metalink_->add(bytes);
            break;
    }
}

void open_list::end() {
    ended_ = true;
    switch (format_) {
        case format::unknown:
            format_ = format::lines;
            lines_.add(front_);
            break;
        case format::lines:
            break;
        case format::metalink:
            metalink_->end();
            break;
    }
}

leat::task<bool> open_list::read_more() {
    if (failed_ != nullptr) {
        std::rethrow_exception(failed_);
    }
    if (ended_) {
        co_return false;
    }
    const std::string_view bytes = co_await source_.read();
    try {
        bytes.empty() ? end() : add(bytes);
    } catch (...) {
        failed_ = std::current_exception();
    }
    co_return true;
}

std::optional<job> open_list::job_of(const line_splitter::line& line) const {
    const line_place place{.list = source_.name(), .number = line.number};
    if (line.too_long) {
        std::optional<job> made(std::in_place);
        made->url = line.text.substr(0, 100);
        made->mistake =
            mistake_at(place, made->url, "the line is longer than " + std::to_string(line_max) + " bytes");
        return made;
    }
    if (line.text.find('\0') != std::string_view::npos) {
        throw std::runtime_error(source_.name() + ":" + std::to_string(line.number) +
                                 ": the line has a zero byte: the list is no text, or not in UTF-8");
    }
    return read_job_line(line.text, place);
}

std::optional<job> open_list::take() {
    if (format_ == format::metalink) {
        return metalink_->next();
    }
    while (const auto line = lines_.next()) {
        if (auto made = job_of(*line)) {
            return made;
        }
    }
    if (ended_) {
        if (const auto line = lines_.last()) {
            return job_of(*line);
        }
    }
    return std::nullopt;
}

std::optional<job> job_list::take() {
    if (next_argument_ < arguments_.size()) {
        return job_of_argument(arguments_[next_argument_++]);
    }
    return list_.has_value() ? list_->take() : std::nullopt;
}

// Reads more of the list, or opens the next one.
leat::task<> job_list::read_more() {
    if (!list_.has_value()) {
        auto opened = co_await leat::as_result(open_list::open(files_[next_file_]));
        ++next_file_;
        list_.emplace(std::move(opened).value());
    } else if ((!waits_ && list_->may_wait()) || !co_await list_->read_more()) {
        list_.reset();
    }
}

leat::task<std::optional<job>> job_list::next() {
    for (;;) {
        std::exception_ptr failed;
        try {
            if (auto made = take()) {
                made->number = ++number_;
                co_return made;
            }
            if (!list_.has_value() && next_file_ == files_.size()) {
                co_return std::nullopt;
            }
            co_await read_more();
        } catch (...) {
            failed = std::current_exception();
        }
        if (failed != nullptr) {
            list_.reset();
            std::rethrow_exception(failed);
        }
    }
}

}  // namespace fetch
