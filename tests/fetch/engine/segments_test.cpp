// SPDX-License-Identifier: MIT
// Files that come over several connections, from an origin that is slow on each of them, and that answers
// requests for ranges as the test says.
#include "../../net/simulated/whole_program.hpp"
#include "made_answers.hpp"

#include <leat/testing/doctest.hpp>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

using fetch::byte_range, fetch::failure_kind, fetch::transfer_state;

constexpr std::size_t large = 12 << 20;

const std::string& large_body() {
    static const std::string made = numbered_text(1, large);
    return made;
}

// What is said to a request, and how fast its body comes.
struct slow_answer {
    std::string head;
    std::string body = {};
    leat::duration each = 20ms;  // for 16 KiB; none: as fast as it can
    std::size_t cut = SIZE_MAX;  // bytes of the body; then the connection ends
};

std::optional<byte_range> asked_range(const std::string& head) {
    const std::size_t at = head.find("\r\nRange: bytes=");
    if (at == std::string::npos) {
        return std::nullopt;
    }
    std::size_t digits = 0;
    const std::size_t begin = std::stoul(head.substr(at + 15), &digits);
    const std::string end = head.substr(at + 15 + digits + 1);
    return byte_range{begin,
                      std::isdigit(static_cast<unsigned char>(end[0])) != 0 ? std::stoul(end) + 1 : large};
}

slow_answer whole_file(std::string_view fields = support::tag) {
    return {support::head("200 OK", fields, large), large_body()};
}

// The bytes of `range`, told as those of `told`.
slow_answer part_of_file(byte_range range, std::string_view fields = support::tag,
                         std::optional<byte_range> told = {}, std::size_t size = large) {
    const byte_range said = told.value_or(range);
    const std::string field = "Content-Range: bytes " + std::to_string(said.begin) + "-" +
                              std::to_string(said.end - 1) + "/" + std::to_string(size) + "\r\n";
    return {support::head("206 Partial Content", std::string(fields) + field, range.size()),
            large_body().substr(range.begin, range.size())};
}

class slow_origin {
public:
    using answers = std::function<slow_answer(const std::string& head)>;

    explicit slow_origin(answers how) : how_(std::move(how)) {}

    task<> during(std::function<task<>()> body) {
        co_await with_task_group([&](task_group& group) -> task<> {
            group.spawn([this, &group] { return accept(group); });
            co_await body();
            group.cancel();
        });
    }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listener_.local_endpoint().port()) + "/large.bin";
    }

    std::vector<std::string> heads;
    std::size_t most_at_once = 0;
    bool in_haste = false;  // bodies come at once

private:
    struct counted {
        explicit counted(std::size_t& all) : of(all) { ++of; }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted() { --of; }
        std::size_t& of;
    };
    task<> accept(task_group& group) {
        for (;;) {
            tcp_stream peer = co_await listener_.accept();
            group.spawn([this](tcp_stream stream) { return serve(std::move(stream)); }, std::move(peer));
        }
    }
    task<> serve(tcp_stream peer) {
        try {
            while (co_await answer(peer)) {
            }
        } catch (const std::system_error&) {
            // the client has closed it
        }
    }
    // Whether the connection goes on.
    task<bool> answer(tcp_stream& peer) {
        std::string head;
        while (head.find("\r\n\r\n") == std::string::npos) {
            const auto chunk = co_await peer.recv_chunk();
            if (chunk.empty()) {
                co_return false;
            }
            head += chunk.text();
        }
        heads.push_back(head);
        const slow_answer given = how_(head);
        const counted one(at_once_);
        most_at_once = std::max(most_at_once, at_once_);
        co_await peer.send_all(given.head);
        const std::string_view body = std::string_view(given.body).substr(0, given.cut);
        for (std::size_t at = 0; at < body.size(); at += 16'384) {
            co_await peer.send_all(body.substr(at, 16'384));
            if (!in_haste && given.each > 0ms) {
                co_await sleep(given.each);
            }
        }
        co_return body.size() == given.body.size();
    }

    answers how_;
    tcp_listener listener_ = tcp_listener::bind({"127.0.0.1", 0});
    std::size_t at_once_ = 0;
};

slow_answer as_asked(const std::string& head) {
    const auto range = asked_range(head);
    return range ? part_of_file(*range) : whole_file();
}

fetch::settings segment_settings(std::string folder) {
    fetch::settings how{.folder = std::move(folder)};
    how.tries.first_wait = 1ms;
    how.tries.longest_wait = 1ms;
    return how;
}

// One file, which comes whole.
task<fetch::run_totals> fetch_large(slow_origin& origin, fetch::settings how, support::noting_observer& told,
                                    fetch::job job = {}) {
    fetch::run_totals totals;
    job.url = origin.url();
    co_await origin.during([&]() -> task<> { totals = co_await support::run(how, told, {job}); });
    REQUIRE(told.all.size() == 1);
    INFO(told.all[0].failure.value_or(fetch::failure()).text);
    CHECK(told.all[0].state == transfer_state::fetched);
    const std::string found = co_await read_file(how.folder + "/large.bin", 2 * large);
    CHECK((found == large_body()));
    const auto beside = co_await list_folder(how.folder);
    CHECK(beside.size() == 1);
    co_return totals;
}

std::size_t ranges_asked(const slow_origin& origin) {
    return static_cast<std::size_t>(
        std::count_if(origin.heads.begin(), origin.heads.end(),
                      [](const auto& each) { return asked_range(each).has_value(); }));
}

}  // namespace

