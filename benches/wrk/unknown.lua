-- GET /api/v1/me, each time with another well-formed key, until there were as many as the argument says.
dofile("common.lua")
local bit = require("bit")

local digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local table_of_crc = {}
for byte = 0, 255 do
    local crc = byte
    for _ = 1, 8 do
        local shifted = bit.rshift(crc, 1)
        crc = bit.band(crc, 1) == 1 and bit.bxor(shifted, 0xEDB88320) or shifted
    end
    table_of_crc[byte] = crc
end

-- CRC-32 (IEEE) in base62: the checksum of a key.
local function checksum(text)
    local crc = bit.bnot(0)
    for at = 1, #text do
        local index = bit.band(bit.bxor(crc, text:byte(at)), 0xFF)
        crc = bit.bxor(bit.rshift(crc, 8), table_of_crc[index])
    end
    local rest = bit.bnot(crc) % 4294967296
    local shown = ""
    for _ = 1, 6 do
        local digit = rest % 62 + 1
        shown = digits:sub(digit, digit) .. shown
        rest = (rest - rest % 62) / 62
    end
    return shown
end

local random = {}
local missing

function init(arguments)
    missing = tonumber(arguments[1]) + under_way
    math.randomseed(os.time())
end

function request()
    missing = missing - 1
    if missing == 0 then enough() end
    for at = 1, 43 do
        local digit = math.random(62)
        random[at] = digits:sub(digit, digit)
    end
    local text = "ks_" .. table.concat(random)
    return wrk.format("GET", "/api/v1/me", { ["X-API-Key"] = text .. checksum(text) })
end
