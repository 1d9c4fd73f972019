-- POST /api/v1/auth/login, each time of another user whom nobody knows.
dofile("common.lua")

local headers = { ["Content-Type"] = "application/json" }

function request()
    local body = string.format('{"username":"user-%d","password":"a wrong one"}', math.random(1e9))
    return wrk.format("POST", "/api/v1/auth/login", headers, body)
end