LEAT_TEST("a large file that is slow comes over several connections") {
    const any_folder folder;
    slow_origin* asked = nullptr;
    slow_origin origin([&](const std::string& head) {
        asked->in_haste = asked_range(head).has_value();  // the test need not be slow any longer
        return as_asked(head);
    });
    asked = &origin;
    support::noting_observer told;
    const auto totals = co_await fetch_large(origin, segment_settings(folder.path("out")), told);
    CHECK(ranges_asked(origin) >= 1);
    CHECK(origin.heads.at(1).find("If-Range: \"v1\"") != std::string::npos);
    CHECK(told.all[0].there == large);
    CHECK(totals.tries == 1);
}

LEAT_SIMULATE("segments: a file comes over four connections, and hardly a byte twice", seeds(20)) {
    slow_origin origin(as_asked);
    support::noting_observer told;
    const auto totals = co_await fetch_large(origin, segment_settings("/tmp/out"), told);
    CHECK(origin.most_at_once >= 4);  // it does not notice at once that one is closed
    CHECK(totals.received < large + (1 << 20));
}

LEAT_SIMULATE("segments: one connection where that is asked for, or limits leave no more", seeds(4)) {
    fetch::settings how = segment_settings("/tmp/out");
    if (draw(2) == 0) {
        how.limits.segments = 1;
    } else {
        how.limits.per_host = 1;
    }
    slow_origin origin(as_asked);
    support::noting_observer told;
    co_await fetch_large(origin, how, told);
    CHECK(origin.heads.size() == 1);
}

LEAT_SIMULATE("segments: none where only our own limit makes it slow", seeds(4)) {
    fetch::settings how = segment_settings("/tmp/out");
    (draw(2) == 0 ? how.limits.rate : how.limits.rate_per_host) = 1 << 20;
    slow_origin origin(as_asked);
    origin.in_haste = true;
    support::noting_observer told;
    co_await fetch_large(origin, how, told);
    CHECK(origin.heads.size() == 1);
}

LEAT_SIMULATE("segments: none without a validator, or where the server wants none", seeds(4)) {
    const std::string_view fields = draw(2) == 0 ? "" : "ETag: \"v1\"\r\nAccept-Ranges: none\r\n";
    slow_origin origin([&](const std::string&) { return whole_file(fields); });
    support::noting_observer told;
    co_await fetch_large(origin, segment_settings("/tmp/out"), told);
    CHECK(origin.heads.size() == 1);
}

