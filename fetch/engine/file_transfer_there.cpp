// SPDX-License-Identifier: MIT
// A transfer to a name under which a file is: that is asked for again only if it has changed on the server
// (file_settings::newer).
#include <fetch/engine/file_transfer.hpp>

#include <leat/http/conditional.hpp>

#include <chrono>

namespace fetch::detail {
namespace {

std::string_view value_of(const leat::http::response_stream& reply, std::string_view name) {
    return reply.headers().get(name).value_or("");
}

// What the answer brings is what is there. Of a file that nobody has noted its size and its time, which other
// programs set to Last-Modified, must be those of the answer.
bool brings_the_same(const existing& there, const leat::http::response_stream& reply) {
    if (reply.size() != there.about.size) {
        return false;
    }
    if (there.note) {
        const file_origin& known = there.note->origin;
        const std::string_view etag = value_of(reply, "ETag");
        return known.etag.empty() || etag.empty()
                   ? !known.last_modified.empty() && known.last_modified == value_of(reply, "Last-Modified")
                   : known.etag == etag;
    }
    const auto modified = leat::http::parse_http_date(value_of(reply, "Last-Modified"));
    return modified && std::chrono::floor<std::chrono::seconds>(there.about.modified) == *modified;
}

}  // namespace

const existing* file_transfer::there_before() const {
    return file_ && file_->found() ? &*file_->found() : nullptr;
}

bool file_transfer::may_replace() const noexcept {
    return parts_.how.files.when_there == existing_file::replace;
}

// Before anything is asked: what somebody has changed is only replaced when that is wanted.
void file_transfer::check_there() const {
    const existing* const there = there_before();
    if (there != nullptr && there->was_changed() && !may_replace()) {
        fail_with(failure_kind::file,
                  file_->name() + " was changed since it was fetched; --if-there replace replaces it");
    }
}

// True: the answer may be 304. Validators are those of the job's URL.
bool file_transfer::ask_if_changed(leat::http::headers& sent) const {
    const existing* const there = there_before();
    if (there == nullptr || !there->note || there->was_changed() || at_ != 0) {
        return false;
    }
    const file_origin& known = there->note->origin;
    if (!known.etag.empty()) {
        sent.set("If-None-Match", known.etag);
    }
    if (!known.last_modified.empty()) {
        sent.set("If-Modified-Since", known.last_modified);
    }
    return !known.etag.empty() || !known.last_modified.empty();
}

// The answer has the file from its start. True: what is there stays.
leat::task<bool> file_transfer::stays(const leat::http::response_stream& reply) {
    const existing* const there = there_before();
    if (there == nullptr) {
        co_return false;
    }
    if (!there->was_changed() && brings_the_same(*there, reply)) {
        co_await keep_there();
        co_return true;
    }
    check_there();
    if (!there->note && !may_replace()) {
        fail_with(failure_kind::file, file_->name() +
                                          " is there, and it is not known to be from this URL; --if-there "
                                          "replace replaces it");
    }
    co_return false;
}

leat::task<> file_transfer::keep_there() {
    co_await file_->remove();  // what an earlier run has left of another state
    shown_.there = there_before()->about.size;
    shown_.size = shown_.there;
    co_await check_kept();
    shown_.state = transfer_state::kept;
}

}  // namespace fetch::detail
