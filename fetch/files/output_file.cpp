// SPDX-License-Identifier: MIT
// What is on the disk changes in an order in which each state in between is true. First the note is there,
// and locked; then the part is made; then the note says whose it is, and is synced when the one before
// trusted bytes; then come bytes. Begun again: the part is cut to nothing before the note changes. Kept: the
// part gets its name, then the note goes, which was locked until then.
#include <fetch/files/output_file.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/output_place.hpp>
#include <fetch/files/resume_note.hpp>
#include <fetch/names/reserved.hpp>

#include <leat/io.hpp>

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace fetch {

namespace {

// So much of a file may be lost when the machine stops.
constexpr std::uint64_t bytes_between_syncs = 256 * 1024 * 1024;
constexpr std::uint64_t read_size = 256 * 1024;
// What is copied for less than a call of its own costs.
constexpr std::size_t worth_a_call = 128 * 1024;

bool is_full(const std::error_code& code) {
    return code == std::errc::no_space_on_device || code == std::errc::file_too_large ||
           code == leat::errno_code(EDQUOT);
}

}  // namespace

output_file::~output_file() {
    if (place_ != nullptr && name_.is_held() && (has_part_ || has_note_)) {
        place_->known.add(part_name());
        place_->known.add(note_name());
    }
}

std::string output_file::part_name() const {
    return base_ + std::string(unfinished_suffix);
}

std::string output_file::note_name() const {
    return base_ + std::string(note_suffix);
}

bool output_file::may_drop(const leat::file_info& part) noexcept {
    return part.kind == leat::file_kind::regular && part.size <= buffer_size;
}

leat::task<> output_file::begin(file_origin origin) {
    return as_file_error(restart(std::move(origin)));
}

leat::task<> output_file::restart(file_origin origin) {
    buffer_.clear();
    on_disk_ = 0;
    synced_ = 0;
    note_holds_ = false;
    origin.url = std::move(origin_.url);
    origin_ = std::move(origin);
    co_await cut();
}

leat::task<> output_file::go_on() {
    return as_file_error(cut());
}

// To the bytes that count.
leat::task<> output_file::cut() {
    if (has_part_ && length_ > on_disk_) {
        co_await open_part();
        co_await part_.truncate(on_disk_);
        length_ = on_disk_;
    }
}

leat::task<> output_file::write(leat::byte_view bytes) {
    return as_file_error(append(bytes));
}

leat::task<> output_file::append(leat::byte_view bytes) {
    if (buffer_.size() + bytes.size() > buffer_size) {
        co_await flush();
    }
    if (bytes.size() > buffer_size || (bytes.size() >= worth_a_call && part_.is_open() && buffer_.empty())) {
        co_await write_through(bytes);
    } else {
        if (buffer_.empty() && origin_.size) {
            buffer_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*origin_.size, buffer_size)));
        }
        buffer_.insert(buffer_.end(), bytes.data(), bytes.data() + bytes.size());
    }
}

leat::task<> output_file::read_all(std::function<void(leat::byte_view)> take) {
    return as_file_error(read_pieces(std::move(take)));
}

leat::task<> output_file::read_pieces(std::function<void(leat::byte_view)> take) {
    co_await flush();
    leat::file from = co_await place_->open(part_name(), {});
    std::vector<std::byte> block(std::min<std::uint64_t>(on_disk_, read_size));
    for (std::uint64_t at = 0; at < on_disk_;) {
        const auto room = std::span(block).first(std::min<std::uint64_t>(block.size(), on_disk_ - at));
        co_await from.read_exactly_at(at, room);
        take(room);
        at += room.size();
    }
}

leat::task<> output_file::flush() {
    if (!buffer_.empty()) {
        co_await write_through(buffer_);
        buffer_.clear();
    }
}

leat::task<> output_file::write_through(leat::byte_view bytes) {
    co_await prepare();
    length_ = std::max(length_, on_disk_ + bytes.size());
    co_await part_.write_at(on_disk_, bytes);
    on_disk_ += bytes.size();
    if (on_disk_ - synced_ >= bytes_between_syncs) {
        co_await sync_part();
        co_await write_note();
    }
}

// For bytes of this origin.
leat::task<> output_file::prepare() {
    if (part_.is_open() && note_holds_) {
        co_return;
    }
    co_await lock_note();
    co_await open_part();
    if (!note_holds_) {
        co_await write_note();
    }
}

// Makes the folders, too.
leat::task<leat::file> output_file::create(std::string name, leat::file_options how) {
    auto opened = co_await leat::as_result(place_->open(name, how));
    if (opened.error() == std::errc::no_such_file_or_directory) {
        co_await place_->make_folders(base_);
        opened = co_await leat::as_result(place_->open(std::move(name), how));
    }
    co_return std::move(opened).value();
}

// It may belong to a run that began meanwhile, or have been removed by it.
leat::task<> output_file::lock_note() {
    while (!note_.is_open()) {
        auto opened = co_await create(note_name(), {.write = true, .create = true, .permissions = 0600});
        const bool locked = co_await opened.try_lock();
        if (!locked) {
            throw file_error(std::make_error_code(std::errc::device_or_resource_busy),
                             place_->path_of(part_name()));
        }
        const auto about = co_await place_->info_at(opened, note_name());
        if (about) {
            note_trusts_ = note_trusts_ || about->size > 0;
            note_ = std::move(opened);
            has_note_ = true;
        }
    }
}

