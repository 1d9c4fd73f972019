-- POST /api/v1/api-keys, one key for each request, as the administrator whose key the argument is.
dofile("common.lua")

local created

function init(arguments)
    local headers = { ["Content-Type"] = "application/json", ["X-API-Key"] = arguments[1] }
    created = wrk.format("POST", "/api/v1/api-keys", headers, '{"name":"created alone"}')
end

function request()
    return created
end
