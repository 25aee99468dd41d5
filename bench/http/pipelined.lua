-- SPDX-License-Identifier: MIT
-- For wrk: 16 requests at once, then their answers.
local batch

function init()
    batch = string.rep(wrk.format(), 16)
end

function request()
    return batch
end
