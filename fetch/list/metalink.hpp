// SPDX-License-Identifier: MIT
// metalink_reader: the files of a Metalink document (RFC 5854), as jobs, while its bytes come: each file is a
// job once its element has ended. By expat.
//
// What the document says is a stranger's: the names are made safe (names/safe_name.hpp), a document type, and
// so entities of its own, is refused, and so is what is nested too deep or too long. Of several checksums the
// strongest one counts. Of the URLs those of http and https count, in the order of their priorities; others,
// and what the RFC does not know, are passed over.
#pragma once

#include <fetch/list/job.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fetch {

class metalink_reader {
public:
    // The name is for what is said of mistakes.
    explicit metalink_reader(std::string name);
    metalink_reader(metalink_reader&&) noexcept;
    metalink_reader& operator=(metalink_reader&&) noexcept;
    ~metalink_reader();

    // Takes the next bytes. Throws std::runtime_error, as "a.meta4:3: mismatched tag", when they are no
    // Metalink document; what was whole before is still given.
    void add(std::string_view bytes);
    // There are no more. Throws the same when that is too early.
    void end();

    // The next file that is whole; nothing: more bytes are needed. The job has no number.
    [[nodiscard]] std::optional<job> next();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace fetch
