// SPDX-License-Identifier: MIT
#include <leat/backends/readiness_backend.hpp>

#include <leat/backends/kernel_files.hpp>
#include <leat/check.hpp>

#include <algorithm>

#include <fcntl.h>
#include <sys/eventfd.h>

namespace leat {

readiness_backend::readiness_backend() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) {
        throw std::system_error(errno_code(errno), "eventfd");
    }
}

readiness_backend::~readiness_backend() {
    check(pending_ == 0, "a backend ends after its last operation");
}

bool readiness_backend::submit(operation& op) {
    if (op.owner == nullptr || op.owner->home != this) [[unlikely]] {
        return submit_first(op);
    }
    descriptor_state& state = state_of(op);
    if (!state.ready.to_try(op.action)) {
        return fail_or_wait(op, state);
    }
    if (op.action == operation_kind::send && moved_ < bytes_of_a_turn) [[likely]] {
        return send_now(op, state);
    }
    return submit_ready(op, state);
}

file_start readiness_backend::start_file(file_operation& op) {
    if (op.call == file_call::open_below) {
        op.result = open_from_memory(op);
        return op.result == -EAGAIN ? file_start::may_block : file_start::over;
    }
    if (op.call != file_call::read || op.length > bytes_of_a_try || moved_ >= bytes_of_a_turn) {
        return file_start::may_block;
    }
    const std::int64_t size = read_from_memory(op);
    if (size < 0) {
        return file_start::may_block;
    }
    moved_ += static_cast<std::size_t>(size);
    op.result = size;
    return file_start::over;
}

// Of a send that has not been tried before.
bool readiness_backend::send_now(operation& op, descriptor_state& state) {
    const bool over = detail::attempt_send(op, state.ready);
    moved_ += static_cast<std::size_t>(op.transferred);
    return over || wait_for_rest(op, state);
}

// Apart from submit, so that one that has to wait, as most receives have, saves no registers.
bool readiness_backend::submit_ready(operation& op, descriptor_state& state) {
    return (!must_wait(op, state.ready, moved_) && try_now(op, state)) || wait_for_rest(op, state);
}

// `op` was tried, as far as one try goes.
bool readiness_backend::wait_for_rest(operation& op, descriptor_state& state) {
    if (fail_or_wait(op, state)) {
        return true;
    }
    if (state.ready.to_try(op.action) && !for_others(op)) [[unlikely]] {
        note_unfinished(op);
    }
    return false;
}

// What is tried, and counted by its bytes.
bool readiness_backend::try_counted(operation& op, descriptor_state& state) noexcept {
    const std::int64_t before = op.transferred;
    const bool over = attempt(op, state.ready, *pool_);
    moved_ += static_cast<std::size_t>(op.transferred - before);
    return over;
}

void readiness_backend::note_unfinished(operation& op) noexcept {
    if (!op.linked()) {
        unfinished_.push_back(op);
    }
}

// Each once, as long as there are bytes for it, and what has still more to do is noted again.
void readiness_backend::try_unfinished(list<operation>& done) noexcept {
    list<operation> noted;
    noted.append(unfinished_);
    while (!noted.empty() && moved_ < bytes_in_large_buffers) {
        operation& op = noted.pop_front();
        descriptor_state& state = state_of(op);
        retry(reads(op.action) ? state.reader : state.writer, state, done);
    }
    noted.append(unfinished_);
    unfinished_.append(noted);
}

time_point readiness_backend::go_on_with(time_point deadline, list<operation>& done) noexcept {
    pending_ -= std::exchange(dropped_count_, 0);
    done.append(dropped_);
    try_unfinished(done);
    if (!done.empty() || !unfinished_.empty()) {
        return long_ago;
    }
    return pool_->may_shrink() && deadline != long_ago ? keep_up(deadline) : deadline;
}

// Before a wait: gives back buffers that have not been needed lately. Returns when to look again.
time_point readiness_backend::keep_up(time_point deadline) noexcept {
    const time_point time = now();
    if (next_upkeep_ <= time) {
        pool_->shrink();
        next_upkeep_ = never;
    }
    if (next_upkeep_ == never && pool_->may_shrink()) {
        next_upkeep_ = after(time, slab_pool::upkeep_period);
    }
    return std::min(deadline, next_upkeep_);
}

// The first operation of an owner here, or one on a descriptor without an owner. A descriptor that is not
// open is no reason to grow.
bool readiness_backend::submit_first(operation& op) {
    check(op.descriptor >= 0, "an operation is on an open descriptor");
    const auto index = static_cast<std::size_t>(op.descriptor);
    if (index >= descriptors_.size()) {
        if (::fcntl(op.descriptor, F_GETFD) < 0) {
            op.result = -errno;
            return true;
        }
        const std::size_t count = std::max(index + 1, descriptors_.size() * 2);
        make_room_for(count);
        descriptors_.resize(count);
    }
    descriptor_state& state = descriptors_[index];
    if (op.owner != nullptr) {
        adopt(*op.owner, state);
    }
    return state.ready.to_try(op.action) ? submit_ready(op, state) : fail_or_wait(op, state);
}

