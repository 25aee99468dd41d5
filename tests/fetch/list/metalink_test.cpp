// SPDX-License-Identifier: MIT
#include <fetch/list/metalink.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct read_document {
    std::vector<fetch::job> jobs;
    std::string error;
};

// In pieces of `size` bytes.
read_document read_metalink(std::string_view text, std::size_t size = 100'000) {
    fetch::metalink_reader reader("a.meta4");
    read_document read;
    const auto take = [&] {
        while (auto job = reader.next()) {
            read.jobs.push_back(*std::move(job));
        }
    };
    try {
        for (std::size_t at = 0; at < text.size(); at += size) {
            reader.add(text.substr(at, size));
            take();
        }
        reader.end();
    } catch (const std::runtime_error& error) {
        read.error = error.what();
    }
    take();
    return read;
}

std::string metalink(const std::string& files) {
    return R"(<metalink xmlns="urn:ietf:params:xml:ns:metalink">)" + files + "</metalink>";
}

std::string metalink_file(const std::string& inside) {
    return metalink("<file name=\"a\"><url>http://h/a</url>" + inside + "</file>");
}

std::string metalink_mistake(const std::string& inside) {
    const read_document read = read_metalink(metalink_file(inside));
    CHECK(read.error == "");
    REQUIRE(read.jobs.size() == 1);
    return read.jobs.front().mistake;
}

