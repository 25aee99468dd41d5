// SPDX-License-Identifier: MIT
// What accept(2) may fail with: the connection's own trouble, a shortage of the process, and all else.
#include <leat/fd.hpp>
#include <leat/net.hpp>

#include "../runtime/virtual_kernel.hpp"

#include <cerrno>
#include <string>
#include <vector>

using namespace std::chrono_literals;

VIRTUAL_TEST("a connection that died in the queue is passed over, whatever its error") {
    auto listener = leat::tcp_listener::bind({"127.0.0.1", 0});
    const leat::fd closed_at_the_end(listener.native_handle());  // this kernel closes nothing
    const std::vector<int> passed_over{ECONNABORTED, ECONNRESET,   EPERM,       EPROTO,
                                       ENOPROTOOPT,  ENETDOWN,     ENETUNREACH, ENONET,
                                       EHOSTDOWN,    EHOSTUNREACH, EOPNOTSUPP,  ETIMEDOUT};
    for (const int error : passed_over) {
        kernel.script.push_back(
            [&kernel, &listener, error] { kernel.complete(listener.native_handle(), -error); });
    }
    kernel.script.push_back([&] { kernel.complete(listener.native_handle(), -EINVAL); });
    std::error_code fatal;
    try {
        co_await listener.accept();
    } catch (const std::system_error& error) {
        fatal = error.code();
    }
    CHECK(fatal == std::errc::invalid_argument);
    CHECK(kernel.submitted == static_cast<int>(passed_over.size()) + 1);
}

namespace {

// Each accept fails with the next of `errors`.
class failing_listener {
public:
    explicit failing_listener(std::vector<int>& errors) noexcept : errors_(&errors) {}
    leat::task<int> accept() {
        const int error = errors_->front();
        errors_->erase(errors_->begin());
        throw std::system_error(error, std::system_category(), "accept");
        co_return 0;
    }
    void close() noexcept {}

private:
    std::vector<int>* errors_;
};

leat::task<> nothing(int /*client*/) {
    co_return;
}

}  // namespace

VIRTUAL_TEST("what a process is short of is waited out, and any other error ends serve") {
    std::vector<int> errors{EMFILE, ENFILE, ENOBUFS, ENOMEM, EBADF};
    const auto began = kernel.now();
    const std::string thrown =
        co_await leat::thrown_by(leat::serve(failing_listener(errors), nothing, {.stop_on = {}}));
    CHECK(thrown == "accept: Bad file descriptor");
    CHECK(errors.empty());
    CHECK(kernel.now() - began == 10ms + 20ms + 40ms + 80ms);
    CHECK(leat::reports == std::vector<std::string>{"accept: Too many open files; trying again"});
}
