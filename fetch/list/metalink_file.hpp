// SPDX-License-Identifier: MIT
// metalink_file: a "file" element of a Metalink document (RFC 5854), becoming a job. metalink_reader tells it
// what the document has. What is wrong is a mistake of the job; the first one counts.
#pragma once

#include <fetch/list/job.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fetch {

class metalink_file {
public:
    metalink_file() = default;
    // The name and line of the list, for mistakes; the file's name.
    metalink_file(std::string_view list, std::uint64_t line, std::string_view name);

    void take_size(std::string_view text);
    void take_hash(std::string_view type, std::string_view text);
    void take_url(std::string_view priority, std::string_view text);
    void begin_pieces(std::string_view type, std::string_view length);
    void take_piece(std::string_view text);
    void end_pieces();
    // With all that was told.
    [[nodiscard]] job end() &&;

private:
    struct place {
        std::uint64_t priority;
        std::string url;
    };

    void refuse(std::string_view what);
    void check_pieces();

    std::string list_;
    std::uint64_t line_ = 0;
    std::string name_;
    std::string mistake_;
    std::vector<place> places_;            // by priority
    std::optional<piece_digests> pieces_;  // that are being told
    job job_;
};

}  // namespace fetch
