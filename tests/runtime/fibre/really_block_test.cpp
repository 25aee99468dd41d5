// SPDX-License-Identifier: MIT
#include <leat/blocking.hpp>

#include <doctest/doctest.h>

TEST_CASE("outside a fibre really_block changes nothing") {
    CHECK_FALSE(leat::detail::in_fibre());
    {
        const leat::really_block here;
        CHECK_FALSE(leat::detail::in_fibre());
    }
    CHECK_FALSE(leat::detail::in_fibre());
}
