// SPDX-License-Identifier: MIT
#include <leat/http/uploads.hpp>

#include <leat/core/scheduler.hpp>
#include <leat/http/core/random_text.hpp>
#include <leat/http/error.hpp>
#include <leat/io.hpp>
#include <leat/result.hpp>
#include <leat/system/folder.hpp>

#include <unistd.h>

namespace leat::http {
namespace {

constexpr std::size_t written_at_once = 64 * 1024;

}  // namespace

std::optional<std::string_view> uploaded_form::get(std::string_view name) const noexcept {
    for (const whole_part& each : fields) {
        if (each.name == name) {
            return each.data;
        }
    }
    return std::nullopt;
}

detail::upload_saver::upload_saver(request_body_reader& body, std::string_view boundary, std::string folder,
                                   const multipart_limits& limits)
    : body_(body), parser_(boundary, limits), folder_(std::move(folder)) {}

detail::upload_saver::~upload_saver() {
    for (const std::string& path : made_) {
        (void)::unlink(path.c_str());
    }
}

task<> detail::upload_saver::save() {
    for (;;) {
        std::string_view input = co_await body_.read();
        if (input.empty()) {
            body_.refuse(error::truncated_body);
        }
        if (co_await take(input)) {
            break;
        }
    }
    for (bool more = true; more;) {  // what stands behind the last part does not count
        more = !(co_await body_.read()).empty();
    }
}

// Whether the last part has ended.
task<bool> detail::upload_saver::take(std::string_view& input) {
    for (;;) {
        const auto step = parser_.next(input);
        if (!step) {
            body_.refuse(step.error());
            (void)co_await body_.read();  // throws
        }
        switch (*step) {
            case multipart_parser::step::more:
                co_return false;
            case multipart_parser::step::part:
                co_await end_part();
                begin_part();
                break;
            case multipart_parser::step::data:
                co_await store(parser_.data());
                break;
            case multipart_parser::step::end:
                co_await end_part();
                co_return true;
        }
    }
}

void detail::upload_saver::begin_part() {
    in_file_ = parser_.part().file_name.has_value();
    if (in_file_) {
        form_.files.emplace_back();
        static_cast<form_part&>(form_.files.back()) = parser_.part();
    } else {
        form_.fields.push_back({parser_.part(), {}});
    }
}

task<> detail::upload_saver::store(std::string_view data) {
    if (!in_file_) {
        form_.fields.back().data += data;
        co_return;
    }
    while (!data.empty()) {
        const std::string_view some = data.substr(0, written_at_once - unwritten_.size());
        unwritten_ += some;
        data.remove_prefix(some.size());
        if (unwritten_.size() == written_at_once) {
            co_await write_out();
        }
    }
}

task<> detail::upload_saver::write_out() {
    uploaded_file& now = form_.files.back();
    if (!open_.is_open()) {
        co_await create();
    }
    co_await open_.write_at(now.size, unwritten_);
    now.size += unwritten_.size();
    unwritten_.clear();
}

// The name is noted first: also an open that is cancelled may have made it.
task<> detail::upload_saver::create() {
    form_.files.back().path = folder_ + "/upload-" + random_text();
    made_.push_back(form_.files.back().path);
    open_ = co_await file::open(
        made_.back(), {.read = false, .write = true, .create = true, .exclusive = true, .permissions = 0600});
}

task<> detail::upload_saver::end_part() {
    if (!in_file_) {
        co_return;
    }
    if (!unwritten_.empty()) {
        co_await write_out();
    }
    if (open_.is_open()) {
        co_await open_.close();  // tells of a disk that is full
    } else if (form_.files.back().file_name->empty()) {
        form_.files.pop_back();
    } else {
        co_await create();
        co_await open_.close();
    }
    in_file_ = false;
}

task<> detail::upload_saver::remove_rest() {
    open_ = file();
    for (; !made_.empty(); made_.pop_back()) {
        const std::string& path = made_.back();
        const auto removed = co_await as_result(remove_file(path));
        if (!removed.ok() && removed.error() != std::errc::no_such_file_or_directory) {
            current_scheduler().report("an upload stays: " + path + ": " + removed.error().message());
        }
    }
}

}  // namespace leat::http
