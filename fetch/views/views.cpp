// SPDX-License-Identifier: MIT
#include <fetch/views/views.hpp>

#include <fetch/views/answer_views.hpp>
#include <fetch/views/json_view.hpp>
#include <fetch/views/plain_view.hpp>
#include <fetch/views/report.hpp>
#include <fetch/views/terminal_view.hpp>

#include <leat/task_group.hpp>

#include <exception>
#include <utility>

namespace fetch {
namespace {

// Lines of text, of the kind of the run.
std::unique_ptr<view> text_view(const view_options& options) {
    switch (options.kind) {
        case run_kind::fetch:
            return std::make_unique<plain_view>(options.output, options.errors);
        case run_kind::plan:
            return std::make_unique<plan_view>(options.output, options.errors);
        case run_kind::heads:
            return std::make_unique<head_view>(options.output, options.errors);
        case run_kind::links:
            return std::make_unique<link_view>(options.output, options.errors);
    }
    return nullptr;
}

std::unique_ptr<view> shown_view(const view_options& options) {
    switch (options.form) {
        case view_form::automatic:
            if (options.kind == run_kind::fetch && can_draw_on(options.output)) {
                return std::make_unique<terminal_view>(options.output, options.errors);
            }
            [[fallthrough]];
        case view_form::plain:
            return text_view(options);
        case view_form::quiet:
            return std::make_unique<quiet_view>(options.errors);
        case view_form::json:
            return std::make_unique<json_view>(options.output);
    }
    return nullptr;
}

}  // namespace

void views::began(const transfer& of) {
    for (const auto& each : all_) {
        each->began(of);
    }
}

void views::answered(const transfer& of) {
    for (const auto& each : all_) {
        each->answered(of);
    }
}

void views::received(const transfer& of, std::size_t bytes) {
    for (const auto& each : all_) {
        each->received(of, bytes);
    }
}

void views::tries_again(const transfer& of, leat::duration wait) {
    for (const auto& each : all_) {
        each->tries_again(of, wait);
    }
}

void views::planned(const transfer& of) {
    for (const auto& each : all_) {
        each->planned(of);
    }
}

void views::ended(const transfer& of) {
    for (const auto& each : all_) {
        each->ended(of);
    }
}

void views::stopped(const transfer& of) {
    for (const auto& each : all_) {
        each->stopped(of);
    }
}

leat::task<> views::draw(const run_totals& totals) {
    co_await leat::with_task_group([&](leat::task_group& group) -> leat::task<> {
        for (const auto& each : all_) {
            group.spawn([&] { return each->draw(totals); });
        }
        co_return;
    });
}

void views::summarize(const run_totals& totals, std::string_view stopped) {
    std::exception_ptr thrown;
    for (const auto& each : all_) {
        try {
            each->summarize(totals, stopped);
        } catch (...) {
            thrown = thrown == nullptr ? std::current_exception() : thrown;
        }
    }
    if (thrown != nullptr) {
        std::rethrow_exception(thrown);
    }
}

std::unique_ptr<view> views_of(const view_options& options) {
    auto all = std::make_unique<views>();
    all->add(shown_view(options));
    if (!options.report.empty()) {
        all->add(std::make_unique<report>(options.report));
    }
    return all;
}

}  // namespace fetch
