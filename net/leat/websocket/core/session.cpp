// SPDX-License-Identifier: MIT
#include <leat/websocket/core/session.hpp>

#include <leat/check.hpp>
#include <leat/core/utf8.hpp>

#include <openssl/rand.h>
#include <wslay/wslay.h>

#include <cstring>
#include <new>
#include <utility>

namespace leat::websocket::detail {
namespace {

// What is kept of buffers that have grown.
constexpr std::size_t kept_max = 64 * 1024;
// RFC 6455 5.2.
constexpr std::size_t frame_head_max = 14;
// Shorter messages gain nothing from compression.
constexpr std::size_t compressed_min = 64;

std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

void require_memory(int outcome) {
    if (outcome == WSLAY_ERR_NOMEM) {
        throw std::bad_alloc();
    }
}

}  // namespace

// What wslay calls. No exception may pass through it: what is out of memory is noted and thrown behind it.
struct session::callbacks {
    static session& of(void* user_data) noexcept { return *static_cast<session*>(user_data); }

    static ssize_t receive(wslay_event_context* context, std::uint8_t* buffer, std::size_t room,
                           int /*flags*/, void* user_data) {
        session& self = of(user_data);
        if (self.input_->empty() || self.ready_) {
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        const std::size_t size = self.edges_.take(*self.input_, room);
        std::memcpy(buffer, self.input_->data(), size);
        self.input_->remove_prefix(size);
        return static_cast<ssize_t>(size);
    }

    static ssize_t send(wslay_event_context* context, const std::uint8_t* bytes, std::size_t size,
                        int /*flags*/, void* user_data) {
        try {
            of(user_data).out_.append(text_of(bytes, size));
        } catch (const std::bad_alloc&) {  // wslay keeps what it has, and goes on with it the next time
            of(user_data).out_is_short_ = true;
            wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
            return -1;
        }
        return static_cast<ssize_t>(size);
    }

    // Keys that the one who chose the text cannot guess (RFC 6455 10.3).
    static int mask(wslay_event_context* context, std::uint8_t* key, std::size_t size, void* /*user_data*/) {
        if (RAND_bytes(key, static_cast<int>(size)) == 1) {
            return 0;
        }
        wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }

    static void begin_frame(wslay_event_context* /*context*/,
                            const wslay_event_on_frame_recv_start_arg* frame, void* user_data) {
        session& self = of(user_data);
        self.in_message_ = wslay_is_ctrl_frame(frame->opcode) == 0;
        if (!self.in_message_) {
            return;
        }
        if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
            self.partial_kind_ = frame->opcode == WSLAY_TEXT_FRAME ? kind::text : kind::binary;
            self.is_compressed_ = wslay_get_rsv1(frame->rsv) != 0;
        }
        if (frame->payload_length > self.message_bytes_max_ - self.partial_.size()) {
            self.fail(close_code::message_too_big);
        }
    }

    static void take_piece(wslay_event_context* context, const wslay_event_on_frame_recv_chunk_arg* piece,
                           void* user_data) {
        session& self = of(user_data);
        if (!self.in_message_ || wslay_event_get_read_enabled(context) == 0) {
            return;
        }
        try {
            self.partial_.append(text_of(piece->data, piece->data_length));
        } catch (const std::bad_alloc&) {
            self.out_of_memory_ = true;
            wslay_event_shutdown_read(context);
        }
    }

