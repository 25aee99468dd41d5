// SPDX-License-Identifier: MIT
// The end of an output_file: kept, left or removed.
#include <fetch/files/output_file.hpp>

#include <fetch/files/file_error.hpp>
#include <fetch/files/output_place.hpp>

#include <leat/check.hpp>
#include <leat/io.hpp>

#include <system_error>
#include <utility>

namespace fetch {

leat::task<> output_file::keep(server_time time) {
    return as_file_error(finish(place_->how.server_time ? time : std::nullopt));
}

// The part has the bytes that count and no others, and the note says so.
leat::task<> output_file::settle() {
    co_await lock_note();
    co_await cut();
    co_await prepare();
}

leat::task<> output_file::finish(server_time time) {
    const bool in_memory =
        !has_part_ && !has_note_ && !replaces_ && !place_->how.origin && !place_->how.newer;
    const bool stored = in_memory && co_await store(time);
    if (!stored && !is_there_) {
        co_await settle();
        co_await flush_buffer();
        leat::check(written_.end() == written_.prefix(), "a file that is kept has no gap");
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
            written_.add({0, std::exchange(buffer_, {}).size()});
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
    if (place_->how.newer) {
        co_await note_kept(part_, origin_);
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

leat::task<std::uint64_t> output_file::leave() {
    return as_file_error(put_by());
}

leat::task<std::uint64_t> output_file::put_by() {
    if (count() == 0) {
        co_await drop();
        co_return 0;
    }
    // Where it cannot be told whether the machine has stopped meanwhile, only what was synced counts later.
    const bool sync = place_->how.sync || place_->boot.empty();
    co_await settle();
    co_await flush_buffer();
    if (sync) {
        co_await sync_part();
    }
    if (sync || has_gaps_) {
        co_await write_note();
    }
    co_await close_part();
    co_await note_.close();
    if (sync) {
        co_await place_->sync_folders(base_);
    }
    co_return count();
}

leat::task<> output_file::remove() {
    return as_file_error(drop());
}

leat::task<> output_file::drop() {
    buffer_.clear();
    written_.clear();
    synced_.clear();
    has_gaps_ = false;
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
