// SPDX-License-Identifier: MIT
// A file whose pieces have digests, from mirrors that change bytes on their way, on a network and a disk that
// fail: under its name is the file that is meant, or nothing.
#include "../../net/simulated/whole_program.hpp"
#include "../../support/http_origin.hpp"
#include "../engine/made_run.hpp"

#include <fetch/files/file_error.hpp>

#include <leat/system/folder.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t meant_size = 700'123;
constexpr std::size_t meant_piece = 90'000;
constexpr const char* folder_of_pieces = "/tmp/fetched";

const std::string& meant_file() {
    static const std::string made = numbered_text(7, meant_size);
    return made;
}

std::string_view piece_at(std::size_t at) {
    return std::string_view(meant_file()).substr(at, meant_piece);
}

fetch::piece_digests meant_pieces() {
    fetch::piece_digests made{.kind = fetch::digest_kind::sha_256, .length = meant_piece};
    fetch::digester each(made.kind);
    for (std::size_t at = 0; at < meant_size; at += meant_piece) {
        each.add(std::as_bytes(std::span(piece_at(at))));
        made.bytes.push_back(each.end().bytes);
    }
    return made;
}

std::string said(std::string_view status, const std::string& fields, const std::string& body) {
    return "HTTP/1.1 " + std::string(status) + "\r\nETag: \"one\"\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The bytes from `from` to before `end`, of which some are changed.
std::string sent_bytes(std::size_t from, std::size_t end) {
    std::string bytes = meant_file().substr(from, end - from);
    for (std::uint64_t changes = draw(3); changes > 0 && !bytes.empty(); --changes) {
        bytes[draw(bytes.size())] ^= 1;
    }
    return bytes;
}

support::answer answer_of_mirror(const std::string& head) {
    if (draw(12) == 0) {
        return {said("503 Service Unavailable", "", "")};
    }
    const std::size_t field = head.find("\r\nRange: bytes=");
    support::answer made;
    if (field == std::string::npos || draw(8) == 0) {
        made.bytes = said("200 OK", "", sent_bytes(0, meant_size));
    } else {
        std::size_t digits = 0;
        const std::size_t from = std::stoul(head.substr(field + 15), &digits);
        const std::string last = head.substr(field + 15 + digits + 1, 20);
        const std::size_t end = last.starts_with('\r') ? meant_size : std::stoul(last) + 1;
        const std::size_t told = draw(10) == 0 ? from + 1 : from;  // it does not keep to what was asked
        made.bytes =
            said("206 Partial Content",
                 "Content-Range: bytes " + std::to_string(told) + "-" +
                     std::to_string(told + end - from - 1) + "/" + std::to_string(meant_size) + "\r\n",
                 sent_bytes(from, end));
    }
    if (draw(6) == 0) {
        made.bytes.resize(draw(made.bytes.size() + 1));
        made.next = support::then::close;
    }
    return made;
}

task<bool> run_for_pieces(const std::vector<std::string>& urls) {
    support::noting_observer told;
    fetch::settings how{.folder = folder_of_pieces};
    how.files.when_there = fetch::existing_file::skip;
    how.files.sync = draw(4) == 0;
    how.tries.tries = static_cast<int>(1 + draw(4));
    how.tries.idle = how.tries.first_byte = 20s;
    fetch::job one{.url = urls[0], .size = meant_size, .pieces = meant_pieces()};
    if (draw(2) == 0) {
        one.mirrors = {urls[1]};
    }
    auto running = [&]() -> task<> { (void)co_await support::run(how, told, {one}); };
    try {
        if (draw(3) == 0) {
            (void)co_await move_on_after(draw_time(2s), running());
        } else {
            co_await running();
        }
    } catch (const fetch::file_error&) {
        // the folder cannot be used now
    }
    co_return told.all.size() == 1 && told.all[0].state == fetch::transfer_state::fetched;
}

}  // namespace

LEAT_SIMULATE("pieces: under the name is the file that is meant, or nothing", seeds(300)) {
    support::http_origin origin(answer_of_mirror);
    support::http_origin mirror(answer_of_mirror);
    const std::vector<std::string> urls{origin.url("/f"), mirror.url("/f")};
    co_await origin.during([&]() -> task<> {
        co_await mirror.during([&]() -> task<> {
            bool whole = false;
            for (int runs = 0; runs < 6 && !whole; ++runs) {
                whole = co_await run_for_pieces(urls);
                const bool there = co_await path_exists(std::string(folder_of_pieces) + "/f");
                CHECK((there || !whole));
                if (there) {
                    const std::string found =
                        co_await read_file(std::string(folder_of_pieces) + "/f", 2 * meant_size);
                    CHECK((found == meant_file()));
                }
            }
        });
    });
}

}  // namespace leat::testing
