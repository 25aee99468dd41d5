// SPDX-License-Identifier: MIT
// h2_connection: serves one HTTP/2 connection: receives, runs a task for each request, sends what h2_session
// makes of their answers, and watches the time. serve_http2() of serve_connection.hpp makes one.
//
// One task receives, another one sends, a handler each is their sibling: a slow one holds up nobody. A
// handler whose client has reset the stream goes on, as that of an HTTP/1 client that has closed; it counts
// as one of the connection's requests until it ends. One that waits for a body that is late is cancelled. An
// error of the connection cancels all of them.
#pragma once

#include <leat/any_stream.hpp>
#include <leat/cancel_scope.hpp>
#include <leat/chunk.hpp>
#include <leat/http/core/h2_session.hpp>
#include <leat/http/core/serve_connection.hpp>
#include <leat/sync/event.hpp>
#include <leat/task_group.hpp>

#include <cstddef>
#include <string>

namespace leat::http::detail {

class h2_connection {
public:
    // All of them outlive it. Throws std::bad_alloc.
    h2_connection(any_stream& stream, request_handler& handler, server_exchange& exchange,
                  served_connection& client);
    h2_connection(const h2_connection&) = delete;
    h2_connection& operator=(const h2_connection&) = delete;
    ~h2_connection();

    // Serves until one of the sides ends that, and its handlers have ended. Errors of the stream are not
    // thrown.
    [[nodiscard]] task<> run(chunk ahead);
    // Sending has failed: what the client has got is unknown.
    [[nodiscard]] bool lost() const noexcept { return lost_; }

private:
    // A client that makes so many frames wait, such as acknowledgements, is not read from meanwhile.
    static constexpr std::size_t queued_max = 500;

    class answer_writer;
    class body_reader;
    class tunnel;
    struct handling;
    struct cancellable;
    struct reading;
    struct watch : timer {
        explicit watch(h2_connection& watched) noexcept : timer(expire), of(watched) {}
        static void expire(timer& self) noexcept;
        h2_connection& of;
    };

    [[nodiscard]] task<> receive_all(cancel_scope& scope, chunk input);
    [[nodiscard]] task<chunk> receive_some();
    void take(const chunk& input);
    void start_handlers();
    void take_no_further();
    [[nodiscard]] task<> answer(h2_stream& stream);
    [[nodiscard]] task<> read_and_answer(h2_stream& stream, body_reader& body, cancel_scope& scope);
    [[nodiscard]] task<> run_upgraded(h2_stream& stream);
    void fail(h2_stream& stream, const std::exception_ptr& failure);
    [[nodiscard]] task<> send_all();
    [[nodiscard]] bool is_over() const noexcept;
    void end_all() noexcept;
    void lose() noexcept;
    void look(time_point now) noexcept;
    void look_within(duration limit) noexcept;
    void note_idle() noexcept;

    any_stream& stream_;
    request_handler& handler_;
    server_exchange& exchange_;
    const server_limits& limits_;
    h2_session session_;
    watch watch_;
    task_group* tasks_ = nullptr;      // while it runs
    cancel_scope* reading_ = nullptr;  // while it receives
    std::string leaving_;              // what is being sent
    event wanted_;                     // something is to be sent, or has ended
    event sent_;                       // set for a moment when it has been
    time_point idle_since_;
    bool idle_ = true;
    std::size_t requests_ = 0;  // that have been given to handlers
    bool told_stop_ = false;
    bool input_ended_ = false;
    bool lost_ = false;
};

}  // namespace leat::http::detail
