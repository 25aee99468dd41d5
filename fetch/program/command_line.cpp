// SPDX-License-Identifier: MIT
#include <fetch/program/command_line.hpp>

#include <fetch/engine/run.hpp>
#include <fetch/list/own_fields.hpp>
#include <fetch/names/name_pattern.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

namespace fetch {
namespace {

// A check without words of its own in --help.
CLI::Validator plain(CLI::Validator of) {
    return of.description("");
}

// Options of one group of --help. Each writes to a value that outlives the parsing and is its own default.
class option_group {
public:
    option_group(CLI::App& app, const char* name) : app_(app), name_(name) {}

    template <typename Value>
    CLI::Option* add(const char* names, Value& value, const char* help) {
        return app_.add_option(names, value, help)->group(name_);
    }
    // An option that may be given again and again, with one value each time.
    CLI::Option* add_each(const char* names, std::function<void(const std::vector<std::string>&)> take,
                          const char* help) {
        return app_.add_option_function(names, std::move(take), help)->allow_extra_args(false)->group(name_);
    }
    void add_flag(const char* names, bool& value, const char* help) {
        app_.add_flag(names, value, help)->group(name_);
    }
    void add_seconds(const char* names, leat::duration& value, const char* help) {
        const auto set = [&value](double seconds) {
            value = leat::saturate(std::chrono::duration<double>(seconds));
        };
        app_.add_option_function<double>(names, set, help)
            ->check(plain(CLI::Range(0.001, 1e9)))
            ->type_name("SECONDS")
            ->group(name_);
    }
    void add_size(const char* names, std::uint64_t& value, const char* help) {
        add(names, value, help)->transform(plain(CLI::AsSizeValue(false)))->type_name("BYTES");
    }
    template <typename Count>
    void add_count(const char* names, Count& value, const char* help, Count least, Count most) {
        add(names, value, help)->check(plain(CLI::Range(least, most)))->type_name("N");
    }
    void add_file(const char* names, std::string& value, const char* help) {
        add(names, value, help)->check(plain(CLI::ExistingFile))->type_name("FILE");
    }

private:
    CLI::App& app_;
    const char* name_;
};

void add_sources(CLI::App& app, command& into) {
    option_group group(app, "What to fetch");
    app.add_option("urls", into.urls, "URLs")->type_name("URL")->group("");
    group
        .add("-i,--input-file", into.lists,
             "a list, one URL a line, with options behind it, or a Metalink file; - is standard input")
        ->allow_extra_args(false)
        ->type_name("FILE");
    struct choice {
        const char* name;
        run_kind kind;
        const char* help;
    };
    for (const choice& each :
         {choice{"--dry-run", run_kind::plan, "ask for nothing: show what each file would be called"},
          choice{"--head", run_kind::heads, "ask for no files: show what servers say of them"},
          choice{"--spider", run_kind::links, "ask for no files: check that each is there"}}) {
        const auto choose = [&into, kind = each.kind](std::int64_t) {
            if (into.how.kind != run_kind::fetch && into.how.kind != kind) {
                throw CLI::ValidationError("only one of --dry-run, --head and --spider can be given");
            }
            into.how.kind = kind;
        };
        app.add_flag_function(each.name, choose, each.help)->group("What to fetch");
    }
    group.add_flag("--explain", into.explain, "say what each step of a request did, and how long it took");
    group.add("--failed", into.failed_list, "write what has failed there, as a list for -i")
        ->type_name("FILE");
}

void add_names(CLI::App& app, settings& how) {
    option_group group(app, "Names of files");
    group.add("-d,--output-dir", how.folder, "where files go; made if it is not there. Default: here")
        ->type_name("FOLDER");
    group.add("-o,--output", how.names.pattern, "the name, such as '{host}/{number}-{name}'")
        ->type_name("TEMPLATE");
    const auto as_on_site = [&how](std::int64_t) { how.names.source = name_source::tree; };
    app.add_flag_function("--tree", as_on_site, "host/path/name, as on the site")->group("Names of files");
    group.add_flag("--content-disposition", how.names.content_disposition, "the name that the server gives");
    const std::map<std::string, existing_file> choices{{"number", existing_file::number},
                                                       {"skip", existing_file::skip},
                                                       {"replace", existing_file::replace},
                                                       {"fail", existing_file::fail}};
    group.add("--if-there", how.files.when_there, "what to do where there is a file of that name")
        ->transform(plain(CLI::CheckedTransformer(choices)))
        ->type_name("number|skip|replace|fail");
}

void add_checksums(CLI::App& app, command& into) {
    option_group group(app, "Files");
    group.add_file("--checksums", into.checksums, "what files must have, a list as sha256sum writes it");
    group.add("--write-checksums", into.write_checksums, "write a list of what files have there, at the end")
        ->type_name("FILE");
}

void add_files(CLI::App& app, settings& how, bool& discard) {
    option_group group(app, "Files");
    group.add_flag("--discard", discard, "write no files, only count the bytes");
    group.add_flag("--resume,!--no-resume", how.files.resume,
                   "go on with what an earlier run has left; the "
                   "default");
    group.add_flag("--continue", how.files.take_over, "go on with half a file of another program");
    group.add_flag("--newer", how.files.newer,
                   "fetch a file that is there only if the server has another one");
    group.add_flag("--sync", how.files.sync, "a file counts when it is on the disk");
    group.add_flag("--server-time", how.files.server_time, "files have the time of Last-Modified");
    group.add_flag("--origin-attributes", how.files.origin, "note the URL in the file's extended attributes");
    group.add_flag("--preallocate,!--no-preallocate", how.files.preallocate,
                   "make room on the disk before a file comes; the default");
}

void add_limits(CLI::App& app, limit_settings& limits) {
    constexpr std::size_t one = 1;
    constexpr std::size_t most = 100'000;
    option_group group(app, "How much at once");
    group.add_count("-P,--parallel", limits.transfers, "transfers, fewer where descriptors are scarce", one,
                    most);
    group.add_count("--per-host", limits.per_host, "of them with one host and port", one, most);
    group.add_count("--segments", limits.segments, "connections for one large file that comes slowly; 1: one",
                    one, most);
    group.add_size("--rate", limits.rate, "a second, in all: 500K, 2M");
    group.add_size("--rate-per-host", limits.rate_per_host, "a second, with one host and port");
    group.add_size("--burst", limits.burst, "that may come at once after a pause, of both rates");
    group.add_size("--memory", limits.memory, "of all buffers together, by fewer transfers");
}

void add_tries(CLI::App& app, try_settings& tries) {
    option_group group(app, "Time and tries");
    group.add_count("--tries", tries.tries, "of each file, while it fails in a way that may pass", 1,
                    1'000'000);
    group.add_seconds("--retry-wait", tries.first_wait, "before the second try; then longer each time");
    group.add_seconds("--retry-wait-max", tries.longest_wait, "between two tries");
    group.add_seconds("--connect-timeout", tries.connect, "for name, connection and TLS");
    group.add_seconds("--first-byte-timeout", tries.first_byte, "until the answer begins");
    group.add_seconds("--idle-timeout", tries.idle, "between two pieces of a body");
    group.add_seconds("--timeout", tries.total, "for each file, with all its tries");
    group.add_size("--lowest-rate", tries.lowest_rate, "a second: what is slower for 30 s is tried again");
}

void add_field(leat::http::headers& fields, const std::string& line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) {
        throw CLI::ValidationError("--header", "'" + line + "' is not NAME: VALUE");
    }
    if (const std::string mistake = mistake_of_field(line.substr(0, colon)); !mistake.empty()) {
        throw CLI::ValidationError("--header", mistake);
    }
    try {
        fields.add(line.substr(0, colon),
                   line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size())));
    } catch (const std::invalid_argument& wrong) {
        throw CLI::ValidationError("--header", wrong.what());
    }
}

