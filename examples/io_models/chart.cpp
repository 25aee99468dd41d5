// SPDX-License-Identifier: MIT
#include "chart.hpp"

#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <utility>

namespace io_models {

namespace {

constexpr int picture_width = 1280;
constexpr int picture_height = 840;
constexpr const char* faint = "#dddddd";
constexpr const char* grey = "#555555";

struct pen {
    const char* color;
    marker shape;
    bool dashed;
};

constexpr pen pens[] = {
    {"#7f7f7f", marker::square, true},   {"#8c564b", marker::diamond, true},
    {"#d89000", marker::triangle, true}, {"#c2559d", marker::square, false},
    {"#7b3fa0", marker::diamond, false}, {"#4aa8e0", marker::triangle, false},
    {"#0060a8", marker::circle, false},  {"#00906a", marker::circle, false},
    {"#d04a00", marker::square, false},
};

const pen& pen_of(const model& which) {
    return pens[&which - nine_models];
}

// 0.5 "12" "3.4k" "150k"
std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g%s", value >= 1000 ? value / 1000 : value, value >= 1000 ? "k" : "");
    return text;
}

// A logarithmic scale from one of 1, 2, 5, 10, 20, 50, ... to another, onto a part of the picture.
class scale {
public:
    scale(double least, double most, double from, double to) : from_(from), to_(to) {
        for (int exponent = -6; exponent < 12; ++exponent) {
            for (const int digit : {1, 2, 5}) {
                const double step = digit * std::pow(10, exponent);
                if (step * 2.5 > least && (ticks_.empty() || ticks_.back() < most)) {
                    ticks_.push_back(step);
                }
            }
        }
    }
    [[nodiscard]] double at(double value) const {
        return from_ +
               (to_ - from_) * std::log(value / ticks_.front()) / std::log(ticks_.back() / ticks_.front());
    }
    [[nodiscard]] const std::vector<double>& ticks() const { return ticks_; }

private:
    std::vector<double> ticks_;
    double from_, to_;
};

constexpr double plot_width = 500;
constexpr double plot_height = 250;

struct panel {
    const char* id;
    const char* title;
    const char* unit;
    double measurement::* value;
    point corner;  // of the plot, at the top left
};

constexpr panel panels[] = {
    {"throughput", "Throughput", "requests a second", &measurement::throughput, {100, 130}},
    {"cpu", "CPU of the server", "microseconds a request", &measurement::cpu, {740, 130}},
    {"latency", "Latency, 99th percentile", "microseconds", &measurement::p99, {100, 510}},
};

class chart {
public:
    explicit chart(const results& all)
        : all_(all), drawn_(picture_width, picture_height, "Nine ways to wait for clients") {}

    std::string draw() {
        drawn_.text({40, 52}, "One echo workload, nine ways to wait for clients", {.size = 28, .bold = true});
        drawn_.text({40, 80}, subtitle(), {.size = 15, .color = grey});
        for (const panel& each : panels) {
            draw_panel(each);
        }
        draw_legend({700, 470});
        return drawn_.str();
    }

private:
    [[nodiscard]] std::string subtitle() const {
        return "Messages of 64 bytes over loopback; at most " + std::to_string(all_.busy) +
               " clients talk at once, the others are connected and silent. Both axes are logarithmic.";
    }

    // The range of a value over all measurements.
    template <typename Value>
    [[nodiscard]] scale scale_of(Value value, double from, double to) const {
        double least = std::numeric_limits<double>::max();
        double most = 0;
        for (const measurement& each : all_.measurements) {
            if (each.works()) {
                least = std::min<double>(least, std::invoke(value, each));
                most = std::max<double>(most, std::invoke(value, each));
            }
        }
        return most > 0 ? scale(least, most, from, to) : scale(1, 10, from, to);
    }

    void draw_panel(const panel& shown) {
        const auto [left, top] = shown.corner;
        const double bottom = top + plot_height;
        const scale across = scale_of(&measurement::clients, left + 15, left + plot_width - 15);
        const scale up = scale_of(shown.value, bottom, top);
        drawn_.text({left, top - 12}, shown.title, {.size = 18, .bold = true});
        for (const double tick : up.ticks()) {
            drawn_.line({left, up.at(tick)}, {left + plot_width, up.at(tick)}, faint);
            drawn_.text({left - 8, up.at(tick) + 5}, short_number(tick), {.at = align::end, .color = grey});
        }
        draw_client_counts(across, left, bottom);
        drawn_.text({left + plot_width / 2, bottom + 46}, "clients that are connected",
                    {.at = align::middle});
        drawn_.upright_text({left - 62, top + plot_height / 2}, shown.unit);
        std::vector<std::pair<point, const char*>> ends;
        for (const model& each : nine_models) {
            const std::vector<point> points = draw_series(shown, each, across, up);
            if (!points.empty() && has_stopped(each)) {
                ends.emplace_back(points.back(), pen_of(each).color);
            }
        }
        for (const auto& [end, color] : ends) {  // above all lines
            drawn_.mark(end, marker::cross, color);
        }
    }

