// SPDX-License-Identifier: MIT
// file_transfer: carries out one job: asks for it, again where that may help, writes what comes and checks
// it. The run makes one for each job. Invariant: a file has its final name only when all of its bytes have
// come and its checksum is right; bytes that are there are only gone on with when they are of the same file.
#pragma once

#include <fetch/engine/resume.hpp>
#include <fetch/engine/segments.hpp>
#include <fetch/engine/shared_parts.hpp>
#include <fetch/engine/tell_all.hpp>
#include <fetch/files/piece_check.hpp>
#include <fetch/files/running_digests.hpp>

#include <leat/http/response_stream.hpp>
#include <leat/http/url.hpp>
#include <leat/retry.hpp>
#include <leat/task.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fetch {

namespace detail {

// A try has failed in a way that only this program sees.
struct failed_try {
    failure why;
};

// "example.org:443", as its host's share is called.
[[nodiscard]] std::string place_of(const leat::http::url& of);

class file_transfer {
public:
    file_transfer(shared_parts& parts, job what)
        : parts_(parts),
          job_(std::move(what)),
          shown_{.job = job_,
                 .shown = leat::http::printable_url(job_.url),
                 .host = {},
                 .times = {.begin = leat::now()}},
          waits_({.first = parts.how.tries.first_wait, .most = parts.how.tries.longest_wait}) {}
    file_transfer(const file_transfer&) = delete;
    file_transfer& operator=(const file_transfer&) = delete;

    leat::task<> run();
    // After run(), also where that was cancelled.
    leat::task<> stop();

private:
    [[nodiscard]] const leat::http::url& current() const noexcept { return urls_[at_]; }
    [[nodiscard]] bool is_over() const noexcept {
        return shown_.state == transfer_state::fetched || shown_.state == transfer_state::kept ||
               shown_.state == transfer_state::failed;
    }
    leat::task<> put_aside();
    bool read_urls();
    leat::task<> look(host_share& share);
    void note_head(const leat::http::response_stream& reply);
    leat::task<std::optional<failure>> try_now(host_share& share);
    leat::task<> attempt(host_share& share);
    void note_times(const leat::http::request_timings& told);
    leat::task<bool> ask(host_share& share, std::uint64_t from);
    leat::task<> claim(const leat::http::response* answer);
    leat::task<bool> is_kept();
    leat::task<> take(host_share& share, leat::http::response_stream& reply, const answer_meaning& meaning);
    leat::task<> receive(host_share& share, leat::http::response_stream& reply);
    leat::task<> divide(host_share& share, leat::http::response_stream& reply,
                        const body_progress& until_now);
    [[nodiscard]] bool may_divide(const leat::http::response_stream& reply) const;
    leat::task<> pay(rate_limit* host_rate, std::size_t bytes);
    leat::task<> finish(host_share& share);
    void note_pieces(std::span<const std::byte> bytes);
    leat::task<> check_pieces(host_share& share);
    leat::task<> mend(host_share& share, std::size_t piece);
    leat::task<bool> try_piece(host_share& share, std::size_t piece, std::size_t from);
    leat::task<bool> fetch_piece(host_share& share, std::size_t piece, std::size_t from);
    [[noreturn]] void refuse_pieces(const std::string& why);
    void expect_digests(const std::string& name);
    [[nodiscard]] std::vector<digest_kind> digest_kinds() const;
    void begin_digests();
    leat::task<> check_digests();
    leat::task<> check_kept();
    [[nodiscard]] std::string wrong_digest();
    void count_listed();
    [[nodiscard]] const existing* there_before() const;
    [[nodiscard]] bool may_replace() const noexcept;
    void check_there() const;
    [[nodiscard]] bool ask_if_changed(leat::http::headers& sent) const;
    leat::task<bool> stays(const leat::http::response_stream& reply);
    leat::task<> keep_there();
    [[nodiscard]] std::string mistake_of_half(const leat::http::response_stream& reply) const;
    leat::task<bool> continue_half(host_share& share);
    void check_size(std::optional<std::uint64_t> size) const;
    [[nodiscard]] std::uint64_t bytes_to_go_on_with() const;
    [[nodiscard]] bool may_be_left() const;
    [[nodiscard]] leat::http::headers fields() const;
    [[nodiscard]] leat::http::request_options options() const;
    [[noreturn]] void refuse(const leat::http::response_stream& reply) const;
    [[noreturn]] void fail_with(failure_kind kind, const std::string& why) const;
    [[nodiscard]] std::optional<leat::duration> wait_after(const failure& why);
    void end(transfer_state how);

    shared_parts& parts_;
    job job_;
    transfer shown_;
    std::vector<leat::http::url> urls_;  // the job's, then its mirrors
    std::size_t at_ = 0;
    std::size_t brought_by_ = 0;  // the URL that the bytes of this run are from
    std::size_t untried_ = 0;     // mirrors
    std::optional<output_file> file_;
    std::vector<digest> expected_;    // that the file must have
    const digest* listed_ = nullptr;  // of them, the one of the run's list
    running_digests digests_;         // of the bytes from the start on
    std::optional<piece_check> piece_check_;
    std::optional<std::chrono::system_clock::time_point> server_time_;
    leat::retry_waits waits_;
    int tries_ = 0;            // since the last one that was worth it
    bool divides_ = true;      // answers to requests for ranges were right
    bool start_over_ = false;  // what is there does not count
    bool resumed_ = false;     // some bytes are of an earlier request
};

}  // namespace detail

// Ends when the job is done, or has failed. Throws what the observer throws. Cancelled: what is there can be
// gone on with.
[[nodiscard]] leat::task<> carry_out(shared_parts& parts, job what);

}  // namespace fetch
