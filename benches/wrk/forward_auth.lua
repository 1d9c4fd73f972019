-- GET /api/v1/forward-auth/nginx, as nginx asks, each time with a random key of the file.
dofile("common.lua")

function init(arguments)
    each_key(arguments[1], function(key)
        return wrk.format("GET", "/api/v1/forward-auth/nginx", {
            ["X-API-Key"] = key,
            ["X-Original-Method"] = "GET",
            ["X-Original-URI"] = "/billing/v1/invoices?page=2",
        })
    end)
end
