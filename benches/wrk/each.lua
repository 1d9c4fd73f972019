-- GET /api/v1/me with each key of the file, one after the other, until there were as many as the argument says.
dofile("common.lua")

local next_key
local missing
local key

function init(arguments)
    next_key = io.lines(arguments[1])
    missing = tonumber(arguments[2]) + under_way
end

function request()
    missing = missing - 1
    if missing == 0 then enough() end
    if missing >= under_way then key = next_key() end
    return wrk.format("GET", "/api/v1/me", { ["X-API-Key"] = key })
end
