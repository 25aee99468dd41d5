// SPDX-License-Identifier: MIT
#include <fetch/views/plain_view.hpp>
#include <fetch/views/text.hpp>

#include <leat/sleep.hpp>

#include <chrono>

namespace fetch {
namespace {

// Of one that has not failed.
std::string end_line(const transfer& of) {
    std::string line = of.file.empty() ? "" : of.file + ": ";
    if (of.state == transfer_state::kept) {
        line += "kept, it is as at ";
    } else {
        line += std::to_string(of.received) + " bytes received from ";
    }
    line += of.shown;
    if (of.resumed > 0 && of.state == transfer_state::fetched) {
        line += ", after " + std::to_string(of.resumed) + " of an earlier run";
    }
    if (of.tries > 1) {
        line += " (asked " + std::to_string(of.tries) + " times)";
    }
    return printable(line + ".");
}

}  // namespace

void plain_view::began(const transfer& of) {
    if (of.job.mistake.empty()) {
        print("GET: " + printable(of.shown));
    }
}

void plain_view::tries_again(const transfer& of, leat::duration wait) {
    print("again in " + seconds_text(wait, 1) + " s: " + failure_line(of));
}

void plain_view::ended(const transfer& of) {
    if (of.state == transfer_state::failed) {
        lines_.write_some();  // what came before it is read before it
        errors_.print("error: " + failure_line(of) + "\n");
        errors_.write_some();
    } else {
        print(end_line(of));
    }
}

leat::task<> plain_view::draw(const run_totals& /*totals*/) {
    for (;;) {
        co_await leat::sleep(std::chrono::milliseconds(100));
        lines_.write_some();
        errors_.write_some();
    }
}

void plain_view::summarize(const run_totals& totals, std::string_view stopped) {
    print(totals_line(totals, stopped));
    finish(stopped);
}

void plain_view::finish(std::string_view stopped) {
    lines_.finish(stopped);
    errors_.finish(stopped);
}

void quiet_view::ended(const transfer& of) {
    if (of.state == transfer_state::failed) {
        errors_.print("error: " + failure_line(of) + "\n");
        errors_.write_some();
    }
}

leat::task<> quiet_view::draw(const run_totals& /*totals*/) {
    for (;;) {
        co_await leat::sleep(std::chrono::milliseconds(100));
        errors_.write_some();
    }
}

void quiet_view::summarize(const run_totals& /*totals*/, std::string_view stopped) {
    errors_.finish(stopped);
}

std::string totals_line(const run_totals& totals, std::string_view stopped) {
    std::string line = std::to_string(totals.fetched + totals.kept) + " of ";
    line +=
        totals.jobs.has_value() ? std::to_string(*totals.jobs) : "at least " + std::to_string(totals.begun);
    line += " URLs, " + std::to_string(totals.received) + " bytes in " +
            seconds_text(leat::now() - totals.begin, 3) + " s, " + std::to_string(totals.failed) + " failed";
    if (totals.kept > 0) {
        line += ", " + std::to_string(totals.kept) + " kept";
    }
    if (totals.tries > totals.begun) {
        line += ", " + std::to_string(totals.tries - totals.begun) + " tried again";
    }
    if (totals.unlisted > 0) {
        line += ", " + std::to_string(totals.unlisted) + " without a checksum";
    }
    if (totals.unused_checksums > 0) {
        line += ", " + std::to_string(totals.unused_checksums) + " checksums of no file here";
    }
    if (!stopped.empty()) {
        line += ", stopped by " + std::string(stopped);
    }
    return line;
}

}  // namespace fetch