// "example.org:443:192.0.2.1,2001:db8::1", with brackets around a host that is an IPv6 address.
host_addresses read_addresses(const std::string& text) {
    const auto fail = [&] {
        throw CLI::ValidationError("--resolve", "'" + text + "' is not HOST:PORT:ADDRESS,...");
    };
    const std::size_t host_end = text.find(':', text.starts_with('[') ? text.find(']') : 0);
    const std::size_t port_end = host_end == text.npos ? text.npos : text.find(':', host_end + 1);
    if (port_end == text.npos) {
        fail();
    }
    host_addresses made{.host = text.substr(0, host_end), .addresses = {}};
    if (!CLI::detail::lexical_cast(text.substr(host_end + 1, port_end - host_end - 1), made.port)) {
        fail();
    }
    for (const std::string& each : CLI::detail::split(text.substr(port_end + 1), ',')) {
        const auto read = leat::address::try_parse(each);
        if (!read.ok()) {
            fail();
        }
        made.addresses.push_back(read.value());
    }
    return made;
}

void add_identity(CLI::App& app, command& into) {
    option_group group(app, "As whom");
    client_settings& client = into.client;
    group.add("-u,--user", client.user, "for the hosts that are asked; not for those of redirects")
        ->type_name("NAME:PASSWORD");
    group.add_file("--netrc", client.netrc, "names and passwords by host");
    const auto take_bearer = [&into](const std::string& token) {
        add_field(into.how.fields, "Authorization: Bearer " + token);
    };
    app.add_option_function<std::string>("--bearer", take_bearer, "a token, for the hosts that are asked")
        ->type_name("TOKEN")
        ->group("As whom");
    group.add("--cookies", client.cookies, "send the cookies of this file (Netscape's format)")
        ->allow_extra_args(false)
        ->check(plain(CLI::ExistingFile))
        ->type_name("FILE");
    group.add("--cookie-jar", client.cookie_jar, "write all cookies there at the end")->type_name("FILE");
}

