// SPDX-License-Identifier: MIT
// process and run_process: run other programs as children, through posix_spawn(3), talk to them through
// pipes, and wait for their end, through pidfd_open(2). No handler of SIGCHLD is needed, and other children
// of the program are left alone. Linux 5.4 or later.
//
//   leat::process_result listed = co_await leat::run_process({"git", "log", "-1"}, {.directory = "/srv"});
//
//   leat::process child = leat::process::spawn({"grep", "-c", "x"}, {.input = leat::redirect::pipe});
//   co_await child.input().send_all(text);
//   child.input().close();
//   leat::exit_status ended = co_await child.wait();
#pragma once

#include <leat/clock.hpp>
#include <leat/core/reference.hpp>
#include <leat/fd.hpp>
#include <leat/sync/mutex.hpp>
#include <leat/system/pipe.hpp>
#include <leat/task.hpp>

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace leat {

// How a process ended: by itself with a code, or killed by a signal.
class exit_status {
public:
    [[nodiscard]] static constexpr exit_status exited(int code) noexcept { return {code, 0, false}; }
    [[nodiscard]] static constexpr exit_status killed(int signal, bool dumped_core = false) noexcept {
        return {0, signal, dumped_core};
    }

    // Whether it ended by itself with code 0.
    [[nodiscard]] constexpr bool success() const noexcept { return signal_ == 0 && code_ == 0; }
    // Its code; empty if a signal killed it.
    [[nodiscard]] constexpr std::optional<int> code() const noexcept {
        return signal_ == 0 ? std::optional(code_) : std::nullopt;
    }
    // The signal that killed it.
    [[nodiscard]] constexpr std::optional<int> signal() const noexcept {
        return signal_ != 0 ? std::optional(signal_) : std::nullopt;
    }
    [[nodiscard]] constexpr bool dumped_core() const noexcept { return dumped_core_; }
    // "exit code 3", "killed by SIGKILL".
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const exit_status&, const exit_status&) = default;

private:
    constexpr exit_status(int code, int signal, bool core) noexcept
        : code_(code), signal_(signal), dumped_core_(core) {}
    int code_;
    int signal_;
    bool dumped_core_;
};

// Where one of a child's standard streams leads.
class redirect {
public:
    static const redirect inherit;  // where the same stream of this process leads
    static const redirect pipe;     // to this process: process::input(), output() or errors()
    static const redirect null;     // /dev/null
    static const redirect output;   // for the errors: where the output leads, as 2>&1 in a shell
    // To an open descriptor, which stays the caller's. One that does not block confuses most programs.
    [[nodiscard]] static constexpr redirect to(int fd) noexcept { return {kind::descriptor, fd}; }

    enum class kind : unsigned char { inherit, pipe, null, output, descriptor };
    [[nodiscard]] constexpr kind what() const noexcept { return kind_; }
    [[nodiscard]] constexpr int descriptor() const noexcept { return descriptor_; }

private:
    constexpr redirect(kind what, int fd = -1) noexcept : kind_(what), descriptor_(fd) {}
    kind kind_;
    int descriptor_;
};

inline constexpr redirect redirect::inherit{kind::inherit};
inline constexpr redirect redirect::pipe{kind::pipe};
inline constexpr redirect redirect::null{kind::null};
inline constexpr redirect redirect::output{kind::output};

// A program and its arguments, each as it is: no shell looks at them.
class command_line {
public:
    command_line(std::initializer_list<std::string_view> words) : words_(words.begin(), words.end()) {}
    command_line(std::vector<std::string> words) noexcept : words_(std::move(words)) {}
    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

private:
    std::vector<std::string> words_;
};

// What is referred to stays alive until the child has been started.
struct process_options {
    redirect input = redirect::inherit;
    redirect output = redirect::inherit;
    redirect errors = redirect::inherit;
    // Where it runs; empty: where this process does. A relative path of the program begins there.
    std::string_view directory = {};
    // "NAME=value" each: added to the environment of this process, or in the place of the same name there.
    std::span<const std::string> environment = {};
    bool inherit_environment = true;  // else it has nothing but `environment`
    // It leads a process group of its own: the terminal's Ctrl-C does not reach it, and signal(), stop() and
    // the kill at the end of its `process` reach all of the group, also when the child itself has ended:
    // until then it is left a zombie, which keeps the number of the group. Only the child is waited for. A
    // process that leaves the group, as daemons do with setsid(2), is not reached.
    bool new_group = false;
    bool search_path = true;           // a program without a slash is looked for in this process's PATH
    bool inherit_descriptors = false;  // those above 2 that are not close-on-exec stay open in it
};

