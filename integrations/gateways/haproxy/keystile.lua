-- Asks Keystile whether a request may pass: http-request lua.keystile <url of the endpoint>

-- What belongs to the client's own connection or to the body, which is not sent, and what Keystile
-- has no use for.
local kept_back = {
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie",
    "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
    "upgrade",
}

-- What of a refusal the client is told.
local passed_on = {
    "cache-control", "content-type", "ratelimit", "ratelimit-policy", "retry-after",
    "www-authenticate", "x-request-id",
}

local refusals = { [400] = true, [401] = true, [403] = true, [429] = true, [431] = true }

local unavailable = {
    status = 503,
    headers = { ["content-type"] = { "application/problem+json" }, ["retry-after"] = { "1" } },
    body = '{"title": "Service Unavailable", "status": 503}',
}

local function question(txn, url)
    local headers = txn.http:req_get_headers()
    for _, name in ipairs(kept_back) do
        headers[name] = nil
    end
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-uri"] = { txn.f:pathq() }
    return { url = url, headers = headers, timeout = 5000 }
end

local function refusal(answer)
    if not refusals[answer.status] then
        return unavailable
    end
    local headers = {}
    for _, name in ipairs(passed_on) do
        headers[name] = answer.headers[name]
    end
    return { status = answer.status, headers = headers, body = answer.body }
end

core.register_action("keystile", { "http-req" }, function(txn, url)
    local answer = core.httpclient():get(question(txn, url))
    if answer == nil or answer.status ~= 200 then
        txn:done(refusal(answer or {}))
        return
    end
    for name, values in pairs(answer.headers) do
        if name:sub(1, 11) == "x-keystile-" then
            for _, value in pairs(values) do
                txn.http:req_set_header(name, value)
            end
        end
    end
    txn:set_var("txn.keystile_passed", true)
end, 1)