void add_requests(CLI::App& app, command& into) {
    option_group group(app, "Requests");
    const auto take = [&into](const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            add_field(into.how.fields, line);
        }
    };
    group.add_each("-H,--header", take, "a field that goes with each one")->type_name("'NAME: VALUE'");
    group.add("-A,--user-agent", into.client.user_agent, "empty: none is sent")->type_name("TEXT");
    group.add_flag("--compressed", into.how.compressed, "ask for compressed bodies, and undo that");
    group.add_count("--redirects", into.how.redirects, "followed at most", 0, 1000);
    group.add_flag("--http1", into.client.only_http1, "no HTTP/2");
    group.add_flag("--http2", into.client.http2, "HTTP/2 also for http URLs, without asking");
}

void add_network(CLI::App& app, client_settings& client) {
    option_group group(app, "Network and TLS");
    group.add_flag("-4,--ipv4", client.ipv4, "only IPv4 addresses");
    group.add_flag("-6,--ipv6", client.ipv6, "only IPv6 addresses");
    group.add("--proxy", client.proxy, "http:// or socks5h://; default: the environment's")->type_name("URL");
    group.add("--no-proxy", client.no_proxy, "hosts and networks that are reached without one")
        ->type_name("LIST");
    group.add_flag("--without-proxy", client.without_proxy, "not even those of the environment");
    const auto resolve = [&client](const std::vector<std::string>& given) {
        std::transform(given.begin(), given.end(), std::back_inserter(client.resolved), read_addresses);
    };
    group.add_each("--resolve", resolve, "do not look this name up")->type_name("HOST:PORT:ADDRESS,...");
    group.add("--interface", client.interface, "connect through it")->type_name("NAME");
    group.add("--unix-socket", client.unix_socket, "connect there, whatever host a URL names")
        ->type_name("PATH");
    group.add_file("--cacert", client.ca_file, "trust the authorities in this PEM file");
    group.add_file("--cert", client.certificate, "a certificate to show, in a PEM file");
    group.add_file("--key", client.key, "its private key");
    group.add("--key-log", client.key_log, "write the secrets of TLS there, for Wireshark")
        ->type_name("FILE");
    group.add_flag("-k,--insecure", client.insecure, "accept every certificate");
}

