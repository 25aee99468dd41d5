// SPDX-License-Identifier: MIT
// How a whole file gets its name, where another one may be.
#include <fetch/files/file_error.hpp>
#include <fetch/files/output_file.hpp>
#include <fetch/files/output_place.hpp>

#include <system_error>
#include <utility>

namespace fetch {

// Its name is taken. Whether it has another one; if not, it is_there().
leat::task<bool> output_file::give_way() {
    switch (place_->how.when_there) {
        case existing_file::number:
            co_await place_->claim_next(*this);
            co_return true;
        case existing_file::skip:
            is_there_ = true;
            co_return false;
        case existing_file::replace:
        case existing_file::fail:
            break;
    }
    throw file_error(std::make_error_code(std::errc::file_exists), place_->path_of(name()));
}

// Nobody has changed it meanwhile.
leat::task<> output_file::check_found() {
    const auto now = co_await place_->info_if_there(name());
    const leat::file_info& then = found_->about;
    if (now && (now->number != then.number || now->size != then.size || now->modified != then.modified)) {
        throw file_error(std::make_error_code(std::errc::file_exists), place_->path_of(name()));
    }
}

leat::task<> output_file::take_name() {
    if (found_ && place_->how.when_there != existing_file::replace) {
        co_await check_found();
    }
    if (found_ || place_->how.when_there == existing_file::replace) {
        co_await place_->root.rename_file(part_name(), name());
        has_part_ = false;
        co_return;
    }
    for (;;) {
        const bool renamed = co_await place_->rename_to_new(part_name(), name());
        const bool again = !renamed && co_await give_way();
        if (!again) {
            break;
        }
    }
    if (is_there_) {
        co_await place_->remove_if_there(part_name());
    }
    has_part_ = false;
}

leat::task<> output_file::take_over(file_origin origin) {
    return as_file_error(rename_half(std::move(origin)));
}

// The note is there before the part, as always; without a part it says nothing.
leat::task<> output_file::rename_half(file_origin origin) {
    origin.url = std::move(origin_.url);
    origin_ = std::move(origin);
    co_await lock_note();
    co_await write_note();
    co_await check_found();
    const bool renamed = co_await place_->rename_to_new(name(), part_name());
    if (!renamed) {
        throw file_error(std::make_error_code(std::errc::file_exists), place_->path_of(part_name()));
    }
    has_part_ = true;
    length_ = found_->about.size;
    written_.add({0, length_});
    found_.reset();
    replaces_ = false;
}

}  // namespace fetch
