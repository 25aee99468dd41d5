// SPDX-License-Identifier: MIT
#include <leat/http/core/h2_client_connection.hpp>

#include <leat/http/core/h2_exchange.hpp>
#include <leat/http/core/secure_transport.hpp>
#include <leat/task_group.hpp>
#include <leat/timeout.hpp>

#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace leat::http::detail {
namespace {

constexpr std::size_t requests_together_max = 64 * 1024;
constexpr std::size_t kept_buffer_max = 1024;  // of a buffer, while nothing is to be sent
// A server that makes so many frames wait, such as acknowledgements, is not read from while they are sent.
constexpr std::size_t waiting_frames_max = 500;
constexpr duration last_word_max = std::chrono::seconds(1);  // for a last word

}  // namespace

h2_client_connection::h2_client_connection(any_stream stream, std::string_view scheme)
    : stream_(std::move(stream)), scheme_(scheme), session_(now()), heard_at_(now()) {}

std::unique_ptr<client_exchange> h2_client_connection::begin() {
    return std::make_unique<h2_exchange>(*this);
}

void h2_client_connection::retire() noexcept {
    retired_ = true;
    tell_keeper();
}

bool h2_client_connection::has_room() const noexcept {
    return !retired() && seats() < session_.streams_max();
}

// While the task of the connection runs. However that ends, its requests hear of it.
struct h2_client_connection::running {
    explicit running(h2_client_connection& what) noexcept : connection(what) {}
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() {
        connection.session_.lose(connection.failure_, connection.failure_text_);
        connection.stream_.close();
    }
    h2_client_connection& connection;
};

task<> h2_client_connection::run() {
    const auto kept = leat::detail::reference<shared_connection>::share(*this);
    const running until_the_end(*this);
    co_await with_task_group([this](task_group& group) -> task<> {
        auto sending = group.spawn([this] { return send_all(); });
        (void)co_await with_cancel_scope([this](cancel_scope& scope) { return receive_all(scope); });
        if (session_.failed() && !sender_ended_) {
            wanted_.set();
            (void)co_await move_on_after(last_word_max, sending.join());
        }
        group.cancel();
    });
}

// While it receives: a scope can be cancelled, and the task may be a bystander.
struct h2_client_connection::receiving {
    receiving(h2_client_connection& what, cancel_scope& scope) noexcept : connection(what) {
        connection.reading_ = &scope;
        connection.aside_.emplace(*this_thread.task);
        connection.note_idle(connection.is_idle());
    }
    receiving(const receiving&) = delete;
    receiving& operator=(const receiving&) = delete;
    ~receiving() {
        connection.note_idle(false);
        connection.aside_.reset();
        connection.reading_ = nullptr;
    }
    h2_client_connection& connection;
};

void h2_client_connection::note_idle(bool idle) noexcept {
    if (!idle && aside_ && aside_->linked()) {
        leat::detail::current_bystanders().remove(*aside_);
    } else if (idle && aside_ && !aside_->linked()) {
        leat::detail::current_bystanders().add(*aside_);
    }
}

task<> h2_client_connection::receive_all(cancel_scope& scope) {
    const receiving until_the_end(*this, scope);
    try {
        while (!session_.failed()) {
            const chunk input = co_await stream_.recv_chunk();
            if (input.empty()) {
                break;
            }
            heard_at_ = now();
            session_.receive(input.bytes(), heard_at_);
            wanted_.set();
            tell_keeper();
            while (session_.queued() > waiting_frames_max && sending_) {
                co_await sent_.wait();
            }
        }
    } catch (const std::system_error& failure) {
        if (!ended_without_notice(failure.code())) {
            failure_ = failure.code();
            failure_text_ = failure.what();
        }
    } catch (const std::bad_alloc&) {
        failure_ = std::make_error_code(std::errc::not_enough_memory);
    }
}

task<> h2_client_connection::send_all() {
    try {
        while (!session_.finished()) {
            wanted_.reset();
            session_.write(leaving_, requests_together_max, now());
            if (leaving_.empty()) {
                if (leaving_.capacity() > kept_buffer_max) {
                    std::string().swap(leaving_);
                }
                co_await wanted_.wait();
                continue;
            }
            sending_ = true;
            co_await stream_.send_all(leaving_);
            sending_ = false;
            leaving_.clear();
            sent_.set();
            sent_.reset();
        }
    } catch (const std::exception&) {  // of the stream; or there is no memory
        retired_ = true;
    }
    sending_ = false;
    sender_ended_ = true;
    sent_.set();
    if (reading_ != nullptr && (session_.failed() || session_.finished())) {
        reading_->cancel();
    }
    tell_keeper();
}

leat::detail::reference<shared_connection> begin_http2(any_stream stream, bool secure) {
    return leat::detail::reference<shared_connection>(
        *new h2_client_connection(std::move(stream), secure ? "https" : "http"));
}

}  // namespace leat::http::detail
