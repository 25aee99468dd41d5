// SPDX-License-Identifier: MIT
#include <leat/system/core/process_start.hpp>

#include <leat/result.hpp>

#include <stdexcept>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

namespace leat::detail {

namespace {

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(errno_code(error), what);
}

// For the calls that give an errno value.
void must(int error, const char* what) {
    if (error != 0) {
        fail(error, what);
    }
}

fd opened(int number, const std::string& what) {
    if (number < 0) {
        fail(errno, what);
    }
    return fd(number);
}

// Without these the end of a child could not be told.
void require_kernel() {
    struct sigaction about_children{};
    ::sigaction(SIGCHLD, nullptr, &about_children);
    if (about_children.sa_handler == SIG_IGN || (about_children.sa_flags & SA_NOCLDWAIT) != 0) {
        fail(ECHILD, "process: SIGCHLD is ignored, so the end of a child is lost; set it to SIG_DFL first");
    }
    const fd self(open_pidfd(::getpid()));
    if (!self) {
        fail(errno, errno == ENOSYS ? "process: pidfd_open(2) needs Linux 5.3"
                                    : "process: pidfd_open(2) is refused here");
    }
    siginfo_t ignored;
    if (::waitid(P_PIDFD, static_cast<id_t>(self.get()), &ignored, WEXITED | WNOHANG) != 0 &&
        errno == EINVAL) {
        fail(ENOSYS, "process: waitid(2) with P_PIDFD needs Linux 5.4");
    }
}

class file_actions {
public:
    file_actions() { must(::posix_spawn_file_actions_init(&actions_), "posix_spawn_file_actions_init"); }
    file_actions(const file_actions&) = delete;
    file_actions& operator=(const file_actions&) = delete;
    ~file_actions() { ::posix_spawn_file_actions_destroy(&actions_); }

    void duplicate(int from, int to) {
        must(::posix_spawn_file_actions_adddup2(&actions_, from, to), "posix_spawn_file_actions_adddup2");
    }
    void change_directory(int to) {
        must(::posix_spawn_file_actions_addfchdir_np(&actions_, to), "posix_spawn_file_actions_addfchdir_np");
    }
    void close_from(int lowest) {
        must(::posix_spawn_file_actions_addclosefrom_np(&actions_, lowest),
             "posix_spawn_file_actions_addclosefrom_np");
    }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
};

class attributes {
public:
    explicit attributes(bool new_group) {
        must(::posix_spawnattr_init(&attributes_), "posix_spawnattr_init");
        sigset_t none;
        sigemptyset(&none);
        sigset_t to_default;
        sigemptyset(&to_default);
        sigaddset(&to_default, SIGPIPE);
        sigaddset(&to_default, SIGCHLD);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &to_default);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(&attributes_,
                                   static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                      (new_group ? POSIX_SPAWN_SETPGROUP : 0)));
    }
    attributes(const attributes&) = delete;
    attributes& operator=(const attributes&) = delete;
    ~attributes() { ::posix_spawnattr_destroy(&attributes_); }

    [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

// What the child has for its standard streams, and what stays here. All of the child's are above 2, so that
// putting one in its place does not close another. All close themselves when the child runs its program.
struct streams {
    fd child[3];
    fd ours[3];

    void open(int number, const redirect& to) {
        const auto at = static_cast<std::size_t>(number);
        switch (to.what()) {
            case redirect::kind::inherit:
                break;
            case redirect::kind::output:
                check(number == STDERR_FILENO, "only the errors of a child go where its output goes");
                break;
            case redirect::kind::null:
                child[at] = above_2(opened(::open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null"));
                break;
            case redirect::kind::descriptor:
                child[at] = opened(::fcntl(to.descriptor(), F_DUPFD_CLOEXEC, 3),
                                   "redirecting to descriptor " + std::to_string(to.descriptor()));
                break;
            case redirect::kind::pipe: {
                int both[2];
                if (::pipe2(both, O_CLOEXEC) != 0) {
                    fail(errno, "pipe2");
                }
                fd out(both[0]);
                fd in(both[1]);
                child[at] = above_2(std::move(number == STDIN_FILENO ? out : in));
                ours[at] = std::move(number == STDIN_FILENO ? in : out);
                break;
            }
        }
    }

private:
    static fd above_2(fd any) {
        return any.get() > 2 ? std::move(any) : opened(::fcntl(any.get(), F_DUPFD_CLOEXEC, 3), "fcntl");
    }
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> all;
    all.reserve(words.size() + 1);
    for (const std::string& word : words) {
        if (word.find('\0') != std::string::npos) {
            throw std::invalid_argument("a word for a program ends at its first zero byte: " + word);
        }
        all.push_back(const_cast<char*>(word.c_str()));
    }
    all.push_back(nullptr);
    return all;
}

std::string_view name_of(std::string_view variable) noexcept {
    return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_of(const process_options& options) {
    std::vector<std::string> all;
    if (options.inherit_environment) {
        for (char** next = environ; next != nullptr && *next != nullptr; ++next) {
            all.emplace_back(*next);
        }
    }
    for (const std::string& added : options.environment) {
        if (added.find('=') == std::string::npos || added.front() == '=') {
            throw std::invalid_argument("an environment variable is NAME=value, not \"" + added + "\"");
        }
        std::erase_if(all, [&](const std::string& old) { return name_of(old) == name_of(added); });
        all.push_back(added);
    }
    return all;
}

// The child that was just started, when it cannot be watched.
[[noreturn]] void abandon(pid_t child, int error, const std::string& program) {
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    fail(error, "pidfd_open of " + program);
}

}  // namespace

started_process start_process(const command_line& command, const process_options& options) {
    if (command.words().empty() || command.words().front().empty()) {
        throw std::invalid_argument("a command names a program");
    }
    const std::string& program = command.words().front();
    require_kernel();
    const std::vector<char*> words = pointers(command.words());
    const std::vector<std::string> variables = environment_of(options);
    const std::vector<char*> environment = pointers(variables);

    streams made;
    file_actions actions;
    fd directory;
    made.open(STDIN_FILENO, options.input);
    made.open(STDOUT_FILENO, options.output);
    made.open(STDERR_FILENO, options.errors);
    for (int number = 0; number < 3; ++number) {
        if (const fd& end = made.child[number]) {
            actions.duplicate(end.get(), number);
        }
    }
    if (options.errors.what() == redirect::kind::output) {
        actions.duplicate(STDOUT_FILENO, STDERR_FILENO);
    }
    if (!options.directory.empty()) {
        const std::string path(options.directory);
        directory = opened(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "directory " + path);
        actions.change_directory(directory.get());
    }
    if (!options.inherit_descriptors) {
        actions.close_from(3);
    }
    const attributes how(options.new_group);

    started_process started;
    const auto spawn = options.search_path ? ::posix_spawnp : ::posix_spawn;
    if (const int error =
            spawn(&started.id, program.c_str(), actions.get(), how.get(), words.data(), environment.data())) {
        fail(error, "spawn " + program);
    }
    started.descriptor.reset(open_pidfd(started.id));
    if (!started.descriptor) {
        abandon(started.id, errno, program);
    }
    for (int number = 0; number < 3; ++number) {
        started.ends[number] = std::move(made.ours[number]);
    }
    return started;
}

}  // namespace leat::detail
