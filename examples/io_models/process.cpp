// SPDX-License-Identifier: MIT
// A process a client: the blocking server, and fork(). Clients cannot harm each other. Each costs page
// tables, a stack in the kernel, copies of the pages that it writes, and an entry in the table of processes.
#include "model.hpp"
#include "sockets.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <unistd.h>

namespace io_models {

namespace {

[[noreturn]] void run_child(int client, pid_t server) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends with the server,
    if (::getppid() == server) {               // which may have ended before that call
        echo_until_end(client);
    }
    ::_exit(0);
}

}  // namespace

void serve_process(int listener) {
    ::signal(SIGCHLD, SIG_IGN);  // the kernel reaps: no zombies
    const pid_t server = ::getpid();
    for (;;) {
        const accepted next = accept_client(listener);
        if (!next.client) {
            ::usleep(next.full ? 10000 : 0);
            continue;
        }
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(listener);
            run_child(next.client.get(), server);
        }
        if (child < 0) {
            tell_refusal(failed_call("fork"));
        }
    }
}

}  // namespace io_models
