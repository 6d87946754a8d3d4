-- Requests for wrk: the call, the number of users and of requests come from the environment. A number of requests of 0 means
-- as many as fit into the time.

local call, users = os.getenv("CALL"), tonumber(os.getenv("USERS"))
local most = tonumber(os.getenv("REQUESTS"))
local session = os.getenv("SESSION")
local pairs_of_names = { { "Busy", "InACall" }, { "DoNotDisturb", "Presenting" }, { "Away", "Away" }, { "Available", "Available" } }
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } timespec; int clock_gettime(int clock, timespec *time);")
local time = ffi.new("timespec")

-- Microseconds of the monotonic clock.
local function now()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.seconds) * 1e6 + tonumber(time.nanoseconds) / 1e3
end

local sent = 0
-- Not local, so that `done` can ask for them.
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

-- A bulk read is large: a few of them, made once, are sent again and again.
local bulks = {}

function init()
  math.randomseed(1)
  if call ~= "bulk 650" then return end
  for bulk = 1, 16 do
    local ids = {}
    for place = 1, 650 do ids[place] = '"' .. user(math.random(0, users - 1)) .. '"' end
    local body = '{"ids":[' .. table.concat(ids, ",") .. "]}"
    bulks[bulk] = wrk.format("POST", "/v1.0/communications/getPresencesByUserId", with_body, body)
  end
end

function request()
  sent = sent + 1
  if sent == 1 then began = now() end
  if call == "bulk 650" then return bulks[sent % 16 + 1] end
  -- A clear needs a session each time, so that it goes through the users in order.
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

-- Only where it is needed: to look at every answer costs wrk more than the request does.
if most > 0 then
  function response()
    finished = now()
    -- What is still under way then is not counted.
    if sent >= most then wrk.thread:stop() end
  end
end

local threads = {}

function setup(thread) table.insert(threads, thread) end

function done(summary, latency)
  local errors, duration = summary.errors, summary.duration
  -- wrk itself counts the whole time that it was given.
  if most > 0 then duration = threads[1]:get("finished") - threads[1]:get("began") end
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d,"refused":%d}\n',
    summary.requests, duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status
  ))
end
