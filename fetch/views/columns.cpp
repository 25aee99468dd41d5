// SPDX-License-Identifier: MIT
#include <fetch/views/columns.hpp>

#include <fetch/names/utf8.hpp>

#include <algorithm>
#include <cwchar>
#include <iterator>
#include <vector>

#include <locale.h>

namespace fetch {
namespace {

// wcwidth asks the locale of the thread. The program need not have set one.
class unicode_locale {
public:
    unicode_locale() noexcept : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {}
    unicode_locale(const unicode_locale&) = delete;
    unicode_locale& operator=(const unicode_locale&) = delete;
    ~unicode_locale() {
        if (locale_ != nullptr) {
            ::freelocale(locale_);
        }
    }
    [[nodiscard]] std::size_t columns_of(char32_t code) const noexcept {
        if (code < 0x80 || locale_ == nullptr) {
            return 1;
        }
        const locale_t before = ::uselocale(locale_);
        const int columns = ::wcwidth(static_cast<wchar_t>(code));
        ::uselocale(before);
        return columns < 0 ? 1 : static_cast<std::size_t>(columns);
    }

private:
    locale_t locale_;
};

struct shown_character {
    std::string_view bytes;
    std::size_t columns;
};

std::vector<shown_character> characters_of(std::string_view text) {
    static const unicode_locale locale;
    std::vector<shown_character> all;
    all.reserve(text.size());
    while (!text.empty()) {
        const character next = first_character(text);
        const std::size_t size = std::max<std::size_t>(next.size, 1);
        all.push_back({text.substr(0, size), locale.columns_of(next.size > 0 ? next.number : U'\uFFFD')});
        text.remove_prefix(size);
    }
    return all;
}

std::size_t sum(const std::vector<shown_character>& all) {
    std::size_t columns = 0;
    for (const shown_character& each : all) {
        columns += each.columns;
    }
    return columns;
}

}  // namespace

std::size_t columns_of(std::string_view text) {
    return sum(characters_of(text));
}

std::string cut_to(std::string_view text, std::size_t columns, bool unicode) {
    const std::vector<shown_character> all = characters_of(text);
    if (sum(all) <= columns) {
        return std::string(text);
    }
    const std::string_view gap = unicode ? "\u2026" : "...";
    const std::size_t gap_columns = unicode ? 1 : 3;
    if (columns < gap_columns + 2) {
        return std::string(columns, '.');
    }
    std::size_t room = columns - gap_columns;
    std::size_t front_room = room / 2;
    auto front = all.begin();
    for (; front->columns <= front_room; ++front) {
        front_room -= front->columns;
        room -= front->columns;
    }
    auto back = all.end();
    for (; std::prev(back)->columns <= room; --back) {
        room -= std::prev(back)->columns;
    }
    while (back != all.end() && back->columns == 0) {
        ++back;  // it would go onto the gap
    }
    std::string cut(text.data(), front->bytes.data());
    cut += gap;
    if (back != all.end()) {
        cut.append(back->bytes.data(), text.data() + text.size());
    }
    return cut;
}

std::string fill_to(std::string_view text, std::size_t columns, bool unicode) {
    std::string filled = cut_to(text, columns, unicode);
    filled.append(columns - std::min(columns, columns_of(filled)), ' ');
    return filled;
}

}  // namespace fetch