namespace detail {

struct process_state {
    pid_t id = -1;
    fd descriptor;                      // a pidfd
    bool group = false;                 // it leads one, which is signalled with it
    bool zombie = false;                // it has ended, and is not reaped yet
    std::optional<exit_status> status;  // once it has ended and that was seen
    bool lost = false;                  // other code has reaped it
    mutex turn;                         // held by the task that waits for the descriptor
    std::uint32_t references = 1;
};

}  // namespace detail

// A child process. The destructor kills a child that still runs, and what is left of its group (new_group),
// with SIGKILL, and reaps it in the background of the run, which ends after that; outside of a run it waits
// for that itself. Children of the child are killed only as members of its group. Belongs to one scheduler.
//
// The child begins with no signal blocked, SIGPIPE and SIGCHLD as by default, other ignored signals ignored
// as here, and no descriptors but the three. Starting it takes this thread about a millisecond.
class process {
public:
    // Throws std::system_error naming the program, or the directory or descriptor that is wrong;
    // std::invalid_argument for words that no program can be given. Where the kernel lacks or a sandbox
    // forbids pidfd_open(2), or where SIGCHLD is ignored and the end of children is lost, it says so.
    [[nodiscard]] static process spawn(const command_line& command, const process_options& options = {});

    process() noexcept = default;  // none
    process(process&& other) noexcept = default;
    process& operator=(process&& other) noexcept;
    ~process() { drop(); }

    [[nodiscard]] pid_t id() const noexcept { return state().id; }

    // The ends of its pipes, of those streams that were redirected to one. Close the input for the child to
    // see its end. A stream can be moved out.
    [[nodiscard]] pipe_writer& input() noexcept { return piped(input_); }
    [[nodiscard]] pipe_reader& output() noexcept { return piped(output_); }
    [[nodiscard]] pipe_reader& errors() noexcept { return piped(errors_); }

    // Waits for its end, as often and by as many tasks as like. Its pipes may have unread bytes then, and a
    // child of its own may hold them open. Throws errc::no_child_process if other code has reaped it.
    // Cancelled: the child goes on.
    [[nodiscard]] task<exit_status> wait();
    // How it ended, if it has.
    [[nodiscard]] std::optional<exit_status> try_wait();

    // Sends a signal, to all of its group if it has one of its own. Does nothing if it has ended and leads no
    // group. Throws std::system_error for a number that is none, or when the child runs as somebody else.
    void signal(int number);
    // SIGTERM; SIGKILL if it has not ended after `grace`. Waits for its end. All of a group of its own gets
    // both; what is left of it when the child has ended is killed then. Cancelled: SIGTERM was sent.
    [[nodiscard]] task<exit_status> stop(duration grace);

    // The child, and its group, go on when this object is destroyed. The run reaps the child in the
    // background, as long as the run lasts.
    void detach() noexcept { detached_ = true; }

private:
    [[nodiscard]] detail::process_state& state() const noexcept {
        check(static_cast<bool>(state_), "the process was moved from, or never started");
        return *state_;
    }
    template <typename End>
    [[nodiscard]] static End& piped(std::optional<End>& end) noexcept {
        check(end.has_value(), "this stream of the child was redirected to a pipe");
        return *end;
    }
    void drop() noexcept;

    detail::reference<detail::process_state> state_;
    std::optional<pipe_writer> input_;
    std::optional<pipe_reader> output_;
    std::optional<pipe_reader> errors_;
    bool detached_ = false;
};

struct run_process_options {
    std::string_view input_text = {};  // given to its input, which ends then. Stays alive until the end
    // More output or errors than this many bytes are an error: errc::message_size, and the child is killed.
    std::size_t limit = SIZE_MAX;
    redirect errors = redirect::pipe;  // or redirect::output: in order with the output
    // As in process_options.
    std::string_view directory = {};
    std::span<const std::string> environment = {};
    bool inherit_environment = true;
    bool new_group = false;
    bool search_path = true;
};

struct process_result {
    exit_status status = exit_status::exited(0);
    std::string output;
    std::string errors;
};

// Runs a program to its end: gives how it ended and what it wrote, once all processes that hold its output
// have closed it. A program that does not read all its input is no error. Throws as process::spawn. Whatever
// ends it early, cancelling or an error, kills the child and waits for its end. What the child has started,
// as a shell does for `a | b`, is killed as well only with new_group; then also what is left of it after a
// good end.
[[nodiscard]] task<process_result> run_process(command_line command, run_process_options options = {});

}  // namespace leat