// The form of what is shown, as flags.
struct shown_flags {
    bool quiet = false;
    bool plain = false;
    bool json = false;

    [[nodiscard]] view_form form() const noexcept {
        return json    ? view_form::json
               : quiet ? view_form::quiet
               : plain ? view_form::plain
                       : view_form::automatic;
    }
};

void add_views(CLI::App& app, command& into, shown_flags& flags) {
    option_group group(app, "What is shown");
    group.add_flag("-q,--quiet", flags.quiet, "only what has failed");
    group.add_flag("--plain", flags.plain, "lines, also on a terminal");
    group.add_flag("--json", flags.json, "one event a line");
    group.add("--report", into.shown.report, "a page about the run")->type_name("FILE");
    group.add("--backend", into.backend, "how the kernel is asked")
        ->check(plain(CLI::IsMember({"auto", "uring", "epoll", "poll"})))
        ->type_name("auto|uring|epoll|poll");
}

std::string mistake_in(const command& read) {
    const client_settings& client = read.client;
    if (read.urls.empty() && read.lists.empty()) {
        return "no URL is given";
    }
    if (const std::string& pattern = read.how.names.pattern; !pattern.empty()) {
        if (read.how.names.source == name_source::tree) {
            return "--tree and --output contradict each other";
        }
        if (std::string mistake = pattern_mistake(pattern); !mistake.empty()) {
            return "--output: " + mistake;
        }
    }
    if (read.how.files.take_over &&
        (read.how.files.newer || read.how.names.content_disposition || read.how.compressed)) {
        return "--continue contradicts --newer, --content-disposition and --compressed";
    }
    if (read.how.limits.memory != 0 && read.how.limits.memory < memory_of_transfer) {
        return "--memory is less than one transfer takes: " + std::to_string(memory_of_transfer);
    }
    if (read.how.limits.burst != 0 && read.how.limits.rate == 0 && read.how.limits.rate_per_host == 0) {
        return "--burst belongs to --rate or --rate-per-host";
    }
    const bool sums = !read.checksums.empty() || !read.write_checksums.empty();
    if (sums && (read.how.kind != run_kind::fetch || read.explain)) {
        return "--checksums and --write-checksums are for files that are fetched";
    }
    if (client.ipv4 && client.ipv6) {
        return "--ipv4 and --ipv6 together leave no address";
    }
    if (client.only_http1 && client.http2) {
        return "--http1 and --http2 contradict each other";
    }
    return client.certificate.empty() != client.key.empty() ? "--cert and --key go together" : "";
}

// 0 for a help that was shown.
int show(const CLI::App& app, const CLI::ParseError& told) {
    if (told.get_exit_code() == 0) {
        std::cout << app.help() << std::flush;
        return std::cout ? 0 : 1;
    }
    std::cerr << "leat-fetch: " << told.what() << "\n";
    return 2;
}

}  // namespace

bool read_command_line(int argc, char** argv, command& into, int& status) {
    CLI::App app("Fetches many URLs at once.", "leat-fetch");
    app.get_formatter()->column_width(36);
    bool discard = false;
    shown_flags flags;
    into.how.folder = ".";
    add_sources(app, into);
    add_names(app, into.how);
    add_files(app, into.how, discard);
    add_checksums(app, into);
    add_limits(app, into.how.limits);
    add_tries(app, into.how.tries);
    add_requests(app, into);
    add_identity(app, into);
    add_network(app, into.client);
    add_views(app, into, flags);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& told) {
        status = show(app, told);
        return false;
    }
    if (const std::string mistake = mistake_in(into); !mistake.empty()) {
        std::cerr << "leat-fetch: " << mistake << "\n";
        status = 2;
        return false;
    }
    into.how.folder = discard ? "" : into.how.folder;
    if (!into.how.names.pattern.empty()) {
        into.how.names.source = name_source::pattern;
    }
    into.how.files.server_time = into.how.files.server_time || into.how.files.newer;
    into.how.sums = !into.write_checksums.empty();
    into.shown.form = flags.form();
    into.shown.kind = into.how.kind;
    return true;
}

}  // namespace fetch
