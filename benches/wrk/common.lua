-- What the scenarios share: one prepared request for each key, and what is told at the end.

-- One request for each line of the file, made by `prepare`.
function each_key(file, prepare)
    requests = {}
    for key in io.lines(file) do
        requests[#requests + 1] = prepare(key)
    end
    math.randomseed(os.time())
end

function request()
    return requests[math.random(#requests)]
end

-- Those that are not answered when wrk is stopped are fewer.
under_way = 1000

-- Says that wrk may be stopped.
function enough()
    io.write("enough\n")
    io.flush()
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "failed": %d}\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
