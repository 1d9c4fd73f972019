-- GET /api/v1/me, each time with a random key of the file.
dofile("common.lua")

function init(arguments)
    each_key(arguments[1], function(key)
        return wrk.format("GET", "/api/v1/me", { ["X-API-Key"] = key })
    end)
end
