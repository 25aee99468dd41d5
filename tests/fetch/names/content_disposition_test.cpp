// SPDX-License-Identifier: MIT
#include <fetch/names/content_disposition.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string_view>

namespace {

struct disposition_case {
    std::string_view field;
    std::string_view name;  // empty: none
};

void check_dispositions(const auto& cases) {
    for (const disposition_case& each : cases) {
        CAPTURE(each.field);
        const auto name = fetch::disposition_name(each.field);
        CHECK(name.has_value() == !each.name.empty());
        CHECK(name.value_or("") == each.name);
    }
}

}  // namespace

// The cases of greenbytes.de/tech/tc2231, by its names.
TEST_CASE("names of Content-Disposition are those that browsers take") {
    check_dispositions(std::to_array<disposition_case>({
        {"inline", ""},                                                     // inlonly
        {"\"inline\"", ""},                                                 // inlonlyquoted
        {"inline; filename=\"foo.html\"", "foo.html"},                      // inlwithasciifilename
        {"inline; filename=\"Not an attachment!\"", "Not an attachment!"},  // inlwithfnattach
        {"attachment", ""},                                                 // attonly
        {"ATTACHMENT", ""},                                                 // attonlyucase
        {"attachment; filename=\"0000000000111111111122222\"", "0000000000111111111122222"},  // ...filename25
        {"attachment; filename=\"f\\oo.html\"", "foo.html"},  // attwithasciifnescapedchar
        {"attachment; filename=\"\\\"quoting\\\" tested.html\"",
         "\"quoting\" tested.html"},  // ...escapedquote
        {"attachment; filename=\"Here's a semicolon;.html\"",
         "Here's a semicolon;.html"},                                         // ...quotedsemicolon
        {"attachment; foo=\"bar\"; filename=\"foo.html\"", "foo.html"},       // attwithfilenameandextparam
        {"attachment; foo=\"\\\"\\\\\";filename=\"foo.html\"", "foo.html"},   // ...andextparamescaped
        {"attachment; FILENAME=\"foo.html\"", "foo.html"},                    // attwithasciifilenameucase
        {"attachment; filename=foo.html", "foo.html"},                        // attwithasciifilenamenq
        {"attachment; filename='foo.bar'", "'foo.bar'"},                      // attwithfntokensq
        {"attachment; filename=\"foo-\xe4.html\"", "foo-\xc3\xa4.html"},      // attwithisofnplain
        {"attachment; filename=\"foo-\xc3\xa4.html\"", "foo-\xc3\xa4.html"},  // attwithutf8fnplain
        {"attachment; filename=\"foo-%41.html\"", "foo-%41.html"},            // attwithfnrawpctenca
        {"attachment; filename=\"50%.html\"", "50%.html"},                    // attwithfnusingpct
        {"attachment; filename=\"foo-%\\41.html\"", "foo-%41.html"},          // attwithfnrawpctencaq
        {"attachment; name=\"foo-%41.html\"", ""},                            // attwithnamepct
        {"attachment; filename=\"foo-%c3%a4-%e2%82%ac.html\"", "foo-%c3%a4-%e2%82%ac.html"},  // ...pctenclong
        {"attachment; filename =\"foo.html\"", "foo.html"},                     // attwithasciifilenamews1
        {"attachment; filename= \"foo.html\"", "foo.html"},                     // attwithasciifilenamews2
        {"attachment; xfilename=foo.html", ""},                                 // attconfusedparam
        {"attachment; filename=\"/foo.html\"", "foo.html"},                     // attabspath
        {"attachment; filename=\"\\\\foo.html\"", "foo.html"},                  // attabspathwin
        {"attachment; creation-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"", ""},  // attcdate
        {"foobar; filename=\"a\"", "a"},                                        // dispext
        {"attachment; example=\"filename=example.txt\"", ""},                   // dispextbadfn
        {"attachment; foobar=x; filename=\"foo.html\"", "foo.html"},            // attnewandfn
        {"attachment; filename=\"=?ISO-8859-1?Q?foo-=E4.html?=\"",
         "=?ISO-8859-1?Q?foo-=E4.html?="},  // attrfc2047quoted
    }));
}

TEST_CASE("filename* counts before filename if it is sound") {
    check_dispositions(std::to_array<disposition_case>({
        {"attachment; filename*=iso-8859-1''foo-%E4.html", "foo-\xc3\xa4.html"},  // attwithisofn2231iso
        {"attachment; filename*=UTF-8''foo-%c3%a4-%e2%82%ac.html",
         "foo-\xc3\xa4-\xe2\x82\xac.html"},                                       // attwithfn2231utf8
        {"attachment; filename*=''foo-%c3%a4-%e2%82%ac.html", ""},                // attwithfn2231noc
        {"attachment; filename*=UTF-8''foo-a%cc%88.html", "foo-a\xcc\x88.html"},  // attwithfn2231utf8comp
        {"attachment; filename*=iso-8859-1''foo-%c3%a4-%e2%82%ac.html", ""},      // attwithfn2231utf8-bad
        {"attachment; filename*=utf-8''foo-%E4.html", ""},                        // attwithfn2231iso-bad
        {"attachment; filename*= UTF-8''foo-%c3%a4.html", "foo-\xc3\xa4.html"},   // attwithfn2231ws2
        {"attachment; filename* =UTF-8''foo-%c3%a4.html", "foo-\xc3\xa4.html"},   // attwithfn2231ws3
        {"attachment; filename*=\"UTF-8''foo-%c3%a4.html\"", ""},                 // attwithfn2231quot
        {"attachment; filename*=\"foo%20bar.html\"", ""},                         // attwithfn2231quot2
        {"attachment; filename*=UTF-8'foo-%c3%a4.html", ""},                      // ...singleqmissing
        {"attachment; filename*=UTF-8''foo%", ""},                                // attwithfn2231nbadpct1
        {"attachment; filename*=UTF-8''f%oo.html", ""},                           // attwithfn2231nbadpct2
        {"attachment; filename*=UTF-8''A-%2541.html", "A-%41.html"},              // attwithfn2231dpct
        {"attachment; filename*=UTF-8''%5cfoo.html", "foo.html"},                 // ...abspathdisguised
        {"attachment; filename*=UTF-8'en'%2e%2e%2f", ""},
        {"attachment; filename*0=\"foo.\"; filename*1=\"html\"", ""},  // attfncont
        {"attachment; filename=\"foo-ae.html\"; filename*=UTF-8''foo-%c3%a4.html",
         "foo-\xc3\xa4.html"},  // attfnboth
        {"attachment; filename*=UTF-8''foo-%c3%a4.html; filename=\"foo-ae.html\"",
         "foo-\xc3\xa4.html"},  // ...2
        {"attachment; filename*0*=ISO-8859-15''euro-sign%3d%a4; filename*=ISO-8859-1''currency-sign%3d%a4",
         "currency-sign=\xc2\xa4"},  // attfnboth3
        {"attachment; filename=\"a\"; filename*=utf-8''%ff", "a"},
        {"attachment; filename=\"a\"; filename*=koi8-r''b", "a"},
    }));
}

TEST_CASE("Content-Disposition as it should not be is understood where it can be") {
    check_dispositions(std::to_array<disposition_case>({
        {"attachment; filename=foo,bar.html", "foo,bar.html"},                     // attwithtokfncommanq
        {"attachment; filename=foo.html ;", "foo.html"},                           // attwithasciifilenamenqs
        {"attachment; ;filename=foo", "foo"},                                      // attemptyparam
        {"attachment; filename=foo bar.html", "foo bar.html"},                     // attwithasciifilenamenqws
        {"attachment; filename=\"foo.html\"; filename=\"bar.html\"", "foo.html"},  // attwith2filenames
        {"attachment; filename=foo[1](2).html", "foo[1](2).html"},                 // attfnbrokentoken
        {"attachment; filename=foo-\xe4.html", "foo-\xc3\xa4.html"},               // attfnbrokentokeniso
        {"filename=foo.html", "foo.html"},                                         // attmissingdisposition
        {"x=y; filename=foo.html", "foo.html"},                                    // attmissingdisposition2
        {"\"foo; filename=bar;baz\"; filename=qux", "qux"},                        // attmissingdisposition3
        {"; filename=foo.html", "foo.html"},                                       // emptydisposition
        {": inline; attachment; filename=foo.html", "foo.html"},                   // doublecolon
        {"inline; attachment; filename=foo.html", "foo.html"},                     // attandinline
        {"attachment; filename=\"foo.html\".txt", "foo.html"},                     // attbrokenquotedfn
        {"attachment; filename=\"bar", "bar"},                                     // attbrokenquotedfn2
        {"attachment; filename=\"bar\\", ""},
        {"attachment filename=bar", ""},                // attmissingdelim3
        {"filename=foo.html; attachment", "foo.html"},  // attreversed
        {"attachment; filename", ""},
        {"attachment; filename=", ""},
        {"attachment; filename=\"\"", ""},
        {"attachment; filename=\"..\"", ""},
        {"attachment; filename=\"a/..\"", ""},
        {"attachment; filename=\"../../.bashrc\"", ".bashrc"},
        {"attachment; filename=\" a \"", "a"},
        {"", ""},
    }));
}
