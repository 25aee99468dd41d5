// SPDX-License-Identifier: MIT
// What is on the disk changes in an order in which each state in between is true. Begun again: the part is
// cut to nothing, then the note is written, and synced when the one before trusted bytes, then come bytes.
// Kept: the part gets its name, then the note goes. A part is made before its note.
#include <fetch/files/output_file.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/output_place.hpp>
#include <fetch/files/resume_note.hpp>
#include <fetch/names/reserved.hpp>

#include <leat/io.hpp>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace fetch {

namespace {

// So much of a file may be lost when the machine stops.
constexpr std::uint64_t bytes_between_syncs = 256 * 1024 * 1024;
constexpr std::uint64_t read_size = 256 * 1024;

}  // namespace

std::string output_file::part_name() const {
    return base_ + std::string(unfinished_suffix);
}

std::string output_file::note_name() const {
    return base_ + std::string(note_suffix);
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
    if (bytes.size() > buffer_size) {
        co_await write_through(bytes);
    } else {
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
    co_await open_part();
    if (!note_holds_) {
        co_await write_note();
    }
}

leat::task<> output_file::open_part() {
    if (part_.is_open()) {
        co_return;
    }
    const leat::file_options how{.read = false, .write = true, .create = !has_part_, .exclusive = !has_part_};
    auto opened = co_await leat::as_result(place_->open(part_name(), how));
    if (opened.error() == std::errc::no_such_file_or_directory && !has_part_) {
        co_await place_->make_folders(base_);
        opened = co_await leat::as_result(place_->open(part_name(), how));
    }
    part_ = std::move(opened).value();
    has_part_ = true;
}

leat::task<> output_file::write_note() {
    resume_note told{.origin = origin_, .boot = place_->boot};
    if (synced_ > 0) {
        told.synced.push_back({0, synced_});
    }
    const auto text = text_of(told);
    if (!text) {
        if (has_note_) {
            co_await place_->remove_if_there(note_name());
            co_await place_->sync_folders(base_);
        }
    } else {
        auto opened = co_await place_->open(note_name(), {.read = false, .write = true, .create = true});
        has_note_ = true;
        co_await opened.write_at(0, *text);
        if (note_trusts_) {
            co_await opened.sync_data();
        }
        co_await opened.close();
    }
    has_note_ = text.has_value();
    note_trusts_ = text.has_value() && synced_ > 0;
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
    return as_file_error(finish(time));
}

leat::task<> output_file::finish(server_time /*time*/) {
    co_await cut();
    co_await open_part();
    if (!buffer_.empty()) {
        co_await (has_note_ ? flush() : write_last());
    }
    if (place_->how.sync) {
        co_await part_.sync();
    }
    co_await close_part();
    co_await take_name();
    if (has_note_) {
        co_await place_->remove_if_there(note_name());
        has_note_ = false;
    }
    if (place_->how.sync) {
        co_await place_->sync_folders(name());
    }
}

// All that it has, which needs no note.
leat::task<> output_file::write_last() {
    length_ = std::max(length_, on_disk_ + buffer_.size());
    co_await part_.write_at(on_disk_, buffer_);
    on_disk_ += buffer_.size();
    buffer_.clear();
}

// What is told now, as a full disk of a server, is told once: what was written is not known.
leat::task<> output_file::close_part() {
    const auto closed = co_await leat::as_result(part_.close());
    if (!closed.ok()) {
        on_disk_ = 0;
        synced_ = 0;
        (void)co_await leat::as_result(drop());
        closed.value();
    }
}

leat::task<> output_file::take_name() {
    const std::string part = part_name();
    const existing_file when_there = place_->how.when_there;
    if (when_there == existing_file::replace) {
        co_await place_->rename(part, name());
        has_part_ = false;
        co_return;
    }
    while (!co_await place_->rename_to_new(part, name())) {
        switch (when_there) {
            case existing_file::number:
                co_await place_->claim_next(*this);
                break;
            case existing_file::skip:
                is_there_ = true;
                co_await place_->remove_if_there(part);
                has_part_ = false;
                co_return;
            case existing_file::fail:
            case existing_file::replace:
                throw file_error(std::make_error_code(std::errc::file_exists), place_->path + "/" + name());
        }
    }
    has_part_ = false;
}

leat::task<std::uint64_t> output_file::leave() {
    return as_file_error(put_by());
}

leat::task<std::uint64_t> output_file::put_by() {
    co_await cut();
    co_await flush();
    if (on_disk_ == 0) {
        co_await drop();
        co_return 0;
    }
    co_await open_part();
    if (place_->how.sync) {
        co_await sync_part();
    }
    co_await write_note();
    co_await close_part();
    if (place_->how.sync) {
        co_await place_->sync_folders(name());
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
    part_ = {};
    if (has_part_) {
        co_await place_->remove_if_there(part_name());
        has_part_ = false;
        length_ = 0;
    }
    if (has_note_) {
        co_await place_->remove_if_there(note_name());
        has_note_ = false;
        note_holds_ = false;
    }
}

}  // namespace fetch