leat::task<> output_file::open_part() {
    if (part_.is_open()) {
        co_return;
    }
    if (place_->how.sync && !has_part_) {  // no part without a note, after a power cut either
        co_await place_->sync_folders(base_);
    }
    const leat::file_options old{.read = false, .write = true};
    const leat::file_options fresh{.read = false, .write = true, .create = true, .exclusive = true};
    auto opened = co_await leat::as_result(place_->open(part_name(), has_part_ ? old : fresh));
    if (!has_part_ && opened.error() == std::errc::file_exists) {
        const auto about = co_await place_->info_if_there(part_name());
        if (about && may_drop(*about)) {
            co_await place_->remove_if_there(part_name());
            opened = co_await leat::as_result(place_->open(part_name(), fresh));
        }
    }
    part_ = std::move(opened).value();
    has_part_ = true;
    co_await reserve();
}

leat::task<> output_file::reserve() {
    if (place_->how.preallocate && origin_.size && *origin_.size > on_disk_) {
        const auto reserved = co_await leat::as_result(part_.reserve(on_disk_, *origin_.size - on_disk_));
        if (is_full(reserved.error())) {
            reserved.value();
        }
    }
}

leat::task<> output_file::write_note() {
    resume_note told{.origin = origin_, .boot = place_->boot};
    if (synced_ > 0) {
        told.synced.push_back({0, synced_});
    }
    const std::string text = text_of(told).value_or("");
    if (text.empty()) {
        co_await note_.truncate(0);
    } else {
        co_await note_.write_at(0, text);
    }
    if (note_trusts_) {
        co_await note_.sync();
    }
    note_trusts_ = synced_ > 0;
    note_holds_ = true;
}

// What a failed sync has lost is not known: all since the last one.
leat::task<> output_file::sync_part() {
    const auto done = co_await leat::as_result(part_.sync_data());
    if (!done.ok()) {
        on_disk_ = synced_;
        buffer_.clear();
        (void)co_await leat::as_result(cut());
        done.value();
    }
    synced_ = on_disk_;
}

leat::task<> output_file::keep(server_time time) {
    return as_file_error(finish(place_->how.server_time ? time : std::nullopt));
}

leat::task<> output_file::finish(server_time time) {
    const bool in_memory = !has_part_ && !has_note_ && !replaces_ && !place_->how.origin;
    const bool stored = in_memory && co_await store(time);
    if (!stored && !is_there_) {
        co_await prepare();
        co_await cut();
        co_await flush();
        co_await describe(time);
        co_await close_part();
        co_await take_name();
        if (place_->how.sync) {
            co_await place_->sync_folders(name());
        }
        co_await place_->remove_if_there(note_name());
        has_note_ = false;
        note_ = {};
    } else if (place_->how.sync) {
        co_await place_->sync_folders(name());
    }
}

// All at once; false: what is there has to be replaced.
leat::task<bool> output_file::store(server_time time) {
    const leat::new_file how{.sync = place_->how.sync, .modified = time};
    for (bool made_folders = false;;) {
        const auto stored = co_await leat::as_result(place_->root.write_new_file(name(), buffer_, how));
        if (stored.error() == std::errc::no_such_file_or_directory && !made_folders) {
            made_folders = true;
            co_await place_->make_folders(name());
        } else if (stored.error() != std::errc::file_exists) {
            stored.value();
            on_disk_ = std::exchange(buffer_, {}).size();
            co_return true;
        } else if (place_->how.when_there == existing_file::replace) {
            co_return false;
        } else {
            const bool again = co_await give_way();
            if (!again) {
                co_return false;
            }
        }
    }
}

leat::task<> output_file::describe(server_time time) {
    if (time) {
        co_await part_.set_modified(*time);
    }
    if (place_->how.origin) {  // for people: a file without it is as good
        (void)co_await leat::as_result(part_.set_attribute("user.xdg.origin.url", origin_.url));
    }
    if (place_->how.sync) {
        co_await sync_part();
        co_await part_.sync();
    }
}

// What is told now, as a full disk of a server, is told once: what was written is not known.
leat::task<> output_file::close_part() {
    const auto closed = co_await leat::as_result(part_.close());
    if (!closed.ok()) {
        (void)co_await leat::as_result(drop());
        closed.value();
    }
}

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

leat::task<> output_file::take_name() {
    if (place_->how.when_there == existing_file::replace) {
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

leat::task<std::uint64_t> output_file::leave() {
    return as_file_error(put_by());
}

leat::task<std::uint64_t> output_file::put_by() {
    if (there() == 0) {
        co_await drop();
        co_return 0;
    }
    // Where it cannot be told whether the machine has stopped meanwhile, only what was synced counts later.
    const bool sync = place_->how.sync || place_->boot.empty();
    co_await prepare();
    co_await cut();
    co_await flush();
    if (sync) {
        co_await sync_part();
        co_await write_note();
    }
    co_await close_part();
    co_await note_.close();
    if (sync) {
        co_await place_->sync_folders(base_);
    }
    co_return on_disk_;
}

leat::task<> output_file::remove() {
    return as_file_error(drop());
}

leat::task<> output_file::drop() {
    buffer_.clear();
    on_disk_ = 0;
    synced_ = 0;
    if (part_.is_open()) {  // what it takes on the disk is free once it is closed
        (void)co_await leat::as_result(part_.close());
    }
    part_ = {};
    if (has_part_) {
        co_await place_->remove_if_there(part_name());
        has_part_ = false;
        length_ = 0;
        if (place_->how.sync) {
            co_await place_->sync_folders(base_);
        }
    }
    if (has_note_) {
        co_await lock_note();
        co_await place_->remove_if_there(note_name());
        note_ = {};
        has_note_ = false;
        note_holds_ = false;
    }
}

}  // namespace fetch
