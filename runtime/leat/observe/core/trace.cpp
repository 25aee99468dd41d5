// SPDX-License-Identifier: MIT
#include <leat/observe/core/trace.hpp>

#include <leat/core/json_text.hpp>
#include <leat/core/scheduler.hpp>
#include <leat/core/standard_streams.hpp>
#include <leat/fd.hpp>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <unordered_map>

#include <fcntl.h>
#include <unistd.h>

namespace leat::detail {

namespace {

constexpr std::size_t block = 64 * 1024;

std::string_view name_of(ending how) noexcept {
    switch (how) {
        case ending::none:
        case ending::value:
            return "completed";
        case ending::error:
            return "failed";
        case ending::cancelled:
            return "cancelled";
    }
    return "";
}

class trace final : public observer {
public:
    trace(const std::string& path, observer* next)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)), next_(next) {
        if (!file_) {
            throw std::system_error(errno_code(errno), "LEAT_TRACE=" + path);
        }
        json_.begin_array();
    }
    trace(const trace&) = delete;
    trace& operator=(const trace&) = delete;
    ~trace() override {
        const std::unordered_map<std::uint32_t, begun> unfinished = std::move(waits_);
        for (const auto& [task, wait] : unfinished) {
            add_span(task, wait.what, "wait", wait.at, last_);
        }
        json_.end_array();
        json_.text += '\n';
        write_out();
    }

    void task_spawned(const observed_task& task, std::uint32_t owner) noexcept override {
        std::string name = "task " + std::to_string(task.id) + " ";
        name += task.name.empty() ? task.spawned_at.function_name() : task.name;
        begin("thread_name", "M", task.id);
        json_.key("args").begin_object();
        json_.key("name").value(name);
        json_.key("spawned_at")
            .value(std::string(task.spawned_at.file_name()) + ":" + std::to_string(task.spawned_at.line()));
        json_.key("owner").value(owner);
        json_.end_object();
        end();
        if (next_ != nullptr) {
            next_->task_spawned(task, owner);
        }
    }
    void step_began(const observed_task& task) noexcept override {
        step_ = {"step", time()};
        if (next_ != nullptr) {
            next_->step_began(task);
        }
    }
    void step_ended(std::uint32_t task) noexcept override {
        add_span(task, step_.what, "step", step_.at, time());
        if (next_ != nullptr) {
            next_->step_ended(task);
        }
    }
    void wait_began(std::uint32_t task, const char* what) noexcept override {
        waits_.insert_or_assign(task, begun{what, time()});
        if (next_ != nullptr) {
            next_->wait_began(task, what);
        }
    }
    void wait_ended(std::uint32_t task) noexcept override {
        if (const auto wait = waits_.extract(task)) {
            add_span(task, wait.mapped().what, "wait", wait.mapped().at, time());
        }
        if (next_ != nullptr) {
            next_->wait_ended(task);
        }
    }
    void task_ended(std::uint32_t task, ending how) noexcept override {
        begin(name_of(how), "i", task);
        json_.key("s").value("t");
        add_time("ts", time().time_since_epoch());
        end();
        if (next_ != nullptr) {
            next_->task_ended(task, how);
        }
    }

private:
    struct begun {
        const char* what;
        time_point at;
    };

    time_point time() noexcept { return last_ = now(); }

    void begin(std::string_view name, std::string_view phase, std::uint32_t task) {
        json_.begin_object();
        json_.key("name").value(name);
        json_.key("ph").value(phase);
        json_.key("pid").value(::getpid());
        json_.key("tid").value(task);
    }
    void end() {
        json_.end_object();
        if (json_.text.size() >= block) {
            write_out();
        }
    }
    void add_span(std::uint32_t task, const char* name, std::string_view category, time_point from,
                  time_point to) {
        begin(name, "X", task);
        json_.key("cat").value(category);
        add_time("ts", from.time_since_epoch());
        add_time("dur", to - from);
        end();
    }
    // In microseconds, with three decimals.
    void add_time(std::string_view name, duration length) {
        const std::string decimals = std::to_string(1000 + length.count() % 1000).substr(1);
        json_.key(name).number(std::to_string(length.count() / 1000) + "." + decimals);
    }

    void write_out() noexcept {
        std::string_view rest = json_.text;
        while (!rest.empty() && file_) {
            const ssize_t written =
                detail::write_without_sigpipe(file_.get(), std::as_bytes(std::span(rest)));
            if (written >= 0) {
                rest.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno != EINTR) {
                file_.reset();  // a full disk, or a pipe that nobody reads, is no reason to end the program
            }
        }
        json_.text.clear();
    }

    fd file_;
    observer* next_;
    detail::json_text json_;
    begun step_{};
    std::unordered_map<std::uint32_t, begun> waits_;  // by task
    time_point last_{};
};

}  // namespace

std::unique_ptr<observer> make_trace(observer* next) {
    const char* path = std::getenv("LEAT_TRACE");
    if (path == nullptr || *path == '\0') {
        return nullptr;
    }
    static constinit std::atomic<int> runs = 0;
    const int run = ++runs;
    return std::make_unique<trace>(run == 1 ? path : path + ("." + std::to_string(run)), next);
}

}  // namespace leat::detail