    static void take_message(wslay_event_context* context, const wslay_event_on_msg_recv_arg* whole,
                             void* user_data) {
        session& self = of(user_data);
        try {
            if (whole->opcode == WSLAY_CONNECTION_CLOSE) {
                self.closing_.code = close_code(wslay_event_get_status_code_received(context));
                if (whole->msg_length > 2) {
                    self.closing_.reason = text_of(whole->msg + 2, whole->msg_length - 2);
                }
                self.closed_ = true;  // wslay has queued the answer
                // wslay takes half a code for none, and looks at no reason that comes in small pieces.
                self.malformed_close_ =
                    whole->msg_length == 1 || !leat::detail::is_utf8(self.closing_.reason);
            } else if (whole->opcode == WSLAY_PONG) {
                ++self.pongs_;
            } else if (whole->opcode != WSLAY_PING && wslay_event_get_read_enabled(context) != 0) {
                self.finish_message();
            }
        } catch (const std::bad_alloc&) {
            self.out_of_memory_ = true;
            wslay_event_shutdown_read(context);
        }
    }
};

session::session(role as, std::size_t message_bytes_max, const std::optional<deflate_terms>& deflate)
    : message_bytes_max_(message_bytes_max) {
    if (deflate) {
        const bool is_server = as == role::server;
        compression_ = std::make_unique<compression>(is_server ? deflate->server : deflate->client,
                                                     is_server ? deflate->client : deflate->server);
    }
    static constexpr wslay_event_callbacks used{.recv_callback = callbacks::receive,
                                                .send_callback = callbacks::send,
                                                .genmask_callback = callbacks::mask,
                                                .on_frame_recv_start_callback = callbacks::begin_frame,
                                                .on_frame_recv_chunk_callback = callbacks::take_piece,
                                                .on_frame_recv_end_callback = nullptr,
                                                .on_msg_recv_callback = callbacks::take_message};
    const auto make = as == role::server ? wslay_event_context_server_init : wslay_event_context_client_init;
    require_memory(make(&context_, &used, this));
    wslay_event_config_set_no_buffering(context_, 1);
    wslay_event_config_set_max_recv_msg_length(context_, message_bytes_max);
    wslay_event_config_set_allowed_rsv_bits(context_, deflate ? WSLAY_RSV1_BIT : WSLAY_RSV_NONE);
}

session::~session() {
    wslay_event_context_free(context_);
}

bool session::receives() const noexcept {
    return wslay_event_get_read_enabled(context_) != 0;
}

void session::receive(std::string_view& input) {
    input_ = &input;
    const int outcome = wslay_event_recv(context_);
    input_ = nullptr;
    // Any other failure is a frame that cannot be: wslay has queued a close then, without a code.
    require_memory(out_of_memory_ ? WSLAY_ERR_NOMEM : outcome);
    write_out();
}

void session::reuse(std::string& memory) noexcept {
    if (partial_.empty() && memory.capacity() > partial_.capacity() && memory.capacity() <= kept_max) {
        memory.clear();
        partial_.swap(memory);
    }
}

const message* session::take_message() {
    if (!ready_) {
        return nullptr;
    }
    reuse(handed_out_);
    handed_out_ = std::move(ready_->data);
    handed_ = {ready_->kind, handed_out_};
    ready_.reset();
    return &handed_;
}

void session::drop_message() noexcept {
    ready_.reset();
}

std::error_code session::failure() const noexcept {
    if (out_of_memory_) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (malformed_close_) {
        return error::protocol;
    }
    if (receives() || wslay_event_get_close_received(context_) != 0) {
        return {};
    }
    switch (close_code(wslay_event_get_status_code_sent(context_))) {
        case close_code::invalid_text:
            return error::invalid_text;
        case close_code::message_too_big:
            return error::message_too_big;
        default:
            return error::protocol;
    }
}

const closing* session::closed_by_peer() const noexcept {
    return wslay_event_get_close_received(context_) != 0 ? &closing_ : nullptr;
}

// wslay has checked the text of a message that was not compressed. Behind this side's close none is wanted.
void session::finish_message() {
    if (closed_) {
        partial_.clear();
        return;
    }
    if (is_compressed_) {
        std::string whole;
        switch (compression_->receiving.decompress(partial_, whole, message_bytes_max_)) {
            case inflater::outcome::done:
                break;
            case inflater::outcome::corrupt:
                fail(close_code::invalid_text);
                return;
            case inflater::outcome::too_big:
                fail(close_code::message_too_big);
                return;
        }
        partial_.swap(whole);
        if (partial_kind_ == kind::text && !leat::detail::is_utf8(partial_)) {
            fail(close_code::invalid_text);
            return;
        }
    }
    ready_ = owned_message{partial_kind_, std::move(partial_)};
    partial_.clear();
}

void session::queue(std::uint8_t opcode, std::string_view data, std::uint8_t reserved_bits) {
    // First, so that a frame that was queued surely leaves.
    out_.reserve(out_.size() + data.size() + frame_head_max);
    const wslay_event_msg queued{.opcode = opcode,
                                 .msg = reinterpret_cast<const std::uint8_t*>(data.data()),
                                 .msg_length = data.size()};
    require_memory(wslay_event_queue_msg_ex(context_, &queued, reserved_bits));
    write_out();
}

void session::write_out() {
    out_is_short_ = false;
    const int outcome = wslay_event_send(context_);
    require_memory(out_is_short_ ? WSLAY_ERR_NOMEM : outcome);
    check(outcome == 0, "wslay sends into memory");
    closed_ = closed_ || wslay_event_get_write_enabled(context_) == 0;
}

void session::send(kind of, std::string_view data) {
    const std::uint8_t opcode = of == kind::text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME;
    if (compression_ != nullptr && data.size() >= compressed_min && data.size() <= UINT32_MAX) {
        const std::string compressed = compression_->sending.compress(data);
        try {
            queue(opcode, compressed, WSLAY_RSV1_BIT);
        } catch (const std::bad_alloc&) {
            compression_->sending.forget();
            throw;
        }
    } else {
        queue(opcode, data);
    }
}

void session::ping() {
    queue(WSLAY_PING, {});
}

void session::close(close_code code, std::string_view reason) {
    require_memory(wslay_event_queue_close(context_, static_cast<std::uint16_t>(code),
                                           reinterpret_cast<const std::uint8_t*>(reason.data()),
                                           reason.size()));
    write_out();
}

// Called while wslay receives, which sends it behind that.
void session::fail(close_code code) {
    if (wslay_event_queue_close(context_, static_cast<std::uint16_t>(code), nullptr, 0) == WSLAY_ERR_NOMEM) {
        out_of_memory_ = true;
    }
    wslay_event_shutdown_read(context_);
}

}  // namespace leat::websocket::detail