const std::string sha_1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const std::string sha_256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// After RFC 5854 1.1.
const std::string example = R"(<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink" xmlns:x="urn:x">
  <published>2009-05-15T12:23:23Z</published>
  <file name="example.ext">
    <size>14471447</size>
    <identity>Example</identity>
    <description>A description of the example file for download.</description>
    <hash type="md5">d41d8cd98f00b204e9800998ecf8427e</hash>
    <hash type="sha-256"> )" +
                            sha_256 + R"(
    </hash>
    <hash type="sha-1">)" + sha_1 +
                            R"(</hash>
    <pieces length="14471440" type="sha-1">
      <hash>)" + sha_1 + R"(</hash>
      <hash>)" + sha_1 + R"(</hash>
    </pieces>
    <x:url>http://not/this</x:url>
    <url location="fr">http://third/example.ext</url>
    <url location="de" priority="2">ftp://ftp.example.com/example.ext</url>
    <url location="de" priority="2">http://second/example.ext?a=1&amp;b=2</url>
    <url location="fr" priority="1"><![CDATA[http://first/example.ext]]></url>
    <metaurl mediatype="torrent" priority="2">http://example.com/example.ext.torrent</metaurl>
  </file>
  <file name="dir/b"><url>https://h/b</url></file>
</metalink>
)";

}  // namespace

TEST_CASE("a Metalink document is jobs, however its bytes come") {
    for (const std::size_t size : {1, 7, 100, 100'000}) {
        CAPTURE(size);
        const read_document read = read_metalink(example, size);
        CHECK(read.error == "");
        REQUIRE(read.jobs.size() == 2);
        const fetch::job& first = read.jobs.front();
        CHECK(first.mistake == "");
        CHECK(first.url == "http://first/example.ext");
        CHECK(first.mirrors ==
              std::vector<std::string>{"http://second/example.ext?a=1&b=2", "http://third/example.ext"});
        CHECK(first.output == "example.ext");
        CHECK(first.size == 14'471'447);
        REQUIRE(first.checksum.has_value());
        CHECK(first.checksum->kind == fetch::digest_kind::sha_256);
        CHECK(fetch::hexadecimal(*first.checksum) == sha_256);
        REQUIRE(first.pieces.has_value());
        CHECK(first.pieces->kind == fetch::digest_kind::sha_1);
        CHECK(first.pieces->length == 14'471'440);
        CHECK(first.pieces->bytes.size() == 2);
        CHECK(first.pieces->bytes.front() == fetch::bytes_of(sha_1));
        CHECK(read.jobs.back().output == "dir/b");
        CHECK(read.jobs.back().url == "https://h/b");
        CHECK(!read.jobs.back().size.has_value());
    }
}

TEST_CASE("a file of a Metalink document is there once its element has ended") {
    fetch::metalink_reader reader("a.meta4");
    reader.add(R"(<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="a"><url>http://h/a</url>)");
    CHECK(!reader.next().has_value());
    reader.add("</file>");
    CHECK(reader.next().has_value());
    CHECK(!reader.next().has_value());
}

TEST_CASE("names of a Metalink document lead out of no folder") {
    const auto name_in = [](const std::string& name) {
        const read_document read =
            read_metalink(metalink("<file name=\"" + name + "\"><url>http://h/a</url></file>"));
        REQUIRE(read.jobs.size() == 1);
        return read.jobs.front().output;
    };
    CHECK(name_in("../../etc/passwd") == "etc/passwd");
    CHECK(name_in("/etc/passwd") == "etc/passwd");
    CHECK(name_in("a/.ssh/b.part") == "a/_ssh/b.part_");
    CHECK(name_in("..") == "_");
    CHECK(name_in("a\\..&#10;b") == "a_.._b");
}

TEST_CASE(
    "what is wrong with a file of a Metalink document is its mistake, and the others are not concerned") {
    CHECK(metalink_mistake("") == "");
    CHECK(metalink_mistake("<size>x</size>") == "a.meta4:1: a: its size is no number");
    CHECK(metalink_mistake("<hash type=\"sha-256\">12</hash>") == "a.meta4:1: a: its hash is no sha-256");
    CHECK(metalink_mistake("<hash type=\"tiger\">12</hash>") == "");
    CHECK(metalink_mistake("<url>h/a</url>") ==
          "a.meta4:1: a: its URL h/a: it does not begin with http:// or https://");
    CHECK(metalink_mistake("<pieces type=\"sha-1\" length=\"0\"/>") ==
          "a.meta4:1: a: its pieces have no length");
    CHECK(metalink_mistake("<pieces type=\"sha-1\" length=\"5\"><hash>1</hash></pieces>") ==
          "a.meta4:1: a: the hash of a piece is no sha-1");
    CHECK(metalink_mistake("<size>11</size><pieces type=\"sha-1\" length=\"5\"><hash>" + sha_1 +
                           "</hash></pieces>") ==
          "a.meta4:1: a: it has 1 hashes of pieces where its size needs 3");
    const read_document read = read_metalink(
        metalink("\n<file name=\"a\"><url>ftp://h/a</url></file>\n<file><url>http://h/b</url></file>"
                 "<file name=\"c\"><url>http://h/c</url></file>"));
    REQUIRE(read.jobs.size() == 3);
    CHECK(read.jobs[0].mistake == "a.meta4:2: a: it has no URL of http or https");
    CHECK(read.jobs[1].mistake == "a.meta4:3: : the file has no name");
    CHECK(read.jobs[2].mistake == "");
}

TEST_CASE("of the pieces of a Metalink document those of the strongest kind count") {
    const auto pieces = [](const std::string& type, const std::string& digits) {
        return "<pieces type=\"" + type + "\" length=\"5\"><hash>" + digits + "</hash></pieces>";
    };
    const std::string all = pieces("sha-1", sha_1) + pieces("sha-256", sha_256) +
                            pieces("md5", "d41d8cd98f00b204e9800998ecf8427e") + pieces("unknown", "x");
    const read_document read = read_metalink(metalink_file(all));
    REQUIRE(read.jobs.size() == 1);
    CHECK(read.jobs.front().mistake == "");
    CHECK(read.jobs.front().pieces.value().kind == fetch::digest_kind::sha_256);
    CHECK(read.jobs.front().pieces.value().bytes.size() == 1);
}

TEST_CASE("what is no Metalink document is refused in one line, and what was whole before it is given") {
    const auto error_of = [](const std::string& text) { return read_metalink(text).error; };
    CHECK(error_of("<html></html>") ==
          "a.meta4:1: this is no Metalink document, but begins as one of XML or HTML");
    CHECK(error_of("<metalink/>") ==
          "a.meta4:1: this is no Metalink document, but begins as one of XML or HTML");
    CHECK(error_of("<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\"/>") ==
          "a.meta4:1: this is Metalink 3; only Metalink 4 (RFC 5854) is understood");
    CHECK(error_of("") == "a.meta4:1: this is no Metalink document: no element found");
    CHECK(error_of(metalink("") + "x") == "a.meta4:1: junk after document element");
    CHECK(error_of("<!DOCTYPE m [<!ENTITY a \"b\">]>" + metalink("")) ==
          "a.meta4:1: a document type is not allowed");
    CHECK(error_of(metalink("&a;")) == "a.meta4:1: undefined entity");
    const read_document cut = read_metalink(example.substr(0, example.find("dir/b")));
    CHECK(cut.jobs.size() == 1);
    CHECK(cut.error == "a.meta4:23: unclosed token");
}

TEST_CASE("a Metalink document may not be too deep, nor have anything too long") {
    std::string deep;
    for (int i = 0; i < 1'000'000; ++i) {
        deep += "<a>";
    }
    CHECK(read_metalink(metalink(deep)).error == "a.meta4:1: elements are nested too deep");
    const std::string letters(1'000'000, 'a');
    CHECK(read_metalink(metalink_file("<url>http://h/" + letters + "</url>")).error ==
          "a.meta4:1: the text of an element is too long");
    CHECK(read_metalink(metalink("<!--" + letters + "-->")).error ==
          "a.meta4:1: a tag or a comment is too long");
    CHECK(read_metalink(metalink("<a b=\"" + letters + "\"/>")).error ==
          "a.meta4:1: a tag or a comment is too long");
    CHECK(metalink_mistake("<description>" + letters + "</description>") == "");
    std::string many;
    for (int i = 0; i < 1'001; ++i) {
        many += "<url>http://h/a</url>";
    }
    CHECK(metalink_mistake(many) == "a.meta4:1: a: it has too many URLs");
}

TEST_CASE("a Metalink document may have any length") {
    fetch::metalink_reader reader("a.meta4");
    reader.add(R"(<metalink xmlns="urn:ietf:params:xml:ns:metalink">)");
    for (int i = 0; i < 20'000; ++i) {
        reader.add("<file name=\"a\"><url>http://h/a</url></file>\n");
        REQUIRE(reader.next().has_value());
    }
    reader.add("</metalink>");
    reader.end();
}
