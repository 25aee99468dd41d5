// SPDX-License-Identifier: MIT
// Reading a file in a fibre of which only a part is in memory: all of it is read, as elsewhere.
#include "ends.hpp"

#include <leat/blocking.hpp>
#include <leat/testing/doctest.hpp>

#include <string_view>

#include <sys/mman.h>
#include <sys/uio.h>

using namespace hook_tests;

namespace {

// While it lives calls that do not wait give a byte of a file: the rest is not in memory.
class one_byte_in_memory {
public:
    one_byte_in_memory() noexcept { leat::detail::real.preadv2 = first_byte; }
    one_byte_in_memory(const one_byte_in_memory&) = delete;
    one_byte_in_memory& operator=(const one_byte_in_memory&) = delete;
    ~one_byte_in_memory() { leat::detail::real.preadv2 = ::preadv2; }

private:
    static ssize_t first_byte(int fd, const iovec* into, int /*count*/, off_t at, int /*flags*/) {
        const iovec first{.iov_base = into->iov_base, .iov_len = 1};
        return ::preadv2(fd, &first, 1, at, 0);
    }
};

}  // namespace

LEAT_TEST("a file of which only a part is in memory is read whole", on(leat::testing::kernel)) {
    const leat::fd file(::memfd_create("file", MFD_CLOEXEC));
    put(file, "abcdefghij");
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    const one_byte_in_memory one_byte;
    char got[12]{};
    const auto whole = co_await leat::blocking([&] {
        iovec parts[10];
        for (int i = 0; i < 10; ++i) {
            parts[i] = {.iov_base = got + i, .iov_len = 1};
        }
        return ::readv(file.get(), parts, 10);
    });
    CHECK(whole == 10);
    CHECK(std::string_view(got) == "abcdefghij");
    REQUIRE(::lseek(file.get(), 5, SEEK_SET) == 5);
    const auto rest = co_await leat::blocking([&] { return ::read(file.get(), got, sizeof got); });
    CHECK(rest == 5);
}
