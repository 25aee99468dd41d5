// SPDX-License-Identifier: MIT
#include <fetch/program/failure_notes.hpp>

#include <fetch/list/written_job.hpp>

namespace fetch {

void failure_notes::ended(const transfer& of) {
    if (of.state != transfer_state::failed) {
        return;
    }
    kinds_.insert(of.failure->kind);
    add(of.job);
}

void failure_notes::stopped(const transfer& of) {
    add(of.job);
}

void failure_notes::add(const job& of) {
    if (list_.is_wanted()) {
        list_.add(written_job(of) + "\n");
    }
}

leat::task<> failure_notes::draw(const run_totals& /*totals*/) {
    co_return;
}

void failure_notes::summarize(const run_totals& /*totals*/, std::string_view /*stopped*/) {
    list_.finish();
}

int failure_notes::exit_status() const noexcept {
    if (kinds_.empty()) {
        return 0;
    }
    return kinds_.size() == 1 ? exit_status_of(*kinds_.begin()) : 1;
}

int exit_status_of(failure_kind kind) noexcept {
    switch (kind) {
        case failure_kind::bad_input:
            return 3;
        case failure_kind::name:
            return 4;
        case failure_kind::connect:
            return 5;
        case failure_kind::tls:
            return 6;
        case failure_kind::refused:
            return 7;
        case failure_kind::busy:
            return 8;
        case failure_kind::server:
            return 9;
        case failure_kind::protocol:
            return 10;
        case failure_kind::redirect:
            return 11;
        case failure_kind::interrupted:
            return 12;
        case failure_kind::stalled:
            return 13;
        case failure_kind::checksum:
            return 14;
        case failure_kind::file:
            return 15;
        case failure_kind::other:
            return 1;
    }
    return 1;
}

}  // namespace fetch