LEAT_SIMULATE("segments: a wrong answer is not used, and the first body goes on", seeds(40)) {
    const std::uint64_t kind = draw(8);
    slow_origin origin([&](const std::string& head) -> slow_answer {
        const auto range = asked_range(head);
        if (!range) {
            return whole_file();
        }
        const byte_range before{range->begin - 1, range->end - 1};
        switch (kind) {
            case 0:
                return whole_file();
            case 1:
                return {support::head("416 Range Not Satisfiable", "", 0)};
            case 2:
                return {support::head("503 Service Unavailable", "", 0)};
            case 3:
                return part_of_file(before);
            case 4:
                return part_of_file(*range, "ETag: \"v2\"\r\n");
            case 5:
                return part_of_file(*range, support::tag, {}, large + 1);
            case 6:  // fewer bytes than it tells
                return part_of_file({range->begin, range->end - 1}, support::tag, *range);
            default:  // more
                return part_of_file({range->begin - 1, range->end}, support::tag, *range);
        }
    });
    support::noting_observer told;
    INFO("kind ", kind);
    const auto totals = co_await fetch_large(origin, segment_settings("/tmp/out"), told);
    CHECK(ranges_asked(origin) >= 1);
    CHECK(ranges_asked(origin) <= 3);  // those that were under way when the first answer came
    CHECK(totals.received == large);
    CHECK(totals.tries == 1);
}

LEAT_SIMULATE("segments: a connection that is cut costs what it has not brought", seeds(40)) {
    std::size_t answered = 0;
    const std::uint64_t broken = draw(4);  // also the first one, whose rest others bring
    slow_origin origin([&](const std::string& head) {
        slow_answer given = as_asked(head);
        if (answered++ == broken) {
            given.cut = given.body.size() / 4 + draw(100'000);
        }
        return given;
    });
    support::noting_observer told;
    const auto totals = co_await fetch_large(origin, segment_settings("/tmp/out"), told);
    CHECK(totals.tries == 1);
}

LEAT_SIMULATE("segments: what one connection brings slowly, others take over", seeds(10)) {
    std::size_t answered = 0;
    slow_origin origin([&](const std::string& head) {
        slow_answer given = as_asked(head);
        given.each = answered++ == 1 ? 2s : 20ms;
        return given;
    });
    support::noting_observer told;
    co_await fetch_large(origin, segment_settings("/tmp/out"), told);
    CHECK(ranges_asked(origin) > 3);
}

LEAT_SIMULATE("segments: the digest is that of the whole file", seeds(4)) {
    slow_origin origin(as_asked);
    fetch::digester made(fetch::digest_kind::sha_256);
    made.add(std::as_bytes(std::span(large_body())));
    support::noting_observer told;
    co_await fetch_large(origin, segment_settings("/tmp/out"), told, {.checksum = made.end()});
    CHECK(ranges_asked(origin) >= 3);
}

LEAT_SIMULATE("segments: a run that is given up at any moment is gone on with", seeds(40)) {
    slow_origin origin(as_asked);
    fetch::settings how = segment_settings("/tmp/out");
    how.files.sync = draw(2) == 0;
    support::noting_observer given_up;
    co_await origin.during([&]() -> task<> {
        (void)co_await move_on_after(draw_time(8s), support::run(how, given_up, {{.url = origin.url()}}));
    });
    support::noting_observer told;
    if (given_up.all.empty()) {
        how.limits.segments = 1 + draw(4);
        const auto totals = co_await fetch_large(origin, how, told);
        CHECK(totals.received <= large + (1 << 20));
    }
}

LEAT_SIMULATE("segments: others get the turns that they wait for", seeds(20)) {
    slow_origin origin(as_asked);
    fetch::settings how = segment_settings("/tmp/out");
    how.limits.transfers = 4;
    support::noting_observer told;
    leat::http::client client(support::direct);
    fetch::shared_parts parts{
        .how = how, .client = client, .told = told, .shares = fetch::host_shares(fetch::limits_of(how))};
    auto next = support::jobs_of(std::vector<fetch::job>(3, {.url = origin.url()}));
    time_point given = now();
    std::vector<duration> held_up;  // until there is room for another one
    const auto next_later = [&]() -> task<std::optional<fetch::job>> {
        held_up.push_back(now() - given);
        CHECK(parts.shares.under_way() <= 4);
        if (held_up.size() > 1) {
            co_await sleep(2500ms);  // all turns are taken by then
        }
        given = now();
        co_return co_await next();
    };
    co_await origin.during([&]() -> task<> { co_await fetch::run_jobs(parts, next_later); });
    CHECK(parts.totals.fetched == 3);
    REQUIRE(held_up.size() == 4);
    CHECK(*std::max_element(held_up.begin(), held_up.end()) < 2s);  // the file takes several times as long
    CHECK(ranges_asked(origin) >= 3);
}

}  // namespace leat::testing
