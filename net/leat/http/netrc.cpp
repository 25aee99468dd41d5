// SPDX-License-Identifier: MIT
#include <leat/http/netrc.hpp>

#include <leat/http/core/text.hpp>
#include <leat/system/folder.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace leat::http {
namespace {

bool is_space(char c) noexcept {
    return detail::is_blank(c) || c == '\n' || c == '\r';
}

std::string in_lower_case(std::string_view text) {
    std::string made(text);
    std::ranges::transform(made, made.begin(), detail::to_lower);
    return made;
}

void check_user(const netrc_login& login) {
    if (login.user.find(':') != login.user.npos) {
        throw std::invalid_argument("a login of a netrc has no colon in it");  // RFC 7617
    }
}

char unescaped(char c) noexcept {
    switch (c) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return c;
    }
}

}  // namespace

// Takes a text apart, word by word.
class netrc::reader {
public:
    explicit reader(std::string_view text) noexcept : rest_(text) {}

    void read_into(netrc& made) {
        for (std::string word = next_keyword(); !word.empty(); word = next_keyword()) {
            if (word == "machine") {
                finish(made);
                host_ = value("a machine has no name");
            } else if (word == "default") {
                finish(made);
                is_default_ = true;
            } else if (word == "macdef") {
                skip_macro();
            } else {
                take(word);
            }
        }
        finish(made);
    }

private:
    [[noreturn]] void fail(const std::string& why) const {
        throw std::invalid_argument("netrc line " + std::to_string(line_) + ": " + why);
    }

    void take(std::string_view word) {
        if (word != "login" && word != "user" && word != "password" && word != "account") {
            fail("a word that is none of machine, default, login, password, account and macdef");
        }
        if (!host_ && !is_default_) {
            fail("a " + std::string(word) + " before the first machine");
        }
        std::string given = value("a " + std::string(word) + " has no value");
        if (word == "password") {
            login_.password = std::move(given);
        } else if (word != "account") {
            if (given.find(':') != given.npos) {
                fail("a login has no colon in it");
            }
            login_.user = std::move(given);
        }
    }

    void finish(netrc& made) {
        netrc_login login = std::exchange(login_, {});
        if (const auto host = std::exchange(host_, std::nullopt)) {
            made.add(*host, std::move(login));
        } else if (std::exchange(is_default_, false)) {
            made.set_default(std::move(login));
        }
    }

    void skip(std::size_t count) noexcept {
        line_ += static_cast<std::size_t>(std::ranges::count(rest_.substr(0, count), '\n'));
        rest_.remove_prefix(std::min(count, rest_.size()));
    }
    void skip_space() noexcept {
        skip(static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_space) - rest_.begin()));
    }
    std::string_view take_line() noexcept {
        const std::string_view line = rest_.substr(0, rest_.find('\n'));
        skip(line.size() + 1);
        return line;
    }

    // Empty at the end.
    std::string next_keyword() {
        for (skip_space(); rest_.starts_with('#'); skip_space()) {
            (void)take_line();
        }
        return plain_word();
    }

    std::string value(const std::string& missing) {
        skip_space();
        if (rest_.empty()) {
            fail(missing);
        }
        return rest_.starts_with('"') ? quoted_word() : plain_word();
    }

    std::string plain_word() {
        const auto end = std::ranges::find_if(rest_, is_space);
        std::string word(rest_.begin(), end);
        skip(word.size());
        return word;
    }

    std::string quoted_word() {
        std::string word;
        skip(1);
        for (;;) {
            const char c = rest_.empty() ? '\n' : rest_.front();
            skip(c == '\n' ? 0 : 1);
            if (c == '"') {
                return word;
            }
            const bool escapes = c == '\\' && !rest_.empty() && rest_.front() != '\n';
            if (c == '\n') {
                fail("a quote has no end");
            }
            word += escapes ? unescaped(rest_.front()) : c;
            skip(escapes ? 1 : 0);
        }
    }

    // Up to an empty line.
    void skip_macro() noexcept {
        while (!rest_.empty()) {
            const std::string_view line = take_line();
            if (line.empty() || line == "\r") {
                return;
            }
        }
    }

    std::string_view rest_;
    std::size_t line_ = 1;
    std::optional<std::string> host_;
    bool is_default_ = false;
    netrc_login login_;
};

netrc netrc::parse(std::string_view text) {
    netrc made;
    reader(text).read_into(made);
    return made;
}

task<netrc> netrc::load(std::string path) {
    const std::string text = co_await read_file(path, size_max);
    try {
        co_return parse(text);
    } catch (const std::invalid_argument& wrong) {
        throw std::invalid_argument(path + ": " + wrong.what());
    }
}

void netrc::add(std::string_view host, netrc_login login) {
    check_user(login);
    by_host_[in_lower_case(host)].push_back(std::move(login));
}

void netrc::set_default(netrc_login login) {
    check_user(login);
    if (!default_) {
        default_ = std::move(login);
    }
}

const netrc_login* netrc::find(std::string_view host, std::string_view user) const {
    const auto found = by_host_.find(in_lower_case(host));
    if (found == by_host_.end()) {
        return nullptr;
    }
    const auto fits = [&](const netrc_login& each) { return user.empty() || each.user == user; };
    const auto first = std::ranges::find_if(found->second, fits);
    return first != found->second.end() ? &*first : nullptr;
}

const netrc_login* netrc::find_default(std::string_view user) const {
    return default_ && (user.empty() || default_->user == user) ? &*default_ : nullptr;
}

}  // namespace leat::http
