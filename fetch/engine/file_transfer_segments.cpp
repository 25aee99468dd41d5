// SPDX-License-Identifier: MIT
// The part of a transfer that goes over several connections.
#include <fetch/engine/file_transfer.hpp>

#include <fetch/engine/segments.hpp>

#include <exception>

namespace fetch::detail {

// Over HTTP/2 all would go over one connection.
bool file_transfer::may_divide(const leat::http::response_stream& reply) const {
    const bool one_each = reply.head().version == leat::http::version::http_1_1 ||
                          reply.head().version == leat::http::version::http_1_0;
    return divides_ && parts_.how.limits.segments > 1 && file_ && shown_.size && reply.size() && one_each &&
           !parts_.how.compressed && file_->known().size == shown_.size && file_->known().has_validator() &&
           brought_by_ == at_ && reply.headers().get("Accept-Ranges").value_or("bytes") != "none";
}

leat::task<> file_transfer::divide(host_share& share, leat::http::response_stream& reply,
                                   const body_progress& until_now) {
    digests_.drop();  // bytes come in another order
    co_await file_->flush();
    segments made({.parts = parts_,
                   .shown = shown_,
                   .file = *file_,
                   .url = current().href(),
                   .fields = fields(),
                   .options = [this] { return options(); }},
                  may_divide(reply));
    std::exception_ptr failed;
    try {
        co_await made.receive(share, reply, until_now);
    } catch (...) {
        failed = std::current_exception();
    }
    divides_ = divides_ && made.divides();
    if (failed) {
        std::rethrow_exception(failed);
    }
}

}  // namespace fetch::detail
