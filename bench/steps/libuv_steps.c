// SPDX-License-Identifier: MIT
// The one step of leat_steps.cpp that libuv has: a timer is started and stopped among a million others.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

static double cpu_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// In milliseconds, libuv's unit, over the same span as the others' microseconds.
static uint64_t scattered(uint64_t i) {
    return 3600000 + ((i * 0x9E3779B97F4A7C15U) >> 34) / 1000;
}

static void ignore(uv_timer_t* timer) {
    (void)timer;
}

int main(int argc, char** argv) {
    if (argc != 3 || strcmp(argv[1], "timer") != 0) {
        fprintf(stderr, "usage: %s timer COUNT\n", argv[0]);
        return 2;
    }
    const uint64_t count = strtoull(argv[2], NULL, 10);
    const uint64_t armed = 1000000;
    uv_loop_t loop;
    uv_timer_t* timers = calloc(armed + 1, sizeof *timers);
    if (timers == NULL || uv_loop_init(&loop) != 0) {
        return 1;
    }
    for (uint64_t i = 0; i <= armed; ++i) {
        uv_timer_init(&loop, &timers[i]);
        if (i < armed) {
            uv_timer_start(&timers[i], ignore, scattered(i), 0);
        }
    }
    const double began = cpu_time();
    for (uint64_t i = 0; i < count; ++i) {
        uv_timer_start(&timers[armed], ignore, scattered(i), 0);
        uv_timer_stop(&timers[armed]);
    }
    printf("%.2f\n", (cpu_time() - began) / (double)count);
    return 0;
}
