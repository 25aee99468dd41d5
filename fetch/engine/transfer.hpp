// SPDX-License-Identifier: MIT
// transfer: a job on its way, as all who show it see it. The engine changes it and tells the observer.
#pragma once

#include <fetch/engine/failure.hpp>
#include <fetch/list/job.hpp>

#include <leat/clock.hpp>
#include <leat/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fetch {

enum class transfer_state : std::uint8_t {
    waiting,    // for its turn at its host, or to be tried again
    asking,     // until the head of an answer has come
    receiving,  // the body
    fetched,    // the file is whole; or the head has come, where only that is asked for
    kept,       // it was whole, and the server says, or it is known, that it is as it was
    failed,
};

// When each step of the last try ended. A step that was not needed, as on a kept connection, took no time.
struct transfer_times {
    leat::time_point begin;                      // of the first try
    std::optional<leat::time_point> asked = {};  // the last try began
    std::optional<leat::time_point> named = {};
    std::optional<leat::time_point> connected = {};
    std::optional<leat::time_point> secured = {};
    std::optional<leat::time_point> answered = {};  // the head has come
    std::optional<leat::time_point> end = {};
};

// What an answer says of a file, as its fields say it; empty: nothing.
struct answer_fields {
    std::string type = {};
    std::string last_modified = {};
    std::string etag = {};
};

struct transfer {
    const fetch::job& job;
    std::string shown;  // the URL for people: without a password, one line of ASCII
    std::string host;   // "example.org:443"; empty for what is no URL
    transfer_state state = transfer_state::waiting;

    std::string file = {};  // its path below the output folder; empty: none, or not known yet
    std::optional<std::uint64_t> size = {};  // of the whole file, once it is known
    std::uint64_t there = 0;                 // bytes of the file that are there
    std::uint64_t resumed = 0;               // those of them that were there before this run
    std::uint64_t received = 0;              // bytes of bodies, also of those that were given up
    int tries = 0;                           // that have begun
    int status = 0;                          // of the last answer
    leat::http::version version = leat::http::version::http_1_1;  // of the last answer
    std::string final_url = {};                                   // after redirects, when it is another one
    std::optional<answer_fields> fields = {};  // of the last answer, where only the head is asked for
    std::optional<digest> sum = {};  // the SHA-256 of the file, where the run asks for it (settings::sums)
    transfer_times times;
    std::optional<fetch::failure> failure = {};  // of the last try that failed
};

}  // namespace fetch