// True: it has failed at once.
bool readiness_backend::fail_or_wait(operation& op, descriptor_state& state) {
    operation*& waiting = reads(op.action) ? state.reader : state.writer;
    check(waiting == nullptr, "two tasks wait to read (or to write) on one descriptor at once");
    if (!state.watched() || for_others(op)) [[unlikely]] {
        return fail_or_watch(op, state);
    }
    waiting = &op;
    ++pending_;
    return false;
}

bool readiness_backend::fail_or_watch(operation& op, descriptor_state& state) {
    if (op.action == operation_kind::readable && holds_bytes(state.owner)) {
        op.result = 0;
        return true;
    }
    const bool is_alone = state.reader == nullptr && state.writer == nullptr;
    const bool for_once = for_others(op) && is_alone && !state.watched();
    const watching what = !for_once          ? watching::all
                          : reads(op.action) ? watching::next_read
                                             : watching::next_write;
    const std::uint32_t registration = (state.registration & ~(always | once)) | (for_once ? once : always);
    if (const int error = watch(op.descriptor, what, registration)) {
        op.result = error == EPERM && for_others(op) ? 0 : -error;
        return true;
    }
    state.registration = registration;
    state.ready.always_try |= op.of_unix;
    (reads(op.action) ? state.reader : state.writer) = &op;
    ++pending_;
    return false;
}

void readiness_backend::stop_watching_unused(int fd, descriptor_state& state) noexcept {
    if (state.reader == nullptr && state.writer == nullptr) {
        if (state.watched()) {
            forget(fd, state);
        } else {
            renew(state, state.registration & once);
        }
    }
}

// What was told before is not believed any more.
void readiness_backend::renew(descriptor_state& state, std::uint32_t how) noexcept {
    state.registration = ((state.registration & ~(always | once)) + next_registration) | how;
    state.ready = {};
}

// What is known of the socket that has the number, and what tells of it: a duplicate keeps that alive.
void readiness_backend::forget(int fd, descriptor_state& state) noexcept {
    if (state.registered()) {
        stop_watching(fd);
    }
    renew(state, 0);
}

// The owner that had the number before and still is at home here has lost it: it was closed behind its back.
void readiness_backend::adopt(descriptor_owner& owner, descriptor_state& state) noexcept {
    owner.check_home(nullptr);
    if (descriptor_owner* const before = std::exchange(state.owner, &owner)) {
        before->home = nullptr;
        before->descriptor = -1;
        drop(state.reader);
        drop(state.writer);
    }
    owner.home = this;
    stop_watching_unused(owner.descriptor, state);
}

void readiness_backend::detach(descriptor_owner& owner, list<operation>& /*done*/) {
    owner.check_home(this);
    descriptor_state& state = descriptors_[static_cast<std::size_t>(owner.descriptor)];
    check(state.reader == nullptr && state.writer == nullptr, "nobody waits on a socket that is detached");
    forget(owner.descriptor, state);
    state.owner = nullptr;
    owner.home = nullptr;
}

waiting_operations readiness_backend::waiting_on(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index >= descriptors_.size()) {
        return {};
    }
    return {descriptors_[index].reader, descriptors_[index].writer};
}

void readiness_backend::detach_all() noexcept {
    list<operation> none;
    for (descriptor_state& state : descriptors_) {
        if (state.owner != nullptr) {
            detach(*state.owner, none);
        }
    }
}

bool readiness_backend::cancel(operation& op) noexcept {
    if (op.retired) {
        return false;  // it has completed already
    }
    descriptor_state& state = state_of(op);
    operation*& waiting = reads(op.action) ? state.reader : state.writer;
    check(waiting == &op, "only a pending operation is cancelled");
    take(waiting);
    --pending_;
    if (for_others(op)) {
        stop_watching_unused(op.descriptor, state);
    }
    op.result = -ECANCELED;
    return true;
}

void readiness_backend::wake() noexcept {
    const std::uint64_t one = 1;
    // It fails only when the counter is full, and then a wake-up is pending already.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void readiness_backend::drop(operation*& waiting) noexcept {
    if (waiting != nullptr) {
        waiting->retired = true;
        waiting->result = -ECANCELED;
        dropped_.push_back(take(waiting));
        ++dropped_count_;
    }
}

void readiness_backend::retire(int fd) noexcept {
    const auto index = static_cast<std::size_t>(fd);
    if (index < descriptors_.size()) {
        descriptor_state& state = descriptors_[index];
        drop(state.reader);
        drop(state.writer);
        forget(fd, state);
        if (descriptor_owner* const owner = std::exchange(state.owner, nullptr)) {
            owner->home = nullptr;
        }
    }
    ::close(fd);
}

}  // namespace leat
