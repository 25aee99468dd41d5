// SPDX-License-Identifier: MIT
// What the hand-written servers share: accepting, echoing while waiting, and the words of a refusal.
#pragma once

#include <leat/fd.hpp>

#include <cerrno>
#include <string>
#include <system_error>

namespace io_models {

[[noreturn]] inline void fail(const char* call) {
    throw std::system_error(errno, std::system_category(), call);
}

struct accepted {
    leat::fd client;    // empty: nobody is there now
    bool full = false;  // no client can be accepted until another one has gone
};

// Takes a client from the queue of the listener; waits for one unless that is non-blocking.
[[nodiscard]] accepted accept_client(int listener, bool non_blocking = false);

void make_non_blocking(int descriptor);

// Sends back what arrives until the client has ended or is lost. It waits in recv() and send().
void echo_until_end(int client);

// Says on standard error why no more clients are served, the first time.
void tell_refusal(const std::string& why);
// The text of errno behind the name of the call.
[[nodiscard]] std::string failed_call(const char* call);

}  // namespace io_models
