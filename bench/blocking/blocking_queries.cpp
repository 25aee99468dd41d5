// SPDX-License-Identifier: MIT
// blocking_queries WHERE COUNT: queries of 1 s at once by the blocking interface of libpq.
#include "touched.hpp"

#include <leat/runtime.hpp>

#include <cstdlib>

#include <libpq-fe.h>

static void query(const char* where) {
    PGconn* const server = PQconnectdb(where);
    PGresult* const answer = PQexec(server, "select pg_sleep(1)");
    if (PQresultStatus(answer) != PGRES_TUPLES_OK) {
        std::exit(1);
    }
    PQclear(answer);
    PQfinish(server);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        return 2;
    }
    return leat::run_main(
        [=] { return bench::at_once(std::atoi(argv[2]), [where = argv[1]] { query(where); }); });
}
