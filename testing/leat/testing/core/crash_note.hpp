// SPDX-License-Identifier: MIT
// crash_note: text that is written to standard error when a signal ends the program while a test runs, such
// as the command that replays it. Used by run_on() and simulate().
//
// Theory of operation. The text is ready in static memory, and the handler only writes it. Then the handler
// restores the previous disposition, that of the test framework or of a sanitizer, and raises the signal
// again. On a thread that runs tests it writes that thread's notes, the latest first; on any other thread all
// notes, since it may work for one of these tests.
// Invariant: the handlers are installed while a note lives; then the previous dispositions are restored.
#pragma once

#include <initializer_list>
#include <string_view>

namespace leat::testing::detail {

class crash_note {
public:
    // Of what is said at a time; more notes are silent.
    static constexpr int most = 64;

    crash_note() noexcept;
    crash_note(const crash_note&) = delete;
    crash_note& operator=(const crash_note&) = delete;
    // On the thread that made it. Notes of a thread die in the reverse order.
    ~crash_note();

    // From now on says the line that the pieces are together, of which at most 1023 bytes are kept.
    void say(std::initializer_list<std::string_view> pieces) noexcept;

    struct slot;

private:
    slot* slot_;  // null when there was none left
};

}  // namespace leat::testing::detail
