// SPDX-License-Identifier: MIT
// leat-fetch: fetches many URLs at once, in one thread. SIGINT, SIGTERM, SIGHUP and a standard output that
// nobody reads any more (SIGPIPE) end the run in order: what is there of files that are not whole stays, to
// be gone on with, and then the program ends by that signal. A second signal ends it at once.
#include <fetch/engine/run.hpp>
#include <fetch/list/job_list.hpp>
#include <fetch/program/checksum_notes.hpp>
#include <fetch/program/command_line.hpp>
#include <fetch/program/explain.hpp>
#include <fetch/program/failure_notes.hpp>
#include <fetch/program/prepared_client.hpp>
#include <fetch/views/output.hpp>

#include <leat/runtime.hpp>
#include <leat/system/signals.hpp>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>

namespace {

// The exit status, where the signal does not end the program: process 1 of a container.
int end_by(int signal) {
    std::signal(signal, SIG_DFL);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
    std::raise(signal);
    return 128 + signal;
}

// The next job; a list that cannot be read is one that has failed.
leat::task<std::optional<fetch::job>> next_job(fetch::job_list& list) {
    fetch::job unread;
    try {
        co_return co_await list.next();
    } catch (const std::exception& why) {
        unread.mistake = why.what();
    }
    co_return unread;
}

// All of a run, and the signal that has stopped it, if one has.
class program {
public:
    explicit program(const fetch::command& asked)
        : asked_(asked),
          client_(asked.client, asked.how.compressed, fetch::share_descriptors(asked.how).idle),
          list_(asked.urls, asked.lists),
          parts_{.how = asked.how,
                 .client = client_.client(),
                 .told = shown_,
                 .shares = fetch::host_shares(fetch::limits_of(asked.how))} {
        auto notes = std::make_unique<fetch::failure_notes>(asked.failed_list);
        notes_ = notes.get();
        shown_.add(std::move(notes));  // first: what cannot be shown is noted
        shown_.add(std::make_unique<fetch::checksum_notes>(asked.write_checksums));
        shown_.add(fetch::views_of(asked.shown));
    }

    leat::task<int> run() {
        co_await client_.load();
        parts_.checksums = co_await fetch::read_checksums(asked_.checksums);
        if (asked_.explain) {
            co_return co_await fetch::explain_each(client_.client(), asked_.how, asked_.urls);
        }
        leat::signal_set signals(leat::not_ignored({SIGINT, SIGTERM, SIGHUP}));
        try {
            co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
                group.spawn([&] { return shown_.draw(parts_.totals); });
                auto jobs = group.spawn(fetch::run_jobs(parts_, [this] { return next_job(list_); }));
                group.spawn([&] { return stop_by(signals, jobs); });
                co_await leat::join_all(jobs);
                group.cancel();
            });
        } catch (const fetch::output_lost& lost) {
            stop_by_lost(lost, signals);
        }
        co_await client_.save();
        if (stopped_ != 0 && notes_->has_list()) {
            co_await note_unbegun(signals);
        }
        try {
            shown_.summarize(parts_.totals, stopped_ == 0 ? "" : name_of_signal());
        } catch (const fetch::output_lost& lost) {
            stop_by_lost(lost, signals);
        }
        co_return notes_->exit_status();
    }

    [[nodiscard]] int stopped() const noexcept { return stopped_; }

private:
    leat::task<> stop_by(leat::signal_set& signals, leat::handle<>& jobs) {
        stopped_ = co_await signals.next();
        jobs.cancel();
        co_await end_by_next(signals);
    }
    static leat::task<> end_by_next(leat::signal_set& signals) { end_by(co_await signals.next()); }
    // What is left of the lists, as far as nothing has to be awaited for it.
    leat::task<> note_unbegun(leat::signal_set& signals) {
        list_.wait_no_more();
        co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
            group.spawn([&] { return end_by_next(signals); });
            while (const std::optional<fetch::job> one = co_await next_job(list_)) {
                notes_->add(*one);
            }
            group.cancel();
        });
    }
    void stop_by_lost(const fetch::output_lost& lost, leat::signal_set& signals) {
        if (const auto signal = signals.try_next()) {
            stopped_ = signal->number;  // nobody reads what is printed, and it has come meanwhile
        } else if (stopped_ == 0 && lost.code() != std::errc::broken_pipe) {
            throw lost;
        }
        stopped_ = stopped_ == 0 ? SIGPIPE : stopped_;
    }
    [[nodiscard]] std::string name_of_signal() const { return std::string("SIG") + ::sigabbrev_np(stopped_); }

    const fetch::command& asked_;
    fetch::prepared_client client_;
    fetch::views shown_;
    fetch::failure_notes* notes_ = nullptr;  // one of them
    fetch::job_list list_;
    fetch::shared_parts parts_;
    int stopped_ = 0;
};

leat::task<int> run_program(const fetch::command& asked, int& stopped) {
    program made(asked);
    const int status = co_await made.run();
    stopped = made.stopped();
    co_return status;
}

}  // namespace

int main(int argc, char** argv) {
    fetch::command asked;
    int status = 0;
    if (!fetch::read_command_line(argc, argv, asked, status)) {
        return status;
    }
    std::signal(SIGPIPE, SIG_IGN);  // a write fails instead
    int stopped = 0;
    try {
        status = leat::run([&] { return run_program(asked, stopped); }, {.backend = asked.backend});
    } catch (const std::exception& why) {
        std::fprintf(stderr, "leat-fetch: %s\n", why.what());
        return 1;
    }
    return stopped == 0 ? status : end_by(stopped);
}
