-- Requests for wrk. The environment sets the call, the number of users, and the number of requests, where 0 means as many as
-- possible in the time.

local call, users = os.getenv("CALL"), tonumber(os.getenv("USERS"))
local most = tonumber(os.getenv("REQUESTS"))
local session = os.getenv("SESSION")
local pairs_of_names = { { "Busy", "InACall" }, { "DoNotDisturb", "Presenting" }, { "Away", "Away" }, { "Available", "Available" } }
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } timespec; int clock_gettime(int clock, timespec *time);")
local time = ffi.new("timespec")

-- Returns the microseconds of the monotonic clock.
local function now()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

local sent = 0
-- Global, so that `done` can read them.
began, finished = 0, 0

local function user(number)
  return string.format("%08x-0000-4000-8000-%012x", number * 2654435761 % 4294967296, number)
end

local function headers(has_body)
  local sent_headers = { Authorization = "Bearer " .. os.getenv("TOKEN") }
  if has_body then sent_headers["Content-Type"] = "application/json" end
  return sent_headers
end
local with_body, without_body = headers(true), headers(false)

-- Bulk reads are large, so a few of them are created once and sent repeatedly.
local bulks = {}

function init()
  math.randomseed(1)
  if call ~= "bulk 650" then return end
  for bulk = 1, 16 do
    local ids = {}
    for index = 1, 650 do ids[index] = '"' .. user(math.random(0, users - 1)) .. '"' end
    local body = '{"ids":[' .. table.concat(ids, ",") .. "]}"
    bulks[bulk] = wrk.format("POST", "/v1.0/communications/getPresencesByUserId", with_body, body)
  end
end

function request()
  sent = sent + 1
  if sent == 1 then began = now() end
  if call == "bulk 650" then return bulks[sent % 16 + 1] end
  -- Each clear needs a session, so the requests go through the users in order.
  local path = "/v1.0/users/" .. user(call == "clear" and sent - 1 or math.random(0, users - 1)) .. "/presence"
  if call == "get" then return wrk.format("GET", path, without_body) end
  if call == "clear" then return wrk.format("POST", path .. "/clearPresence", with_body, '{"sessionId":"' .. session .. '"}') end
  local names = pairs_of_names[math.random(1, 4)]
  local body = string.format(
    '{"sessionId":"%s","availability":"%s","activity":"%s","expirationDuration":"PT1H"}',
    session, names[1], names[2]
  )
  return wrk.format("POST", path .. "/setPresence", with_body, body)
end

-- Only where it is needed, because handling every response costs wrk more than the request does.
if most > 0 then
  function response()
    finished = now()
    -- Requests still in flight are not counted.
    if sent >= most then wrk.thread:stop() end
  end
end

local threads = {}

function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local errors, duration = summary.errors, summary.duration
  -- wrk itself reports the whole time of the run.
  if most > 0 then duration = threads[1]:get("finished") - threads[1]:get("began") end
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d,"rejected":%d}\n',
    summary.requests, duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status
  ))
end
