// SPDX-License-Identifier: MIT
// A run of leat-fetch against an origin that keeps to nothing, on a network and a disk that fail: under a
// final name there is all of one state of the file, or nothing.
#include "../../net/simulated/whole_program.hpp"
#include "../../support/http_origin.hpp"
#include "../engine/made_run.hpp"

#include <fetch/files/file_error.hpp>
#include <fetch/names/reserved.hpp>

#include <leat/system/folder.hpp>

#include <array>
#include <string>
#include <vector>

namespace leat::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t files = 6;
constexpr const char* folder_of_run = "/tmp/fetched";

// A state of a file of the origin. All of its states have another length or other bytes.
std::string state_of(std::size_t file, std::uint64_t state) {
    const std::size_t size = file == 0 ? 0 : 200 + file * file * 9'000 + state * 17;
    return numbered_text(file * 1'000 + state, size);
}

std::string tag_of(std::uint64_t state) {
    return "\"state-" + std::to_string(state) + "\"";
}

std::string head_of(std::string_view status, std::string_view fields, std::size_t length) {
    return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
           "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

std::optional<std::size_t> asked_from(const std::string& head) {
    const std::size_t at = head.find("\r\nRange: bytes=");
    return at == std::string::npos ? std::nullopt : std::optional(std::stoul(head.substr(at + 15)));
}

// Answers as it likes. What it says of a file's states is true, or contradicts itself.
class capricious_origin {
public:
    support::answer operator()(const std::string& head) {
        const std::size_t file = std::stoul(support::path_of(head).substr(2)) % files;
        std::uint64_t& state = states_[file];
        if (draw(12) == 0) {
            ++state;  // changed meanwhile
        }
        support::answer made = answer_with(head, state_of(file, state), tag_of(state));
        if (draw(5) == 0) {  // cut anywhere
            made.bytes.resize(draw(made.bytes.size() + 1));
            made.next = draw(4) == 0 ? support::then::end : support::then::close;
        }
        return made;
    }

private:
    static support::answer answer_with(const std::string& head, const std::string& body,
                                       const std::string& tag) {
        switch (draw(16)) {
            case 0:
                return {head_of("503 Service Unavailable", draw(2) == 0 ? "Retry-After: 3\r\n" : "", 0)};
            case 1:
                return {head_of("500 Internal Server Error", "", 0)};
            case 2:
                return {"SSH-2.0-OpenSSH\r\n", support::then::close};
            case 3:
                return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", support::then::close};
            case 4:
                return whole(body, draw(2) == 0 ? "" : "ETag: W/" + tag + "\r\n");
            default:
                return wanted(head, body, tag);
        }
    }
    static support::answer whole(const std::string& body, const std::string& fields) {
        return {head_of("200 OK", fields, body.size()) + body};
    }
    static support::answer part(const std::string& body, const std::string& tag, std::size_t from,
                                std::size_t end, std::size_t told_from) {
        const std::string range = "Content-Range: bytes " + std::to_string(told_from) + "-" +
                                  std::to_string(told_from + (end - from) - 1) + "/" +
                                  std::to_string(body.size()) + "\r\n";
        return {head_of("206 Partial Content", "ETag: " + tag + "\r\n" + range, end - from) +
                body.substr(from, end - from)};
    }
    static support::answer wanted(const std::string& head, const std::string& body, const std::string& tag) {
        const auto from = asked_from(head);
        const bool same = head.find("If-Range: " + tag) != std::string::npos;
        if (!from || (!same && draw(3) != 0) || draw(6) == 0) {
            return whole(body, "ETag: " + tag + "\r\n");
        }
        if (*from >= body.size()) {
            return {head_of("416 Range Not Satisfiable",
                            "Content-Range: bytes */" + std::to_string(body.size()) + "\r\n", 0)};
        }
        const std::size_t end = draw(3) == 0 ? *from + 1 + draw(body.size() - *from) : body.size();
        const std::size_t told = draw(8) == 0 ? *from + 1 : *from;  // it does not keep to what was asked
        return part(body, tag, *from, end, told);
    }

    std::array<std::uint64_t, files> states_{};
};

// Whether it is one of the states that the file has had.
bool is_a_state(std::size_t file, const std::string& bytes) {
    for (std::uint64_t state = 0; state < 200; ++state) {
        if (state_of(file, state) == bytes) {
            return true;
        }
    }
    return false;
}

task<> check_files() {
    for (const folder_entry& each : co_await list_folder(folder_of_run)) {
        if (fetch::looks_unfinished(each.name)) {
            continue;
        }
        const std::string bytes = co_await read_file(std::string(folder_of_run) + "/" + each.name, 1 << 20);
        const bool whole = is_a_state(std::stoul(each.name.substr(1)), bytes);
        INFO(each.name);
        CHECK(whole);
    }
}

fetch::settings drawn_settings() {
    fetch::settings how{.folder = folder_of_run};
    how.files.when_there = draw(2) == 0 ? fetch::existing_file::skip : fetch::existing_file::replace;
    how.files.sync = draw(4) == 0;
    how.limits.transfers = 1 + draw(4);
    how.limits.rate = draw(4) == 0 ? 100'000 : 0;
    how.tries.tries = static_cast<int>(1 + draw(6));
    how.tries.idle = 20s;
    how.tries.first_byte = 20s;
    return how;
}

std::vector<fetch::job> all_jobs(const support::http_origin& origin) {
    std::vector<fetch::job> jobs;
    for (std::size_t file = 0; file < files; ++file) {
        jobs.push_back({.url = origin.url("/f" + std::to_string(file))});
    }
    return jobs;
}

// A run, which may be given up at any moment. Gives whether all came.
task<bool> run_once(const support::http_origin& origin) {
    support::noting_observer told;
    const fetch::settings how = drawn_settings();
    auto running = [&]() -> task<> { (void)co_await support::run(how, told, all_jobs(origin)); };
    try {
        if (draw(3) == 0) {
            (void)co_await move_on_after(draw_time(3s), running());
        } else {
            co_await running();
        }
    } catch (const fetch::file_error&) {
        // the folder cannot be used now
    }
    const auto whole = [](const auto& each) {
        return each.state == fetch::transfer_state::fetched || each.state == fetch::transfer_state::kept;
    };
    co_return told.all.size() == files&& std::all_of(told.all.begin(), told.all.end(), whole);
}

}  // namespace

LEAT_SIMULATE("a run: under a final name is all of one state of the file, or nothing", seeds(1000)) {
    capricious_origin answers;
    support::http_origin origin([&](const std::string& head) { return answers(head); });
    co_await origin.during([&]() -> task<> {
        for (int runs = 0; runs < 4; ++runs) {
            const bool all = co_await run_once(origin);
            co_await check_files();
            if (all) {
                break;
            }
        }
    });
}

}  // namespace leat::testing
