// SPDX-License-Identifier: MIT
#include <leat/system/process.hpp>

#include <leat/finally.hpp>
#include <leat/io.hpp>
#include <leat/system/core/process_start.hpp>
#include <leat/task_group.hpp>

#include <cstring>

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

namespace leat {

namespace {

using detail::process_state;
using child_reference = detail::reference<process_state>;

// How long a killed child may take to end, before it is left to whoever reaps ours: one that waits for a
// broken disk does not even notice SIGKILL.
constexpr std::chrono::seconds end_limit(10);

bool is_over(const process_state& child) noexcept {
    return child.status.has_value() || child.lost;
}

// Takes note of its end if it has ended. One that leads a group is left a zombie: as long as it is there, the
// number of the group is nobody else's.
void note_end(process_state& child) noexcept {
    const int kept = child.group ? WNOWAIT : 0;
    siginfo_t ended{};
    int answer = 0;
    do {
        answer =
            ::waitid(P_PIDFD, static_cast<id_t>(child.descriptor.get()), &ended, WEXITED | WNOHANG | kept);
    } while (answer != 0 && errno == EINTR);
    if (answer != 0) {
        child.lost = !child.status.has_value();
        child.zombie = false;
    } else if (ended.si_pid != 0) {
        child.status = detail::exit_status_of(ended);
        child.zombie = child.group;
    }
}

// Nothing is sent to its group any more. Reaps it if it has ended.
void leave_group(process_state& child) noexcept {
    child.group = false;
    if (!is_over(child) || child.zombie) {
        note_end(child);
    }
}

exit_status status_of(const process_state& child) {
    if (!child.status.has_value()) {
        throw std::system_error(errno_code(ECHILD),
                                "process " + std::to_string(child.id) +
                                    ": other code has waited for it, or SIGCHLD was set to be ignored");
    }
    return *child.status;
}

// Waiting tasks hold `turn` one after the other, as one task at a time waits for a descriptor.
task<exit_status> wait_for(child_reference child) {
    const mutex_guard turn = co_await child->turn.lock();
    while (!is_over(*child)) {
        co_await readable(child->descriptor.get());
        note_end(*child);
    }
    co_return status_of(*child);
}

// 0, or an errno value. Not after it has been reaped, by us or others: by then the number may be another's.
int send(process_state& child, int number) noexcept {
    if (child.group && (!is_over(child) || child.zombie)) {
        note_end(child);
    }
    if (is_over(child) && !child.zombie) {
        return 0;
    }
    const int answer =
        child.group ? ::kill(-child.id, number) : detail::signal_pidfd(child.descriptor.get(), number);
    return answer == 0 || errno == ESRCH ? 0 : errno;
}

void send_or_throw(process_state& child, int number) {
    if (const int error = send(child, number)) {
        throw std::system_error(errno_code(error), "signal " + std::to_string(number) + " to process " +
                                                       std::to_string(child.id));
    }
}

task<exit_status> stop_child(child_reference child, duration grace) {
    co_await checkpoint();
    send_or_throw(*child, SIGTERM);
    const auto ended = co_await move_on_after(grace, wait_for(child));
    if (ended.has_value()) {
        (void)send(*child, SIGKILL);  // to what is left of its group
        leave_group(*child);
        co_return *ended;
    }
    send_or_throw(*child, SIGKILL);
    const exit_status killed = co_await wait_for(child);
    leave_group(*child);
    co_return killed;
}

task<> wait_unheard(child_reference child) {
    (void)co_await as_result(wait_for(std::move(child)));
}

task<> see_end_of_killed(child_reference child) {
    (void)co_await shield(move_on_after(end_limit, wait_unheard(std::move(child))));
}

// Waits without a loop.
void block_until_end(process_state& child) noexcept {
    pollfd end{.fd = child.descriptor.get(), .events = POLLIN, .revents = 0};
    const int limit = static_cast<int>(std::chrono::milliseconds(end_limit).count());
    while (::poll(&end, 1, limit) < 0 && errno == EINTR) {
    }
    note_end(child);
}

// False when there is no run, or no memory.
bool leave_to_background(task<> (*waiting)(child_reference), const child_reference& child) noexcept {
    scheduler* const loop = this_thread.loop;
    if (loop == nullptr || loop->root().size + loop->background().size == 0) {
        return false;  // the last task has ended: what is spawned now does not run
    }
    try {
        (void)detail::spawn_call(loop->background(), std::source_location::current(), waiting, child);
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

task<> feed(pipe_writer& input, std::string_view text) {
    const auto sent = co_await as_result(input.send_all(text));
    input.close();
    if (!sent.ok() && sent.error() != std::errc::broken_pipe) {
        throw std::system_error(sent.error(), "run_process: its input");
    }
}

task<> collect(pipe_reader& from, std::string& into, std::size_t limit, const char* what) {
    for (;;) {
        const chunk next = co_await from.recv_chunk();
        if (next.empty()) {
            co_return;
        }
        if (next.size() > limit - into.size()) {
            throw std::system_error(std::make_error_code(std::errc::message_size),
                                    std::string("run_process: its ") + what + " is longer than " +
                                        std::to_string(limit) + " bytes");
        }
        into.append(reinterpret_cast<const char*>(next.data()), next.size());
    }
}

// All of its streams at once: it may write before it has read all, and the other way round.
task<process_result> attend(process& child, const run_process_options& options) {
    process_result ended;
    co_await with_task_group([&](task_group& group) -> task<> {
        if (!options.input_text.empty()) {
            group.spawn(feed, std::ref(child.input()), options.input_text);
        }
        group.spawn(collect, std::ref(child.output()), std::ref(ended.output), options.limit, "output");
        if (options.errors.what() == redirect::kind::pipe) {
            group.spawn(collect, std::ref(child.errors()), std::ref(ended.errors), options.limit, "errors");
        }
        co_return;
    });
    ended.status = co_await child.wait();
    co_return ended;
}

}  // namespace

std::string exit_status::to_string() const {
    if (signal_ == 0) {
        return "exit code " + std::to_string(code_);
    }
    const char* name = ::sigabbrev_np(signal_);
    std::string text = "killed by ";
    text += name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal_);
    return dumped_core_ ? text + ", with a core dump" : text;
}

process process::spawn(const command_line& command, const process_options& options) {
    detail::require_kernel("a process");
    process made;
    made.state_ = child_reference(*new process_state);
    detail::started_process started = detail::start_process(command, options);
    made.state_->id = started.id;
    made.state_->descriptor = std::move(started.descriptor);
    made.state_->group = options.new_group;
    if (fd& input = started.ends[STDIN_FILENO]) {
        made.input_.emplace(pipe_writer::from_fd(input.get()));
        (void)input.release();
    }
    if (fd& output = started.ends[STDOUT_FILENO]) {
        made.output_.emplace(pipe_reader::from_fd(output.get()));
        (void)output.release();
    }
    if (fd& errors = started.ends[STDERR_FILENO]) {
        made.errors_.emplace(pipe_reader::from_fd(errors.get()));
        (void)errors.release();
    }
    return made;
}

process& process::operator=(process&& other) noexcept {
    if (this != &other) {
        drop();
        state_ = std::move(other.state_);
        input_ = std::move(other.input_);
        output_ = std::move(other.output_);
        errors_ = std::move(other.errors_);
        detached_ = other.detached_;
    }
    return *this;
}

void process::drop() noexcept {
    if (!state_ || state_->id < 0) {
        return;
    }
    if (!detached_) {
        (void)send(*state_, SIGKILL);
    }
    leave_group(*state_);
    if (is_over(*state_)) {
        return;
    }
    if (!leave_to_background(detached_ ? wait_unheard : see_end_of_killed, state_) && !detached_) {
        block_until_end(*state_);
    }
}

task<exit_status> process::wait() {
    check(static_cast<bool>(state_), "the process was moved from, or never started");
    return wait_for(state_);
}

std::optional<exit_status> process::try_wait() {
    if (!is_over(state())) {
        note_end(state());
    }
    return state().lost ? status_of(state()) : state().status;
}

void process::signal(int number) {
    send_or_throw(state(), number);
}

task<exit_status> process::stop(duration grace) {
    check(static_cast<bool>(state_), "the process was moved from, or never started");
    return stop_child(state_, grace);
}

task<process_result> run_process(command_line command, run_process_options options) {
    co_await checkpoint();
    process child =
        process::spawn(command, {.input = options.input_text.empty() ? redirect::null : redirect::pipe,
                                 .output = redirect::pipe,
                                 .errors = options.errors,
                                 .directory = options.directory,
                                 .environment = options.environment,
                                 .inherit_environment = options.inherit_environment,
                                 .new_group = options.new_group,
                                 .search_path = options.search_path});
    co_return co_await finally([&] { return attend(child, options); },
                               [&]() -> task<> {
                                   child.signal(SIGKILL);
                                   (void)co_await as_result(child.wait());
                               },
                               {.limit = end_limit});
}

}  // namespace leat
