// SPDX-License-Identifier: MIT
#include <leat/backends/simulated/simulated_backend.hpp>

#include <leat/backends/readiness.hpp>

#include <algorithm>

#include <unistd.h>

namespace leat {

namespace {

// How long a turn of tasks that are always ready takes while something is under way: else it never arrives.
constexpr duration turn = std::chrono::microseconds(1);
// And after so many in a row while nothing is, tasks wait for time to pass, but not by a wait: each turn
// takes so long from then on, or no deadline, and no limit of a test's time, would ever pass.
constexpr std::size_t busy_turns_max = 10'000;
constexpr duration endless_turn = std::chrono::milliseconds(1);

bool has_come_to(simulated_progress how_far, const operation& op) noexcept {
    return op.phase == static_cast<std::uint8_t>(how_far);
}

}  // namespace

simulated_backend::simulated_backend(simulated_network& network)
    : network_(network), wire_(network.wire), sockets_(network) {
    check(!network.in_use, "a simulation has one run at a time");
    network.in_use = true;
}

simulated_backend::~simulated_backend() {
    check(pending_ == 0, "a backend ends after its last operation");
    network_.in_use = false;
}

bool simulated_backend::submit(operation& op) {
    wire_.note(simulated_event::submitted, network_.place_of(op.descriptor),
               static_cast<std::int64_t>(op.action));
    simulated_socket* const socket = network_.find(op.descriptor);
    if (socket == nullptr) {
        op.result = -error_of_descriptor(op.descriptor);
        return true;
    }
    if (op.owner != nullptr && op.owner != socket->owner) {
        op.owner->check_home(nullptr);
        op.owner->home = this;
        socket->owner = op.owner;
    }
    if (op.action == operation_kind::readable && holds_bytes(socket->owner)) {
        op.result = 0;
        return true;
    }
    waiter& place = socket->waiting(op.action);
    if (place.op != nullptr && place.op->cancel_requested && place.behind == nullptr) {
        wait_behind(place, op);
        return false;
    }
    check(place.op == nullptr, "two tasks wait to read (or to write) on one descriptor at once");
    if (wire_.strikes(&simulated_faults::late_start)) {
        wait(place, op);
        wire_.touch_later(*socket);
        return false;
    }
    if (!simulated_attempt(op, *socket, network_, *pool_)) {
        wait(place, op);
        return false;
    }
    if (hold(op)) {
        wait(place, op);
        return false;
    }
    wire_.note(simulated_event::completed, network_.place_of(op.descriptor), op.result);
    return true;
}

void simulated_backend::wait(waiter& place, operation& op) noexcept {
    place = {&op, ++wire_.waits};
    ++pending_;
}

void simulated_backend::wait_behind(waiter& place, operation& op) noexcept {
    op.phase = static_cast<std::uint8_t>(simulated_progress::behind);
    place.behind = &op;
    ++pending_;
}

// Who was waiting there ends. Who is behind it stays until all that has completed is handed over.
operation& simulated_backend::leave(waiter& place) noexcept {
    operation* const next = place.behind;
    operation& left = *std::exchange(place, {next, ++wire_.waits, nullptr}).op;
    if (next != nullptr) {
        turns_.push_back(*next);
    }
    return left;
}

void simulated_backend::give_turns() noexcept {
    while (!turns_.empty()) {
        operation& op = turns_.pop_front();
        network_.find(op.descriptor)->waiting(op.action) = {};
        op.phase = static_cast<std::uint8_t>(simulated_progress::begun);
        op.its_turn = true;
        completed_.push_back(op);
        ++completed_count_;
    }
}

bool simulated_backend::cancel(operation& op) noexcept {
    if (op.action == operation_kind::file) {
        return cancel_file(static_cast<file_operation&>(op));
    }
    wire_.note(simulated_event::cancelled, network_.place_of(op.descriptor));
    if (op.retired || has_come_to(simulated_progress::done, op)) {
        return false;  // it has completed already
    }
    simulated_socket& socket = *network_.find(op.descriptor);
    waiter& place = socket.waiting(op.action);
    if (has_come_to(simulated_progress::behind, op)) {
        if (op.linked()) {
            op.unlink();
            place = {};
        } else {
            place.behind = nullptr;
        }
        --pending_;
        op.result = -ECANCELED;
        return true;
    }
    check(place.op == &op, "only a pending operation is cancelled");
    if (wire_.strikes(&simulated_faults::late_cancel)) {
        end_later(socket, place);
        return false;
    }
    (void)leave(place);
    --pending_;
    op.result = -ECANCELED;
    return true;
}

// The operation ends as cancelled then, unless it has ended otherwise by then.
void simulated_backend::end_later(simulated_socket& socket, const waiter& place) {
    wire_.delay([this, weak = socket.weak_from_this(), asked = place] {
        const auto found = weak.lock();
        if (found == nullptr) {
            return;
        }
        for (waiter* each : {&found->reader, &found->writer}) {
            if (each->number == asked.number && !has_come_to(simulated_progress::done, *each->op)) {
                operation& op = leave(*each);
                op.result = wire_.strikes(&simulated_faults::interrupted) ? -EINTR : -ECANCELED;
                complete(op);
            }
        }
    });
}

// Whether what has been done is told later. It keeps its place until then, unless that is closed before.
bool simulated_backend::hold(operation& op) {
    if (!wire_.strikes(&simulated_faults::late_completion)) {
        return false;
    }
    op.phase = static_cast<std::uint8_t>(simulated_progress::done);
    wire_.delay([this, &op] {
        simulated_socket* const socket = network_.find(op.descriptor);
        if (socket != nullptr && socket->waiting(op.action).op == &op) {
            (void)leave(socket->waiting(op.action));
        }
        complete(op);
    });
    return true;
}

// It stays pending until it is handed over.
void simulated_backend::complete(operation& op) noexcept {
    wire_.note(simulated_event::completed, network_.place_of(op.descriptor), op.result);
    completed_.push_back(op);
    ++completed_count_;
}

void simulated_backend::try_again(simulated_socket& socket, waiter& place) {
    if (place.op != nullptr && !has_come_to(simulated_progress::behind, *place.op) &&
        !has_come_to(simulated_progress::done, *place.op) &&
        simulated_attempt(*place.op, socket, network_, *pool_) && !hold(*place.op)) {
        complete(leave(place));
    }
}

// Does what has become possible, at this time.
void simulated_backend::look() {
    wire_.events.run_due();
    while (const auto touched = wire_.next_touched()) {
        try_again(*touched, touched->reader);
        try_again(*touched, touched->writer);
        wire_.events.run_due();
    }
}

// Time passes for tasks that are always ready.
void simulated_backend::pass_busy_turn() noexcept {
    if (pending_ > 0 && !wire_.events.empty()) {
        wire_.events.advance_to(wire_.events.now() + turn);
        busy_turns_ = 0;
    } else if (++busy_turns_ > busy_turns_max) {
        wire_.events.advance_to(wire_.events.now() + endless_turn);
    }
}

void simulated_backend::collect(time_point deadline, list<operation>& done) {
    if (deadline == long_ago) {
        pass_busy_turn();
    } else {
        busy_turns_ = 0;
    }
    const bool was_quiet = wire_.quiet();
    look();
    // When the last event has happened the scheduler asks whether anything can still come.
    while (completed_.empty() && turns_.empty() && (was_quiet || !wire_.quiet()) &&
           deadline > wire_.events.now() && !woken_.exchange(false)) {
        const time_point next = std::min(deadline, wire_.events.next());
        if (next == never) {
            woken_.wait(false);
        } else {
            wire_.events.advance_to(next);
            look();
        }
    }
    give_turns();
    pending_ -= completed_count_;
    completed_count_ = 0;
    done.append(completed_);
}

void simulated_backend::wake() noexcept {
    woken_ = true;
    woken_.notify_one();
}

void simulated_backend::drop(waiter& place) noexcept {
    const waiter waited = std::exchange(place, {});
    for (operation* const op : {waited.op, waited.behind}) {
        if (op == nullptr || has_come_to(simulated_progress::done, *op)) {
            continue;
        }
        if (op->linked()) {
            op->unlink();
        }
        op->retired = !op->cancel_requested;
        op->result = -ECANCELED;
        complete(*op);
    }
}

void simulated_backend::retire(int fd) noexcept {
    if (fd < simulated_descriptors) {
        ::close(fd);  // what was refused here is still its owner's to close
        return;
    }
    if (network_.files.close(fd)) {
        return;
    }
    wire_.note(simulated_event::retired, network_.place_of(fd));
    if (simulated_socket* const socket = network_.find(fd)) {
        drop(socket->reader);
        drop(socket->writer);
        if (descriptor_owner* const owner = std::exchange(socket->owner, nullptr)) {
            owner->home = nullptr;
        }
        network_.close(*socket);
    }
}

void simulated_backend::detach(descriptor_owner& owner, list<operation>& done) {
    owner.check_home(this);
    simulated_socket& socket = *network_.find(owner.descriptor);
    for (waiter* const place : {&socket.reader, &socket.writer}) {
        if (place->op == nullptr || has_come_to(simulated_progress::done, *place->op)) {
            continue;
        }
        check(place->op->cancel_requested && place->behind == nullptr,
              "nobody waits on a socket that is detached");
        operation& op = leave(*place);
        op.result = -ECANCELED;
        done.push_back(op);
        --pending_;
    }
    socket.owner = nullptr;
    owner.home = nullptr;
}

waiting_operations simulated_backend::waiting_on(int fd) noexcept {
    simulated_socket* const socket = network_.find(fd);
    if (socket == nullptr) {
        return {};
    }
    const auto now = [](const waiter& place) {
        const bool over = place.op != nullptr &&
                          (place.op->cancel_requested || has_come_to(simulated_progress::done, *place.op));
        return over ? place.behind : place.op;
    };
    return {now(socket->reader), now(socket->writer)};
}

void simulated_backend::detach_all() noexcept {
    list<operation> none;
    network_.for_each_socket([&](simulated_socket& socket) {
        if (socket.owner != nullptr) {
            detach(*socket.owner, none);
        }
    });
}

std::chrono::system_clock::time_point simulated_backend::wall_now() noexcept {
    const duration since = wire_.events.now() - simulated_wire::start;
    return network_.options.wall_start +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(since);
}

// "localhost" is left to the resolver, which knows its addresses.
std::optional<name_answer> simulated_backend::resolve(const std::string& name) {
    using outcome = name_answer::outcome;
    name_answer answer;
    answer.delay = 2 * network_.options.latency + wire_.luck.up_to(wire_.faults.rates().latency);
    const std::vector<socket_name>* const known = network_.hosts.find_name(name);
    if (wire_.strikes(&simulated_faults::silent_name)) {
        answer.how = outcome::silent;
    } else if (wire_.strikes(&simulated_faults::failed_name)) {
        answer.how = outcome::failed;
    } else if (known == nullptr || wire_.strikes(&simulated_faults::no_such_name)) {
        answer.how = outcome::unknown;
    } else {
        for (const socket_name& each : *known) {
            each.write(answer.addresses.emplace_back(), each.is_ipv4() ? AF_INET : AF_INET6);
        }
    }
    wire_.note(simulated_event::resolved, name.size(), static_cast<std::int64_t>(answer.how));
    return answer;
}

backend_description simulated_backend::describe() const {
    const simulation_options& how = network_.options;
    return {"simulated",
            "seed " + std::to_string(how.seed) + (how.chaos ? " chaos" : "") +
                (how.chaos && how.failures ? " failures" : ""),
            ""};
}

}  // namespace leat
