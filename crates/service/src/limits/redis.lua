-- The generic cell rate algorithm over several limits: all of them give the cost, or none does.
-- KEYS: for each limit, where the moment is kept at which all of it is free again.
-- ARGV: the cost, then for each limit how many uses it has and how long one takes to come back.
-- Times are whole microseconds, by the clock of this server alone.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local before, after, taken = {}, {}, 1
for i, key in ipairs(KEYS) do
    local limit, interval = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    before[i] = math.max(tonumber(redis.call('GET', key) or now), now)
    after[i] = before[i] + cost * interval
    if cost > 0 and after[i] - now > limit * interval then
        taken = 0
    end
end
local ahead = {}
for i, key in ipairs(KEYS) do
    local free = taken == 1 and after[i] or before[i]
    ahead[i] = free - now
    if taken == 1 and cost > 0 then
        redis.call('SET', key, string.format('%.0f', free), 'PX', math.ceil(ahead[i] / 1000))
    end
end
return {taken, ahead}
