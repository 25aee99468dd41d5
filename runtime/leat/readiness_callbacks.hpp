// SPDX-License-Identifier: MIT
// readiness_callbacks: calls functions when descriptors are ready, for code that is not made of coroutines
// yet, such as a library that wants to be told:
//
//   leat::readiness_callbacks watched;
//   watched.add(fd, leat::ready_to::read, [&](int number, leat::ready_to) { read_some(number); });
//   co_await watched.run();
//
// It is level-triggered: a callback that leaves something to read is called again. Callbacks are called one
// at a time, by tasks of run(), and cannot wait; each of them may add, modify and remove any descriptor, its
// own too. Any descriptor that can be polled will do; a regular file, which cannot, is always ready.
// Invariant: after remove(), or a modify() that takes an event away, no callback is called for it, also when
// the descriptor was ready before. Then the number may be closed and used again.
#pragma once

#include <leat/task_group.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

namespace leat {

enum class ready_to : std::uint8_t { do_nothing = 0, read = 1, write = 2, read_and_write = 3 };

[[nodiscard]] constexpr ready_to operator|(ready_to a, ready_to b) noexcept {
    return static_cast<ready_to>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr ready_to operator&(ready_to a, ready_to b) noexcept {
    return static_cast<ready_to>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

class readiness_callbacks {
public:
    // Told which descriptor is ready, and for one thing: of one that can be read and written both are told,
    // in two calls. An end, a hang-up and an error count as both; the read or the write tells which it is.
    using callback = std::function<void(int descriptor, ready_to)>;

    readiness_callbacks() noexcept;
    readiness_callbacks(const readiness_callbacks&) = delete;
    readiness_callbacks& operator=(const readiness_callbacks&) = delete;
    // Not while run() is under way.
    ~readiness_callbacks();

    // Calls `call` whenever `descriptor` is ready for one of `events`. The descriptor stays open until it is
    // removed. Throws std::system_error with std::errc::file_exists when it has been added before, and
    // std::bad_alloc; then nothing has changed.
    void add(int descriptor, ready_to events, callback call);
    // Replaces the events of a descriptor; with do_nothing it rests. Throws std::system_error with
    // std::errc::no_such_file_or_directory when it has not been added, and std::bad_alloc; then nothing has
    // changed.
    void modify(int descriptor, ready_to events);
    // False when it has not been added.
    bool remove(int descriptor) noexcept;
    [[nodiscard]] bool contains(int descriptor) const noexcept { return all_.contains(descriptor); }
    [[nodiscard]] std::size_t size() const noexcept { return all_.size(); }

    // Watches the descriptors until none waits for an event, or stop(). Throws what a callback throws, or the
    // error of a descriptor that cannot be waited for, such as a closed one, as "descriptor 7: Bad file
    // descriptor". However it ends, also cancelled, the descriptors stay added, and another run() goes on
    // with them. One at a time.
    [[nodiscard]] task<> run();
    // Ends run(), if it is under way.
    void stop() noexcept;

private:
    struct registration;
    struct direction;

    static task<> watch(detail::reference<registration> watched, ready_to event, std::uint32_t turn);
    void start(registration& of, ready_to events);
    [[nodiscard]] registration* find(int descriptor) const noexcept;

    std::map<int, detail::reference<registration>> all_;
    task_group* running_ = nullptr;
};

}  // namespace leat
