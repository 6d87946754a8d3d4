# shellcheck shell=bash
# shellcheck disable=SC2034 # Used where this file is sourced.
# The modules that mutants are tried in, one after another: those of src/, those of the firmware that run on a host, and those of
# the server and its engine.

# Those that take longest come first.
modules=(graph directory timers firmware_storage firmware base user snapshot json request respond details client lines table indicator
  arbitrary firmware_drivers engine_shard engine server_http server_connections server_traces server)

# Sets `files` to what belongs to a module, `first` to the tests that are asked first: those that tell most about it; `package` to
# the folder of its package, and `equivalent` to the list of its mutants that no test can tell from the code.
module() {
  package=. equivalent=equivalent-mutants
  case $1 in
    firmware*) package=examples/firmware equivalent=equivalent-firmware-mutants ;;
    server* | engine*) package=examples/server equivalent=equivalent-server-mutants ;;
  esac
  case $1 in
    firmware) files=(examples/firmware/src/{,requests/}*.rs) first=(--lib --test=device) ;;
    firmware_storage) files=(examples/firmware/src/storage/*.rs) first=(--lib --test=storage) ;;
    firmware_drivers) files=(examples/firmware/boards/shared/{pl011,nrf_uart,ns16550,cmsdk_uart,cmsdk_watchdog,nrf_watchdog,range,registers}.rs) first=(--test=drivers) ;;
    server) files=(examples/server/src/*.rs examples/server/src/{configuration,logs,options,settings,zones}/*.rs examples/server/src/traces/nothing.rs) first=(--bin=presence-server) ;;
    server_traces) files=(examples/server/src/traces/{mod,otlp}.rs) first=(--features=otlp --test=server) ;;
    server_http) files=(examples/server/src/http/{,audit/}*.rs) first=(--bin=presence-server) ;;
    server_connections) files=(examples/server/src/http/{connections,connections/*}/*.rs) first=(--bin=presence-server) ;;
    engine) files=(examples/server/engine/src/*.rs examples/server/engine/src/{backup,clock,clock/timekeeper,data,engine,feed}/*.rs) first=(--package=presence-engine --lib) ;;
    engine_shard) files=(examples/server/engine/src/{journal/,journal/sqlite/,shard/,shard/durability_tests/}*.rs) first=(--package=presence-engine --lib) ;;
    base) files=(src/{buffer,edges,id,padded,policy,single_user}.rs src/{presence,time,time/iso8601}/*.rs) first=(--lib --test=rules) ;;
    user) files=(src/user/*.rs) first=(--test=rules --test=properties) ;;
    details) files=(src/details/*.rs) first=(--test=details --test=rules) ;;
    snapshot) files=(src/snapshot/*.rs) first=(--test=snapshot --test=details) ;;
    directory) files=(src/directory/*.rs) first=(--test=rules) ;;
    timers) files=(src/directory/timers/*.rs) first=(--lib) ;;
    table) files=(src/directory/table/*.rs) first=(--lib --test=rules) ;;
    graph) files=(src/graph/*.rs) first=(--lib --test=wire --test=rules) ;;
    request) files=(src/graph/request/*.rs) first=(--test=wire) ;;
    respond) files=(src/graph/respond/*.rs) first=(--test=wire) ;;
    json) files=(src/graph/json/*.rs) first=(--test=wire) ;;
    client) files=(src/client/*.rs src/client/*/*.rs) first=(--lib --test=client) ;;
    lines) files=(src/lines/*.rs) first=(--lib --test=lines) ;;
    indicator) files=(src/indicator/*.rs src/indicator/tests/*.rs) first=(--lib) ;;
    arbitrary) files=(src/arbitrary.rs) first=(--test=properties) ;;
    *) echo "no such module: $1" >&2; return 1 ;;
  esac
}
