// SPDX-License-Identifier: MIT
// resolver: the name resolution of one scheduler: the questions that its tasks wait for, each with a channel
// of c-ares once it is sent. It is a service of the scheduler: made at the first look-up, destroyed with the
// run.
//
// Invariants. A question is in `questions_` from its first task until it is answered, once; every task that
// still waits then gets the answer. At most asked_max are sent at the same time, and of them at most
// young_max are young, so that a server does not get more at once than it can take. A question without an
// answer for `silence` has lost its datagrams or has a slow server, and makes room for the next one. A
// question that no task waits for any more goes on until its room is needed, so that a task that asks again
// gets the answer sooner.
#pragma once

#include <leat/core/scheduler.hpp>
#include <leat/dns/core/answer_cache.hpp>
#include <leat/dns/core/channel.hpp>
#include <leat/dns/core/system_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leat::detail {

struct question;

// A wait for the answer to a question.
struct asker : wait {
    explicit asker(const wait_kind& what) noexcept : wait(what) {}

    question* asked = nullptr;
    name_found found;
};

class resolver final : public service {
public:
    // Each is two datagrams each way. So many fit into the buffers of a server (212,992 bytes, which count
    // twice the size of a datagram and more); of a thousand at once some are lost, and wait for their
    // timeout.
    static constexpr std::size_t young_max = 50;
    static constexpr duration silence = std::chrono::milliseconds(250);
    // A channel is 75 KB and a descriptor or two.
    static constexpr std::size_t asked_max = 200;

    explicit resolver(scheduler& loop) noexcept;
    resolver(const resolver&) = delete;
    resolver& operator=(const resolver&) = delete;
    ~resolver() override;

    // How to ask: as the options say, else as the system does, else in the usual way. Throws
    // std::invalid_argument naming what is no server.
    [[nodiscard]] channel_settings settings_for(const resolve_options& options);
    // Answers with what is known and no older than `cache_time`; or sends a question, or joins the same one
    // of other tasks. `waiting` is finished with the answer, perhaps at once; it may stop before that.
    void ask(name_question&& what, duration cache_time, asker& waiting);
    static void stop(asker& waiting) noexcept;

    // The rest is for questions.
    void ended(question& answered) noexcept;
    void abandon(question& left) noexcept;

private:
    // Looks for questions that have been silent for long enough.
    struct alarm : timer {
        explicit alarm(resolver& owned_by) noexcept;
        resolver& owner;
    };

    // Versions of the files that say how names are found.
    struct name_files {
        friend bool operator==(const name_files&, const name_files&) = default;
        std::pair<std::int64_t, std::int64_t> configuration;  // /etc/resolv.conf
        std::pair<std::int64_t, std::int64_t> hosts;          // /etc/hosts
    };

    void begin_waiting() noexcept;
    [[nodiscard]] bool set_alarm(time_point when) noexcept;
    [[nodiscard]] bool begin_in_next_turn() noexcept;
    void begin(question& next) noexcept;
    void settle(question& answered) noexcept;
    void finish(asker& waiting) noexcept;
    void find_silent(time_point now) noexcept;
    [[nodiscard]] bool make_room() noexcept;
    [[nodiscard]] bool drop_abandoned(list<question>& among) noexcept;
    void erase(question& old) noexcept;

    scheduler& loop_;
    alarm alarm_;
    name_files files_;  // as they were when system_ was read, and what is known was learned
    std::uint64_t files_read_ = 0;
    std::optional<system_options> system_;
    answer_cache known_;
    std::map<name_question, question> questions_;
    list<question> waiting_;  // not sent yet
    list<question> young_;    // sent a short time ago, in that order
    list<question> silent_;   // the others
    std::size_t young_count_ = 0;
    std::size_t asked_count_ = 0;  // young and silent ones
    bool beginning_ = false;
};

struct question final : list_link, channel::listener {
    enum class stage { waiting, young, silent };

    explicit question(resolver& asked) noexcept : owner(asked) {}
    void answered(channel&) noexcept override { owner.ended(*this); }

    resolver& owner;
    const name_question* what = nullptr;
    list<asker> askers;
    stage state = stage::waiting;
    time_point begun = {};            // unless it waits
    std::unique_ptr<channel> asking;  // the same; null as well when there was no memory for it
};

}  // namespace leat::detail
