// SPDX-License-Identifier: MIT
// settings: what a run is asked to do, as plain data. The command line fills it; the engine reads it.
#pragma once

#include <fetch/files/file_settings.hpp>
#include <fetch/names/name_settings.hpp>

#include <leat/clock.hpp>
#include <leat/http/headers.hpp>
#include <leat/http/request_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fetch {

// How much at once.
struct limit_settings {
    std::size_t transfers = 50;  // fewer where descriptors are scarce
    std::size_t per_host = SIZE_MAX;
    std::size_t segments = 4;         // connections for one large file, as far as these limits let; 1: one
    std::size_t ahead = 2000;         // jobs that may wait for their hosts while others begin
    std::uint64_t rate = 0;           // bytes of bodies a second, in all; 0: no limit
    std::uint64_t rate_per_host = 0;  // the same
    std::uint64_t burst = 0;   // bytes that may come at once after a pause, of both; 0: a tenth of a second's
    std::uint64_t memory = 0;  // bytes that all buffers take at most: fewer transfers; 0: no limit
};

// How long each step may take, and what is tried again.
struct try_settings {
    int tries = 5;  // of each file, the first one too
    leat::duration first_wait = std::chrono::seconds(1);
    leat::duration longest_wait = std::chrono::minutes(2);
    leat::duration longest_asked = std::chrono::minutes(15);  // a longer Retry-After fails
    leat::duration connect = std::chrono::seconds(30);
    leat::duration first_byte = std::chrono::seconds(60);
    leat::duration idle = std::chrono::seconds(60);
    leat::duration total = leat::duration::max();  // for each file, with all its tries
    std::uint64_t lowest_rate = 0;                 // bytes a second; 0: any will do
    leat::duration rate_time = std::chrono::seconds(30);
};

// What is done with each job.
enum class run_kind : std::uint8_t {
    fetch,  // its file is fetched
    plan,   // nothing is asked: what would be fetched is told
    heads,  // only the head of the answer is asked for, by HEAD
    links,  // the same, or a GET where a server refuses HEAD: whether it is there
};

struct settings {
    run_kind kind = run_kind::fetch;
    std::string folder = {};  // where files go; empty: bytes are only counted
    name_settings names = {};
    file_settings files = {};
    limit_settings limits = {};
    try_settings tries = {};
    leat::http::headers fields = {};  // that go with all requests
    bool compressed = false;          // ask for compressed bodies, and undo that
    int redirects = 20;
    bool sums = false;  // tell the SHA-256 of each file that is there at the end
};

// What a request of the client is bounded by; the client tries it once.
[[nodiscard]] leat::http::request_options request_options_of(const settings& how);

}  // namespace fetch
