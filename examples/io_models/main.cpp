// SPDX-License-Identifier: MIT
// io_models: one echo workload and nine servers, each of which waits for its clients in another way. A table
// of throughput, latency, CPU and memory, where each stops, and a chart.
#include "../command_line.hpp"
#include "chart.hpp"
#include "limits.hpp"
#include "server_process.hpp"
#include "table.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include <unistd.h>

namespace {

struct options {
    std::string models = "all";
    std::vector<int> clients = {1, 10, 100, 1000, 2000};
    int busy = 100;
    double seconds = 1;
    int rounds = 1;
    std::string svg;
    std::string serve;
    int port = 8001;
};

std::string no_model_named(const std::string& name) {
    std::string text = "no model is named '" + name + "'; there are:";
    for (const io_models::model& each : io_models::nine_models) {
        text += " ";
        text += each.name;
    }
    return text;
}

// Throws std::invalid_argument.
std::vector<const io_models::model*> models_of(const std::string& names) {
    std::vector<const io_models::model*> found;
    if (names == "all") {
        for (const io_models::model& each : io_models::nine_models) {
            found.push_back(&each);
        }
        return found;
    }
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
        found.push_back(io_models::find_model(name));
        if (found.back() == nullptr) {
            throw std::invalid_argument(no_model_named(name));
        }
    }
    return found;
}

void serve(const io_models::model& which, int port) {
    io_models::raise_descriptor_limit();
    leat::fd listener = io_models::listen_on(port);
    for (const int number : {SIGINT, SIGTERM}) {
        (void)::signal(number, [](int) { ::_exit(0); });
    }
    const int chosen = ntohs(io_models::place_of(listener.get()).sin_port);
    examples::announce("127.0.0.1:" + std::to_string(chosen));
    which.serve(listener.release());
}

// The rounds go over all models, so that none is measured only while the machine is busy with something else.
std::vector<io_models::measurement> measure_all(const std::vector<const io_models::model*>& models,
                                                const options& wanted) {
    std::vector<io_models::measurement> medians;
    io_models::workload work{.busy = wanted.busy, .length = std::chrono::duration<double>(wanted.seconds)};
    std::map<std::pair<const io_models::model*, int>, std::vector<io_models::measurement>> rounds;
    io_models::print_heading(work);
    for (int round = 1; round <= wanted.rounds; ++round) {
        for (const io_models::model* const each : models) {
            for (const int clients : wanted.clients) {
                work.clients = clients;
                std::vector<io_models::measurement>& measured = rounds[{each, clients}];
                measured.push_back(io_models::measure(*each, work));
                if (round == wanted.rounds) {
                    medians.push_back(io_models::median_of(measured));
                    io_models::print(medians.back());
                }
                if (!measured.back().works()) {
                    break;
                }
            }
        }
    }
    return medians;
}

std::ofstream open_chart(const std::string& path, std::ios::openmode how) {
    std::ofstream chart(path, how);
    if (!chart) {
        throw std::system_error(errno, std::system_category(), path);
    }
    return chart;
}

void compare(const std::vector<const io_models::model*>& models, const options& wanted) {
    io_models::raise_descriptor_limit();
    if (!wanted.svg.empty()) {
        (void)open_chart(wanted.svg, std::ios::app);  // before it is measured for minutes; its bytes stay
    }
    io_models::results all{.busy = wanted.busy, .measurements = measure_all(models, wanted), .stops = {}};
    io_models::print_stops_heading();
    for (const io_models::model* const each : models) {
        all.stops.push_back(io_models::find_stop(*each));
        io_models::print(all.stops.back());
    }
    if (!wanted.svg.empty() &&
        !(open_chart(wanted.svg, std::ios::trunc) << io_models::draw_chart(all)).flush()) {
        throw std::system_error(errno, std::system_category(), wanted.svg);
    }
}

}  // namespace

int main(int argc, char** argv) {
    options wanted;
    examples::command_line command("io_models", "Compares nine ways to serve many clients.");
    command.add("--models", wanted.models, "names, separated by commas");
    command.add("--clients", wanted.clients, "how many, separated by commas", 1, 10000);
    command.add("--busy", wanted.busy, "how many of them talk at once, at most", 1, 10000);
    command.add("--seconds", wanted.seconds, "how long each measurement lasts", 0.01, 60);
    command.add("--rounds", wanted.rounds, "measurements of which the median is shown", 1, 100);
    command.add("--svg", wanted.svg, "file for a chart");
    command.add("--serve", wanted.serve, "serve by this model instead, to be tried by hand");
    command.add("--port", wanted.port, "where, with --serve; 0 picks a free one", 0, 65535);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    try {
        const auto models = models_of(wanted.serve.empty() ? wanted.models : wanted.serve);
        if (!wanted.serve.empty()) {
            if (models.size() != 1) {
                throw std::invalid_argument("--serve takes one model");
            }
            serve(*models.front(), wanted.port);
            return 0;  // leat's servers come back, the others are ended by the signal
        }
        compare(models, wanted);
        return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? 0 : 1;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "io_models: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
