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
// Of a file that is not written in order, so much may be lost when the process dies.
constexpr std::uint64_t bytes_between_notes = 4 * 1024 * 1024;

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
    written_.clear();
    synced_.clear();
    note_holds_ = false;
    has_gaps_ = false;
    origin.url = std::move(origin_.url);
    origin_ = std::move(origin);
    co_await cut();
}

leat::task<> output_file::go_on() {
    return as_file_error(cut());
}

// To the bytes that count.
leat::task<> output_file::cut() {
    if (has_part_ && length_ > written_.end()) {
        co_await open_part();
        co_await part_.truncate(written_.end());
        length_ = written_.end();
    }
}

leat::task<> output_file::write(leat::byte_view bytes) {
    return as_file_error(append(bytes));
}

leat::task<> output_file::append(leat::byte_view bytes) {
    if (buffer_.size() + bytes.size() > buffer_size) {
        co_await flush_buffer();
    }
    if (bytes.size() > buffer_size || (bytes.size() >= worth_a_call && part_.is_open() && buffer_.empty())) {
        co_await put(written_.prefix(), bytes);
    } else {
        if (buffer_.empty() && origin_.size) {
            buffer_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(*origin_.size, buffer_size)));
        }
        buffer_.insert(buffer_.end(), bytes.data(), bytes.data() + bytes.size());
    }
}

leat::task<> output_file::write_at(std::uint64_t offset, leat::byte_view bytes) {
    return as_file_error(put_apart(offset, bytes));
}

leat::task<> output_file::put_apart(std::uint64_t offset, leat::byte_view bytes) {
    co_await flush_buffer();
    co_await put(offset, bytes);
}

leat::task<> output_file::read_all(std::function<void(leat::byte_view)> take) {
    return as_file_error(read_pieces(std::move(take)));
}

leat::task<> output_file::read_pieces(std::function<void(leat::byte_view)> take) {
    co_await flush_buffer();
    leat::file from = co_await place_->open(part_name(), {});
    const std::uint64_t end = written_.prefix();
    std::vector<std::byte> block(std::min<std::uint64_t>(end, read_size));
    for (std::uint64_t at = 0; at < end;) {
        const auto room = std::span(block).first(std::min<std::uint64_t>(block.size(), end - at));
        co_await from.read_exactly_at(at, room);
        take(room);
        at += room.size();
    }
}

leat::task<> output_file::flush() {
    return as_file_error(flush_buffer());
}

leat::task<> output_file::flush_buffer() {
    if (!buffer_.empty()) {
        co_await put(written_.prefix(), buffer_);
        buffer_.clear();
    }
}

leat::task<> output_file::put(std::uint64_t offset, leat::byte_view bytes) {
    if (offset != written_.end() || offset != written_.prefix()) {
        note_holds_ = note_holds_ && has_gaps_;  // it would call all bytes written that the part has
        has_gaps_ = true;
    }
    co_await prepare();
    length_ = std::max(length_, offset + bytes.size());
    co_await part_.write_at(offset, bytes);
    written_.add({offset, offset + bytes.size()});
    untold_ += bytes.size();
    if (written_.count() - synced_.count() >= bytes_between_syncs) {
        co_await sync_part();
        co_await write_note();
    } else if (has_gaps_ && untold_ >= bytes_between_notes) {
        co_await store_note();
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
    const std::uint64_t from = written_.prefix();
    if (place_->how.preallocate && origin_.size && *origin_.size > from) {
        const auto reserved = co_await leat::as_result(part_.reserve(from, *origin_.size - from));
        if (is_full(reserved.error())) {
            reserved.value();
        }
    }
}

leat::task<> output_file::write_note() {
    co_await store_note();
    if (note_trusts_) {
        co_await note_.sync();
    }
    note_trusts_ = !synced_.empty();
    note_holds_ = true;
}

// Of the same origin as before, it need not reach the disk: the older one is as true.
leat::task<> output_file::store_note() {
    resume_note told{.origin = origin_, .boot = place_->boot, .synced = synced_.all()};
    if (has_gaps_) {
        told.written = written_.all();
    }
    const std::string text = text_of(told).value_or("");
    if (text.empty()) {
        co_await note_.truncate(0);
    } else {
        co_await note_.write_at(0, text);
    }
    untold_ = 0;
}

// What a failed sync has lost is not known: all since the last one.
leat::task<> output_file::sync_part() {
    const auto done = co_await leat::as_result(part_.sync_data());
    if (!done.ok()) {
        synced_.cut(synced_.prefix());
        written_ = synced_;
        note_holds_ = note_holds_ && !has_gaps_;
        buffer_.clear();
        (void)co_await leat::as_result(cut());
        done.value();
    }
    synced_ = written_;
}

}  // namespace fetch
