// SPDX-License-Identifier: MIT
// made_up: transfers that no engine carries out, for the tests of views; and what a view writes to a pipe.
#pragma once

#include <fetch/views/view.hpp>

#include <leat/fd.hpp>
#include <leat/run.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace made_up {

// One that is told to a view as the engine would; the totals are kept beside it.
struct one {
    one(fetch::view& shown, fetch::run_totals& all, std::uint64_t number, std::string url)
        : view(shown),
          totals(all),
          job{.number = number, .url = url},
          of{.job = job, .shown = std::move(url), .host = "h:443", .times = {}} {
        of.times.begin = leat::now();
        ++totals.begun;
        view.began(of);
    }
    one(const one&) = delete;

    void asks() {
        ++of.tries;
        ++totals.tries;
        of.times.asked = leat::now();
        of.state = fetch::transfer_state::asking;
    }
    void is_answered(int status, std::optional<std::uint64_t> size, std::string file = {}) {
        of.status = status;
        of.size = size;
        of.file = std::move(file);
        of.state = fetch::transfer_state::receiving;
        of.times.answered = leat::now();
        view.answered(of);
    }
    void receives(std::size_t bytes) {
        of.there += bytes;
        of.received += bytes;
        totals.received += bytes;
        view.received(of, bytes);
    }
    void tries_again(fetch::failure why, leat::duration wait) {
        of.failure = std::move(why);
        of.state = fetch::transfer_state::waiting;
        view.tries_again(of, wait);
    }
    void ends(fetch::transfer_state state) {
        of.state = state;
        of.times.end = leat::now();
        ++(state == fetch::transfer_state::fetched ? totals.fetched
           : state == fetch::transfer_state::kept  ? totals.kept
                                                   : totals.failed);
        view.ended(of);
    }
    void fails(fetch::failure why) {
        of.failure = std::move(why);
        ends(fetch::transfer_state::failed);
    }

    fetch::view& view;
    fetch::run_totals& totals;
    fetch::job job;
    fetch::transfer of;
};

// A pipe, whose reading end does not block.
struct pipe_pair {
    pipe_pair() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        reads.reset(ends[0]);
        writes.reset(ends[1]);
        REQUIRE(::fcntl(reads.get(), F_SETFL, O_NONBLOCK) == 0);
    }
    // What is in it now.
    [[nodiscard]] std::string text() const {
        std::string all;
        char piece[65536];
        for (ssize_t count = 0; (count = ::read(reads.get(), piece, sizeof piece)) > 0;) {
            all.append(piece, static_cast<std::size_t>(count));
        }
        return all;
    }
    leat::fd reads;
    leat::fd writes;
};

}  // namespace made_up
