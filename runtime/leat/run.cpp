// SPDX-License-Identifier: MIT
#include <leat/run.hpp>

#include <leat/core/standard_streams.hpp>
#include <leat/observe/core/trace.hpp>

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

run_observation::run_observation(const run_options& options)
    : how{options.observer, options.dump_signal, options.watch_limit, options.end_grace, options.counting} {
    open_standard_streams();
    trace_ = make_trace(options.observer);
    if (trace_ != nullptr) {
        how.hears = trace_.get();
    }
}

run_observation::~run_observation() = default;

void print_report(std::string_view line) {
    write_to_standard_error({"leat: ", line, "\n"});
}

int print_error(const std::exception_ptr& error) noexcept {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        write_to_standard_error({"error: ", known.what(), "\n"});
    } catch (...) {
        write_to_standard_error({"error: an exception of unknown type\n"});
    }
    return 1;
}

int flush_standard_output(int status) noexcept {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
        return status;
    }
    // errno is that of the flush, or of a write long ago.
    write_to_standard_error({"error: standard output could not be written\n"});
    return status == 0 ? 1 : status;
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
