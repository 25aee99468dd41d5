// SPDX-License-Identifier: MIT
#include <leat/run.hpp>

#include <leat/trace.hpp>

#include <cstdio>

#include <sys/resource.h>

namespace leat {

std::string describe_backend() {
    const backend_description described = current_scheduler().io().describe();
    std::string text = described.name;
    if (!described.features.empty()) {
        text += " (" + described.features + ")";
    }
    if (!described.refused.empty()) {
        text += "; " + described.refused;
    }
    return text;
}

namespace detail {

lookers::lookers(const run_options& options)
    : how{options.observer, options.dump_signal, options.watch_limit, options.end_grace, options.counting},
      trace_(make_trace(options.observer)) {
    if (trace_ != nullptr) {
        how.hears = trace_.get();
    }
}

lookers::~lookers() = default;

void print_report(std::string_view line) {
    std::fprintf(stderr, "leat: %.*s\n", static_cast<int>(line.size()), line.data());
}

int print_error(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        std::fprintf(stderr, "error: %s\n", known.what());
    } catch (...) {
        std::fputs("error: an exception of unknown type\n", stderr);
    }
    return 1;
}

void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace detail

}  // namespace leat