    [[nodiscard]] bool has_stopped(const model& which) const {
        return std::ranges::any_of(
            all_.measurements, [&](const measurement& each) { return each.of == &which && !each.works(); });
    }

    void draw_client_counts(const scale& across, double left, double bottom) {
        double last = -100;
        std::vector<int> counts;
        counts.reserve(all_.measurements.size());
        for (const measurement& each : all_.measurements) {
            counts.push_back(each.clients);
        }
        std::sort(counts.begin(), counts.end());
        for (const int count : counts) {
            const double x = across.at(count);
            if (x - last >= 38) {  // room for the number
                drawn_.line({x, bottom}, {x, bottom + 6}, grey);
                drawn_.text({x, bottom + 24}, std::to_string(count),
                            {.size = 13, .at = align::middle, .color = grey});
                last = x;
            }
        }
        drawn_.line({left, bottom}, {left + plot_width, bottom}, grey);
    }

    std::vector<point> draw_series(const panel& shown, const model& which, const scale& across,
                                   const scale& up) {
        std::vector<point> points;
        for (const measurement& each : all_.measurements) {
            if (each.of == &which && each.works()) {
                points.push_back({across.at(each.clients), up.at(each.*shown.value)});
            }
        }
        const pen& with = pen_of(which);
        drawn_.begin_group(shown.id + ("-" + std::string(which.name)), which.title);
        drawn_.path(points, with.color, which.name.starts_with("leat") ? 3.5 : 2, with.dashed);
        for (const point& each : points) {
            drawn_.mark(each, with.shape, with.color);
        }
        drawn_.end_group();
        return points;
    }

    void draw_legend(point corner) {
        const double memory = corner.x + 292;
        const double stops = corner.x + 384;
        const double limit = stops + 18;
        drawn_.text({corner.x + 50, corner.y + 28}, "Model", {.bold = true});
        drawn_.text({memory, corner.y + 10}, "Memory,", {.at = align::end, .bold = true});
        drawn_.text({memory, corner.y + 28}, "KiB a client", {.at = align::end, .bold = true});
        drawn_.text({stops, corner.y + 10}, "Stops at", {.at = align::end, .bold = true});
        drawn_.text({stops, corner.y + 28}, "client", {.at = align::end, .bold = true});
        drawn_.text({limit, corner.y + 28}, "Limit", {.bold = true});
        double y = corner.y + 58;
        for (const model& each : nine_models) {
            const pen& with = pen_of(each);
            drawn_.path({{corner.x, y - 5}, {corner.x + 36, y - 5}}, with.color,
                        each.name.starts_with("leat") ? 3.5 : 2, with.dashed);
            drawn_.mark({corner.x + 18, y - 5}, with.shape, with.color);
            drawn_.text({corner.x + 50, y}, each.title);
            drawn_.text({memory, y}, memory_of(each), {.at = align::end});
            if (const stop* const found = stop_of(each); found != nullptr) {
                drawn_.text({stops, y}, found->client > 0 ? std::to_string(found->client) : "-",
                            {.at = align::end});
                drawn_.text({limit, y}, found->limit);
            }
            y += 28;
        }
        drawn_.mark({corner.x + 18, y - 5}, marker::cross, grey);
        drawn_.text({corner.x + 50, y}, "no more clients are served", {.color = grey});
    }

    // With the most clients.
    [[nodiscard]] std::string memory_of(const model& which) const {
        std::string found = "-";
        for (const measurement& each : all_.measurements) {
            if (each.of == &which && each.memory >= 0) {
                char text[32];
                std::snprintf(text, sizeof text, "%.1f", each.memory);
                found = each.memory < 0.1 ? "< 0.1" : text;
            }
        }
        return found;
    }

    [[nodiscard]] const stop* stop_of(const model& which) const {
        for (const stop& each : all_.stops) {
            if (each.of == &which) {
                return &each;
            }
        }
        return nullptr;
    }

    const results& all_;
    svg drawn_;
};

}  // namespace

std::string draw_chart(const results& all) {
    return chart(all).draw();
}

}  // namespace io_models
