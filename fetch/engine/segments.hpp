// SPDX-License-Identifier: MIT
// segments: brings the rest of one file over several connections. A file_transfer makes it for a body that is
// under way, once it is seen that it would take long, or when what is there has gaps.
//
// Theory of operation. The body that is there goes on; others ask for ranges (pieces.hpp), each with a share
// of the host that is free and that nobody waits for, and give it back as soon as somebody does. Whose range
// was cut short by another one stops reading there, and closes its connection. A connection that fails gives
// its rest back, and one fewer is used. An answer that is not to the letter the range that was asked for is
// dropped unread, and no more ranges are asked for: what goes on already, goes on.
// Invariant: a byte is written only where the server said that it belongs, and only of the file that is
// known.
#pragma once

#include <fetch/engine/pieces.hpp>
#include <fetch/engine/shared_parts.hpp>
#include <fetch/files/output_file.hpp>

#include <leat/http/headers.hpp>
#include <leat/http/request_options.hpp>
#include <leat/http/response_stream.hpp>
#include <leat/sync/event.hpp>
#include <leat/sync/mutex.hpp>
#include <leat/task.hpp>
#include <leat/task_group.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace fetch {

// What has come of a body.
struct body_progress {
    leat::time_point begun;
    std::uint64_t came = 0;  // bytes
};

// Of the body `left` bytes are to come.
[[nodiscard]] bool is_worth_dividing(std::uint64_t left, const body_progress& until_now);

namespace detail {

// What the transfer lends to its segments. All of it outlives them.
struct segment_source {
    shared_parts& parts;
    transfer& shown;
    output_file& file;  // whose size and validator are known
    std::string url;
    leat::http::headers fields;
    std::function<leat::http::request_options()> options;
};

class segments {
public:
    // `divides`: others may ask for ranges.
    segments(segment_source from, bool divides);
    segments(const segments&) = delete;
    segments& operator=(const segments&) = delete;

    // Until the file is whole, or nothing more can be done; shown.there tells. `reply` brings the bytes from
    // file.there() on. Throws the last failure when the file is not whole. Cancelled: what is in the file
    // counts.
    leat::task<> receive(host_share& share, leat::http::response_stream& reply, body_progress until_now);
    // False: the server has answered a range with something else.
    [[nodiscard]] bool divides() const noexcept { return divides_; }

private:
    leat::task<> go_on(host_share& share, leat::http::response_stream& reply, pieces::id body);
    leat::task<> recruit(leat::task_group& group);
    leat::task<> work(host_share share, pieces::id first);
    leat::task<bool> fetch(host_share& share, pieces::id piece);
    leat::task<> ask(host_share& share, pieces::id piece);
    leat::task<> read(host_share& share, leat::http::response_stream& reply, pieces::id piece);
    leat::task<> keep(leat::byte_view bytes, pieces::id piece);
    [[nodiscard]] bool gives_way(const host_share& share) const;

    segment_source from_;
    pieces pieces_;
    leat::mutex file_in_use_;
    host_share* own_ = nullptr;  // of the transfer: it is never given back here
    std::size_t workers_ = 0;    // others
    std::size_t most_;           // of them
    bool divides_;
    leat::event ended_;  // one of them
    std::exception_ptr failed_;
};

}  // namespace detail
}  // namespace fetch
