// SPDX-License-Identifier: MIT
// Fetches many URLs at once, in one thread. One failure stops no other. SIGINT, SIGTERM, SIGHUP and a
// standard output that nobody reads any more (SIGPIPE) end all transfers in order: no file is left that is
// not whole, and then the program ends by that signal.
#include "command_line.hpp"
#include "fetch_list.hpp"
#include "fetch_output.hpp"
#include "fetch_progress.hpp"

#include <leat/http.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>

#include <sys/resource.h>

namespace {

struct fetch_options {
    std::vector<std::string> urls;
    std::string input;
    int parallel = 50;
    std::string output_dir;
    bool discard = false;
    bool compressed = false;
    double timeout = 300;
    std::string ca_file;
    bool insecure = false;
    std::string backend;
};

// What a server says, in one line that leaves a terminal alone.
std::string plain(std::string_view text) {
    std::string line(text.substr(0, 100));
    std::replace_if(line.begin(), line.end(), [](char each) { return each < ' ' || each > '~'; }, '?');
    return line;
}

// How many transfers at once, and how many idle connections beside them, the limit of descriptors allows. A
// transfer has a connection and perhaps a file. A new connection can wait for a descriptor, but the file
// could only fail, after its URL has been answered: so there are enough for all. What else is open (the
// standard streams, the backend, name resolution, connections that are about to be closed) has its own share.
struct descriptor_shares {
    std::size_t transfers;
    std::size_t idle;
};

descriptor_shares share_descriptors(const fetch_options& options) {
    constexpr rlim_t for_others = 16;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t available = std::max(limit.rlim_cur, for_others) - for_others;
    const rlim_t each =
        options.output_dir.empty() || options.discard ? 2 : 3;  // an idle connection, and these
    const auto most = static_cast<rlim_t>(options.parallel);
    return {static_cast<std::size_t>(std::clamp<rlim_t>(available / each, 1, most)),
            static_cast<std::size_t>(std::min<rlim_t>(available / each, 100))};
}

// What all transfers of a run share.
struct session {
    const fetch_options& options;
    descriptor_shares shares = share_descriptors(options);
    leat::http::client client{{.ca_file = options.ca_file,
                               .insecure = options.insecure,
                               .accept_encodings = options.compressed,
                               .idle_connections = shares.idle}};
    fetch::progress progress{options.urls.size()};
    fetch::output_folder folder{options.output_dir};
};

leat::task<> receive(session& all, fetch::transfer& transfer) {
    std::optional<fetch::output_file> file;
    const auto url = leat::http::url::try_parse(transfer.url);
    if (!all.options.output_dir.empty() && !all.options.discard && url.ok()) {
        file.emplace(all.folder, fetch::file_name(url.value()));
    }
    leat::http::request_options limits;
    limits.total = leat::saturate(std::chrono::duration<double>(all.options.timeout));
    leat::http::response_stream reply = co_await all.client.open(transfer.url, limits);
    if (reply.status() / 100 != 2) {
        const std::string status = std::to_string(reply.status()) + " " + plain(reply.head().reason);
        throw std::runtime_error(transfer.shown + ": the server answered " + status);
    }
    if (file.has_value()) {
        file->open();
    }
    transfer.size = reply.size();
    transfer.attempts = reply.attempts();
    for (;;) {
        const std::string_view piece = co_await reply.read();
        if (piece.empty()) {
            break;
        }
        if (file.has_value()) {
            file->write(piece);
        }
        all.progress.receive(transfer, piece.size());
    }
    if (file.has_value()) {
        file->keep();
        transfer.file = file->name();
    }
}

leat::task<> fetch_one(session& all, std::string url) {
    const auto transfer = all.progress.start(url);
    std::string failure;
    try {
        co_await receive(all, *transfer);
    } catch (const std::exception& error) {
        failure = error.what();
    }
    if (failure.empty()) {
        all.progress.end(transfer);
    } else {
        all.progress.fail(transfer, failure);
    }
}

leat::task<> fetch_each(session& all) {
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        group.spawn([&] { return all.progress.draw(); });
        co_await leat::for_each_concurrently(all.options.urls, all.shares.transfers,
                                             [&](std::string url) { return fetch_one(all, std::move(url)); });
        group.cancel();
    });
}

// `stopped` is the signal that ended it early; 0: none.
leat::task<int> fetch_all(const fetch_options& options, int& stopped) {
    leat::signal_set signals(leat::not_ignored({SIGINT, SIGTERM, SIGHUP}));
    session all{options};
    const leat::time_point start = leat::now();
    try {
        const auto ended =
            co_await leat::race([&] { return fetch_each(all); }, [&] { return signals.next(); });
        stopped = std::get<0>(ended).has_value() ? 0 : std::get<1>(ended).value();
        const std::string name = stopped == 0 ? "" : std::string("SIG") + ::sigabbrev_np(stopped);
        all.progress.summarize(leat::now() - start, name);
    } catch (const fetch::output_lost& lost) {
        if (const auto signal = signals.try_next()) {
            stopped = signal->number;  // nobody reads what is printed, and it has come meanwhile
        } else if (stopped == 0 && lost.code() != std::errc::broken_pipe) {
            throw;
        }
        stopped = stopped == 0 ? SIGPIPE : stopped;
    }
    co_return all.progress.all_well() && stopped == 0 ? 0 : 1;
}

// The exit status, where the signal does not end the program: process 1 of a container.
int end_by(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return 128 + signal;
}

void add_options(examples::command_line& command, fetch_options& options) {
    using examples::kind;
    command.add("urls", options.urls, "what to fetch");
    command.add("-i,--input-file", options.input, "a file with one URL a line; - is standard input");
    command.add("--parallel", options.parallel, "at most so many at once, fewer where descriptors are scarce",
                1, 100'000);
    command.add("--output-dir", options.output_dir, "where to write; without it bytes are only counted",
                kind::existing_directory);
    command.add_flag("--discard", options.discard, "only count the bytes");
    command.add_flag("--compressed", options.compressed, "ask for compressed bodies, and undo that");
    command.add("--timeout", options.timeout, "seconds for each URL", 0.001, 1e9);
    command.add("--cacert", options.ca_file, "trust the authorities in this PEM file", kind::existing_file);
    command.add_flag("--insecure", options.insecure, "accept every certificate");
    command.add_backend(options.backend);
}

}  // namespace

int main(int argc, char** argv) {
    examples::command_line command("fetch", "Fetches many URLs at once.");
    fetch_options options;
    add_options(command, options);
    int status = 0;
    if (!command.parse(argc, argv, status)) {
        return status;
    }
    if (!options.input.empty()) {
        try {
            const std::vector<std::string> listed = fetch::urls_of(fetch::read_text(options.input));
            options.urls.insert(options.urls.end(), listed.begin(), listed.end());
        } catch (const std::exception& error) {
            std::fprintf(stderr, "fetch: %s\n", error.what());
            return 1;
        }
    }
    if (options.urls.empty()) {
        std::fputs("fetch: no URL is given\n", stderr);
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);  // a write fails instead
    int stopped = 0;
    status = leat::run_main([&] { return fetch_all(options, stopped); }, {.backend = options.backend});
    return stopped == 0 ? status : end_by(stopped);
}
