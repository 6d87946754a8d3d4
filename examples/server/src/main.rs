//! A server for Microsoft Graph's presence API. The README beside it describes it.

#![forbid(unsafe_code)]

mod check_config;
mod disk;
mod http;
mod listen;
mod logs;
mod metrics;
mod names;
mod open_files;
mod options;
mod passed;
mod policies;
mod signals;
mod supervisor;
mod tokens;
mod traces;
mod zones;

use crate::disk::Disk;
use crate::http::connections::ConnectionLimits;
use crate::http::{App, Hosts, Limits, Rates, connections, router};
use crate::listen::Place;
use crate::logs::{Log, LogPlace, Logs};
use crate::metrics::Metrics;
use crate::options::{CONNECTIONS, Cli, Command, Options};
use crate::policies::Policies;
use crate::signals::Signals;
use crate::supervisor::Supervisor;
use crate::tokens::{Grant, Tokens};
use crate::traces::Traces;
use clap::Parser;
use presence_engine::backup::Backups;
use presence_engine::clock::{Clock, follow, wall_clock};
use presence_engine::data;
#[cfg(feature = "benchmark")]
use presence_engine::data::spread::Spread;
use presence_engine::shard::creators::Quota;
use presence_engine::shard::{Shards, reset_clock, stored_clock};
use std::error::Error;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The allocator of a static program: musl's own has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Cli { command, options } = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        // A log that cannot be written, on a full disk say, must not end the server. Reporting that to the log would.
        .log_internal_errors(false)
        .init();
    let outcome = match command {
        None => start(options),
        Some(Command::CheckConfig(options)) => check_config::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Takes what was passed to the process, checks the options, and serves.
fn start(mut options: Options) -> Result<(), Box<dyn Error>> {
    options.listen.take_passed().map_err(|error| format!("--listen {}: {error}", options.listen))?;
    options.check()?;
    serve(options)
}

/// Serves until a signal ends it.
fn serve(mut options: Options) -> Result<(), Box<dyn Error>> {
    let hint = if options.has_tokens() {
        None
    } else {
        let token = uuid::Uuid::new_v4().simple().to_string();
        options.dev_token.push(Grant::development(&token)?);
        Some(token)
    };
    let grants = options.app_token.drain(..).chain(options.user_token.drain(..)).chain(options.dev_token.drain(..));
    let tokens = Tokens::new(grants)?;
    let rates = Rates::new(tokens.callers(), options.application_rate, options.user_rate);
    let policies = Policies::new(options.policy, options.app_policy.drain(..))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let signals = runtime.block_on(async { Signals::catch() })?;
    // Before everything else: if the address is taken, no data is touched.
    let bound = runtime.block_on(async { options.listen.bind() });
    let listeners = bound.map_err(|error| format!("--listen {}: {error}", options.listen))?;
    let places = listeners.places.clone();
    let supervisor = Supervisor::from_environment().map_err(|error| format!("NOTIFY_SOCKET: {error}"))?;
    let shards = data::shards_for(options.users as usize);
    let connections = open_files::connections(options.connections, CONNECTIONS, open_files::raise_limit(), shards)?;
    let limits = ConnectionLimits {
        count: connections,
        per_address: options.connections_per_address(connections),
        idle: Duration::from_secs(options.idle_seconds.into()),
    };
    let proxies = std::mem::take(&mut options.trusted_proxy);

    let metrics = Arc::new(Metrics::new());
    metrics.readings.set_limits(options.requests, connections, shards);
    // Before the data as well: nothing is changed of which the logs would miss the line.
    let logs = open_logs(&options, &metrics)?;
    let traces = start_traces(&options)?;
    let Backend { shards, clock, _lock } = start_shards(&options, &metrics)?;
    let backups = Backups::new(&options.data, &options.backup_directory());
    if let Err(error) = backups.clean() {
        // Serving needs no backups; one that is asked for says the same.
        tracing::error!("--backup-dir {}: {error}", options.backup_directory().display());
    }
    let (end, ending) = watch::channel(false);
    let (stop, stopping) = watch::channel(false);
    let app = Arc::new(App {
        shards: Arc::new(shards),
        tokens,
        policies,
        clock,
        names: options.user_name.drain(..).collect(),
        metrics,
        is_loopback: options.listen.is_loopback(),
        hosts: Hosts::new(std::mem::take(&mut options.host), !options.listen.is_seen_by_browsers_here()),
        feed_ids: Arc::default(),
        ending: ending.clone(),
        stopping: stopping.clone(),
        logs,
        disk: Arc::new(Disk::new(options.data.clone())),
        traces,
        open: std::mem::take(&mut options.open),
        rates,
        backups,
        limits: Limits::new(options.requests as usize, Duration::from_secs(options.heartbeat.into())),
    });
    let reloaded = app.clone();
    runtime.spawn(signals.handle(end, move || reload(&reloaded)));
    runtime.spawn(drain(ending, stop, Duration::from_secs(options.drain_seconds.into())));
    announce(&places, hint.as_deref())?;
    let (supervised, until) = (app.clone(), app.ending.clone());
    runtime.spawn(async move { supervisor.follow(&supervised.shards, until).await });
    let following = app.clone();
    let follow = move || follow::follow(&following.clock, &following.metrics.engine, || following.shards.wake());
    std::thread::Builder::new().name("clock".to_owned()).spawn(follow)?;
    runtime.block_on(connections::serve(listeners, limits, proxies, router(app.clone()), &app, stopping));
    app.shards.stop();
    app.logs.close();
    app.traces.close();
    runtime.shutdown_background();
    Ok(())
}

/// Opens the access log and the audit log, as far as they are wanted.
fn open_logs(options: &Options, metrics: &Metrics) -> Result<Logs, String> {
    let open = |name, place: &Option<LogPlace>| {
        let Some(place) = place else { return Ok(None) };
        let log = Log::open(name, place, metrics.log(name));
        log.map(Some).map_err(|error| format!("--{name}-log {place}: {error}"))
    };
    Ok(Logs { access: open("access", &options.access_log)?, audit: open("audit", &options.audit_log)? })
}

/// Starts sending traces, if there is a collector.
#[cfg(feature = "otlp")]
fn start_traces(options: &Options) -> Result<Traces, String> {
    let endpoint = options.otlp_endpoint.as_deref();
    endpoint.map_or_else(|| Ok(Traces::default()), Traces::start).map_err(|error| format!("--otlp-endpoint: {error}"))
}

#[cfg(not(feature = "otlp"))]
fn start_traces(_: &Options) -> Result<Traces, String> {
    Ok(Traces::default())
}

/// Goes on serving for a time after the server is about to end, then stops it.
async fn drain(mut ending: watch::Receiver<bool>, stop: watch::Sender<bool>, time: Duration) {
    // The sender lives as long as the runtime.
    let _ = ending.wait_for(|is_ending| *is_ending).await;
    tokio::time::sleep(time).await;
    stop.send_replace(true);
}

/// Reads anew what a running server can read anew, on SIGHUP: the files of the logs, which may have been renamed.
fn reload(app: &App) {
    app.logs.reopen();
    tracing::info!("reloaded: the files of the logs are open anew, and nothing else comes from files that can change");
}

/// The started shards, with their clock and the lock on their data.
struct Backend {
    shards: Shards,
    clock: Arc<Clock>,
    _lock: Option<File>,
}

/// Opens the data and starts the shards.
fn start_shards(options: &Options, metrics: &Arc<Metrics>) -> Result<Backend, Box<dyn Error>> {
    let users = options.users as usize;
    let count = data::shards_for(users);
    let quota = Arc::new(Quota::new(options.users_per_application()));
    #[cfg(feature = "benchmark")]
    if let Some(benchmark) = options.benchmark {
        let clock = Arc::new(Clock::start(presence_engine::clock::StoredClock::default(), options.virtual_clock));
        let shards = match benchmark {
            options::Benchmark::NoJournal => {
                let (journals, spread) = ((0..count).map(|_| None).collect(), Spread::unkeyed(count));
                Shards::start(journals, spread, users, options.sessions, &quota, &clock, &metrics.engine)?
            }
            options::Benchmark::NoDirectory => Shards::start_constant(count, &metrics.engine),
        };
        return Ok(Backend { shards, clock, _lock: None });
    }
    let data = data::open(&options.data, count)?;
    let mut stored = stored_clock(&data.journals)?;
    if options.reset_clock {
        stored = reset_clock(&data.journals, stored, wall_clock())?;
    }
    let clock = Arc::new(Clock::start(stored, options.virtual_clock));
    let journals = data.journals.into_iter().map(Some).collect();
    let shards = Shards::start(journals, data.spread, users, options.sessions, &quota, &clock, &metrics.engine)?;
    Ok(Backend { shards, clock, _lock: Some(data.lock) })
}

/// Prints the addresses, and a command to try the server with.
fn announce(places: &[Place], token: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let all: Vec<_> = places.iter().map(Place::to_string).collect();
    writeln!(out, "listening on {}", all.join(", "))?;
    if let (Some(token), Some(place)) = (token, places.first()) {
        writeln!(
            out,
            "curl -i -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
             -d '{{\"sessionId\":\"22553876-f5ab-4529-bffb-cfe50aa89f87\",\"availability\":\"Busy\",\
             \"activity\":\"InACall\",\"expirationDuration\":\"PT1H\"}}' \
             {}",
            place.curl("/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence")
        )?;
    }
    out.flush()
}
