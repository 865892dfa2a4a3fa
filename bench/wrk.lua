-- wrk -s wrk.lua URL [close]: the result as one line of JSON; "close" asks for a connection per request.
function init(args)
  if args[1] == 'close' then wrk.headers['Connection'] = 'close' end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"failures":%d,"seconds":%.3f,"p50":%.3f,"p99":%.3f,"max":%.3f,"errors":"connect %d, read %d, write %d, status %d, timeout %d"}\n',
    summary.requests, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
