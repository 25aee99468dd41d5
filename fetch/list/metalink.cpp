// SPDX-License-Identifier: MIT
#include <fetch/list/metalink.hpp>

#include <fetch/list/metalink_file.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include <expat.h>

namespace fetch {
namespace {

constexpr std::string_view metalink_namespace = "urn:ietf:params:xml:ns:metalink ";  // with expat's separator
constexpr std::size_t nesting_max = 32;
constexpr std::size_t text_max = 65536;    // of an element, in bytes
constexpr std::size_t block_max = 65536;   // that expat is given at once
constexpr std::int64_t token_max = 65536;  // that it may keep, because its end has not come

// Where the parser is: what RFC 5854 has, as far as it is used, and all else.
enum class element : std::uint8_t { root, file, size, hash, url, pieces, piece, other };

element child_of(element parent, std::string_view name) noexcept {
    if (parent == element::root) {
        return name == "file" ? element::file : element::other;
    }
    if (parent == element::file) {
        return name == "size"     ? element::size
               : name == "hash"   ? element::hash
               : name == "url"    ? element::url
               : name == "pieces" ? element::pieces
                                  : element::other;
    }
    return parent == element::pieces && name == "hash" ? element::piece : element::other;
}

bool has_text(element kind) noexcept {
    return kind == element::size || kind == element::hash || kind == element::url || kind == element::piece;
}

// The value of an attribute; empty when there is none.
std::string_view attribute_of(const XML_Char** attributes, std::string_view name) noexcept {
    for (; *attributes != nullptr; attributes += 2) {
        if (name == *attributes) {
            return attributes[1];
        }
    }
    return {};
}

// Where a parser is. The older calls of expat are deprecated where there are these; templates, so that only
// the one that is called must exist.
template <typename Parser>
std::uint64_t line_of(Parser* parser) noexcept {
    if constexpr (requires { XML_GetCurrentLineNumber64(parser); }) {
        return static_cast<std::uint64_t>(XML_GetCurrentLineNumber64(parser));
    } else {
        return XML_GetCurrentLineNumber(parser);
    }
}

template <typename Parser>
std::int64_t byte_of(Parser* parser) noexcept {
    if constexpr (requires { XML_GetCurrentByteIndex64(parser); }) {
        return static_cast<std::int64_t>(XML_GetCurrentByteIndex64(parser));
    } else {
        return XML_GetCurrentByteIndex(parser);
    }
}

}  // namespace

struct metalink_reader::state {
    explicit state(std::string given) : name(std::move(given)), parser(XML_ParserCreateNS(nullptr, ' ')) {
        if (parser == nullptr) {
            throw std::bad_alloc();
        }
        XML_SetUserData(parser, this);
        XML_SetElementHandler(parser, on_start, on_end);
        XML_SetCharacterDataHandler(parser, on_text);
        XML_SetStartDoctypeDeclHandler(parser, on_document_type);
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { XML_ParserFree(parser); }

    [[nodiscard]] std::uint64_t line() const noexcept { return line_of(parser); }
    [[noreturn]] void refuse(std::string_view what) const {
        throw std::runtime_error(name + ":" + std::to_string(line()) + ": " + std::string(what));
    }
    void parse(std::string_view bytes, bool last);
    void start(std::string_view tag, const XML_Char** attributes);
    void start_root(std::string_view tag) const;
    void end();
    void add_text(std::string_view more);

    // What a handler throws must not pass through expat.
    template <typename Call>
    static void guarded(void* self, Call call) noexcept {
        auto& of = *static_cast<state*>(self);
        if (of.failed != nullptr) {
            return;
        }
        try {
            call(of);
        } catch (...) {
            of.failed = std::current_exception();
            XML_StopParser(of.parser, XML_FALSE);
        }
    }
    static void XMLCALL on_start(void* self, const XML_Char* tag, const XML_Char** attributes) noexcept {
        guarded(self, [&](state& of) { of.start(tag, attributes); });
    }
    static void XMLCALL on_end(void* self, const XML_Char* /*tag*/) noexcept {
        guarded(self, [](state& of) { of.end(); });
    }
    static void XMLCALL on_text(void* self, const XML_Char* text, int size) noexcept {
        guarded(self, [&](state& of) { of.add_text({text, static_cast<std::size_t>(size)}); });
    }
    static void XMLCALL on_document_type(void* self, const XML_Char* /*name*/, const XML_Char* /*system*/,
                                         const XML_Char* /*public_name*/, int /*internal*/) noexcept {
        guarded(self, [](state& of) { of.refuse("a document type is not allowed"); });
    }

    std::string name;
    XML_Parser parser;
    std::exception_ptr failed;
    std::int64_t fed = 0;
    bool begun = false;  // the root element
    std::vector<element> open;
    std::string text;  // of the element that is open, if it has some
    std::string told;  // of that: its type, or its priority
    metalink_file file;
    std::deque<job> whole;
};

void metalink_reader::state::parse(std::string_view bytes, bool last) {
    fed += static_cast<std::int64_t>(bytes.size());
    const auto status = XML_Parse(parser, bytes.data(), static_cast<int>(bytes.size()), last ? 1 : 0);
    if (failed != nullptr) {
        std::rethrow_exception(failed);
    }
    if (status != XML_STATUS_OK) {
        refuse((begun ? "" : "this is no Metalink document: ") +
               std::string(XML_ErrorString(XML_GetErrorCode(parser))));
    }
    if (fed - byte_of(parser) > token_max) {
        refuse("a tag or a comment is too long");
    }
}

void metalink_reader::state::start_root(std::string_view tag) const {
    if (tag == std::string(metalink_namespace) + "metalink") {
        return;
    }
    if (tag == "http://www.metalinker.org/ metalink") {
        refuse("this is Metalink 3; only Metalink 4 (RFC 5854) is understood");
    }
    refuse("this is no Metalink document, but begins as one of XML or HTML");
}

void metalink_reader::state::start(std::string_view tag, const XML_Char** attributes) {
    if (open.empty()) {
        start_root(tag);
        begun = true;
        open.push_back(element::root);
        return;
    }
    if (open.size() == nesting_max) {
        refuse("elements are nested too deep");
    }
    const bool known = tag.starts_with(metalink_namespace);
    const element kind =
        known ? child_of(open.back(), tag.substr(metalink_namespace.size())) : element::other;
    open.push_back(kind);
    text.clear();
    if (kind == element::file) {
        file = metalink_file(name, line(), attribute_of(attributes, "name"));
    } else if (kind == element::pieces) {
        file.begin_pieces(attribute_of(attributes, "type"), attribute_of(attributes, "length"));
    } else if (has_text(kind)) {
        told = attribute_of(attributes, kind == element::hash ? "type" : "priority");
    }
}

void metalink_reader::state::add_text(std::string_view more) {
    if (open.empty() || !has_text(open.back())) {
        return;
    }
    if (text.size() + more.size() > text_max) {
        refuse("the text of an element is too long");
    }
    text += more;
}

void metalink_reader::state::end() {
    const element kind = open.back();
    open.pop_back();
    switch (kind) {
        case element::root:
        case element::other:
            break;
        case element::file:
            whole.push_back(std::move(file).end());
            break;
        case element::size:
            file.take_size(text);
            break;
        case element::hash:
            file.take_hash(told, text);
            break;
        case element::url:
            file.take_url(told, text);
            break;
        case element::pieces:
            file.end_pieces();
            break;
        case element::piece:
            file.take_piece(text);
            break;
    }
}

metalink_reader::metalink_reader(std::string name) : state_(std::make_unique<state>(std::move(name))) {}
metalink_reader::metalink_reader(metalink_reader&&) noexcept = default;
metalink_reader& metalink_reader::operator=(metalink_reader&&) noexcept = default;
metalink_reader::~metalink_reader() = default;

void metalink_reader::add(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::string_view block = bytes.substr(0, block_max);
        bytes.remove_prefix(block.size());
        state_->parse(block, false);
    }
}

void metalink_reader::end() {
    state_->parse({}, true);
}

std::optional<job> metalink_reader::next() {
    if (state_->whole.empty()) {
        return std::nullopt;
    }
    std::optional<job> given(std::move(state_->whole.front()));
    state_->whole.pop_front();
    return given;
}

}  // namespace fetch
