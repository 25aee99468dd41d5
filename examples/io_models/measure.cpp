// SPDX-License-Identifier: MIT
#include "measure.hpp"

#include "load.hpp"
#include "server_process.hpp"

#include <algorithm>
#include <vector>

#include <sys/select.h>

namespace io_models {

namespace {

constexpr std::chrono::seconds patience{2};  // without a reply to anybody

double microseconds(std::chrono::nanoseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

void run(const server_process& server, load& clients, const workload& of, measurement& found) {
    const auto length = std::chrono::duration_cast<clock::duration>(of.length);
    (void)clients.run(length / 5, of.busy);
    const std::vector<pid_t> processes = server.processes();
    const auto before = server_process::cpu_time(processes);
    const load::result result = clients.run(length, of.busy);
    const auto used = server_process::cpu_time(processes) - before;
    const auto replies = static_cast<double>(result.replies);
    found.throughput = replies / std::chrono::duration<double>(result.elapsed).count();
    found.median = microseconds(result.median);
    found.p99 = microseconds(result.p99);
    found.cpu = microseconds(used) / replies;
}

// What is said of a server that has not answered all.
std::string words_of(const server_process& server, int answered, int clients) {
    const std::string complaint = server.complaint();
    return std::to_string(answered) + " of " + std::to_string(clients) + " answered" +
           (complaint.empty() ? "" : " (" + complaint + ")");
}

void measure_into(measurement& found, const model& which, const workload& of) {
    const server_process server(which);
    std::size_t memory_of_one = 0;
    {
        load one(server.place(), 1);
        found.answered = one.connect_all(patience);
        memory_of_one = server_process::memory(server.processes());
    }
    load clients(server.place(), of.clients);
    if (found.answered == 1) {
        found.answered = clients.connect_all(patience);
    }
    if (found.answered < of.clients) {
        found.why = "stops: " + words_of(server, found.answered, of.clients);
        return;
    }
    run(server, clients, of, found);
    const std::size_t memory = server_process::memory(server.processes());
    if (of.clients > 1) {
        const std::size_t of_others = memory - std::min(memory, memory_of_one);
        found.memory = static_cast<double>(of_others) / 1024 / (of.clients - 1);
    }
}

}  // namespace

measurement measure(const model& which, const workload& of) {
    measurement found;
    found.of = &which;
    found.clients = of.clients;
    try {
        measure_into(found, which, of);
    } catch (const std::runtime_error& error) {
        found.why = std::string("not measured: ") + error.what();
    }
    return found;
}

measurement median_of(std::vector<measurement> rounds) {
    const auto failed = std::ranges::find_if_not(rounds, &measurement::works);
    if (failed != rounds.end()) {
        return *failed;
    }
    measurement middle = rounds.front();
    const auto place = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
    for (const auto value : {&measurement::throughput, &measurement::median, &measurement::p99,
                             &measurement::cpu, &measurement::memory}) {
        std::ranges::nth_element(rounds, place, {}, value);
        middle.*value = (*place).*value;
    }
    return middle;
}

namespace {

struct trial {
    std::string_view name;
    int clients;
    allowance most;
    const char* limit;
};

constexpr trial trials[] = {
    {"blocking", 2, {}, "one at a time"},
    {"process", 120, {.processes = 100}, "100 processes"},
    {"thread", 160, {.address_space = 1U << 30}, "1 GiB of addresses"},
    {"select", FD_SETSIZE + 20, {}, "FD_SETSIZE 1024"},
};

trial trial_of(const model& which) {
    for (const trial& own : trials) {
        if (own.name == which.name) {
            return own;
        }
    }
    return {which.name, 276, {.descriptors = 256}, "256 descriptors"};
}

}  // namespace

stop find_stop(const model& which) {
    const trial tried = trial_of(which);
    stop found;
    found.of = &which;
    found.limit = tried.limit;
    try {
        const server_process server(which, tried.most);
        load clients(server.place(), tried.clients);
        const int answered = clients.connect_all(patience);
        found.client = answered < tried.clients ? answered + 1 : 0;
        found.refused = clients.was_refused();
        found.highest_descriptor = server.highest_descriptor();
        found.complaint = server.complaint();
    } catch (const std::runtime_error& error) {
        found.why_unknown = error.what();
    }
    return found;
}

}  // namespace io_models
