-- POST /api/v1/verify about a random key of the file, asked by the owner of the second argument.
dofile("common.lua")

function init(arguments)
    local headers = { ["X-API-Key"] = arguments[2], ["Content-Type"] = "application/json" }
    each_key(arguments[1], function(key)
        return wrk.format("POST", "/api/v1/verify", headers, '{"credential":"' .. key .. '"}')
    end)
end
