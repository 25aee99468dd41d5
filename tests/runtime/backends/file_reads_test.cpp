// SPDX-License-Identifier: MIT
// Which reads of a file take a thread, on the backends that have no kernel to do them: tried by functions
// that replace the system call.
#include "../../support/any_folder.hpp"

#include <leat/backends/system_call.hpp>
#include <leat/runtime.hpp>
#include <leat/system/folder.hpp>
#include <leat/testing/doctest.hpp>

#include <cerrno>
#include <string>
#include <utility>

using leat::file;
using leat::task;
using leat::testing::folder;

namespace {

using call = decltype(leat::system_call::preadv2);

class replaced_call {
public:
    explicit replaced_call(call by) : before_(std::exchange(leat::system_call::preadv2, by)) {}
    replaced_call(const replaced_call&) = delete;
    replaced_call& operator=(const replaced_call&) = delete;
    ~replaced_call() { leat::system_call::preadv2 = before_; }

private:
    call before_;
};

int calls = 0;

// Whether a read of `size` bytes waits for a thread; it gives the right bytes in any case.
task<bool> takes_thread(std::size_t size) {
    const folder where;
    const std::string bytes(size, 'x');
    auto one = co_await file::open(where.file("one", bytes));
    std::string text(size, '\0');
    bool waited = false;
    const auto before = leat::current_scheduler().counters().turns;
    co_await one.read_exactly_at(0, text);
    waited = leat::current_scheduler().counters().turns != before;
    CHECK((text == bytes));
    co_return waited;
}

}  // namespace

LEAT_TEST("a read of what is in memory takes no thread", on(leat::testing::epoll, leat::testing::poll)) {
    const bool small = co_await takes_thread(1000);
    CHECK(!small);
    const bool large = co_await takes_thread(1 << 20);
    CHECK(large);
}

LEAT_TEST("a read of what a disk has to bring takes a thread",
          on(leat::testing::epoll, leat::testing::poll)) {
    const replaced_call by([](int, const iovec*, int, off_t, int) -> ssize_t {
        ++calls;
        errno = calls % 2 == 0 ? EAGAIN : EOPNOTSUPP;
        return -1;
    });
    calls = 0;
    const bool waited = co_await takes_thread(1000);
    CHECK(waited);
    const bool again = co_await takes_thread(1000);
    CHECK(again);
    CHECK(calls == 2);
}

LEAT_TEST("an end that the kernel tells by mistake is asked for again",
          on(leat::testing::epoll, leat::testing::poll)) {
    const replaced_call by([](int, const iovec*, int, off_t, int) -> ssize_t { return 0; });
    const bool waited = co_await takes_thread(1000);
    CHECK(waited);
}
