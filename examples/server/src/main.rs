//! A server for Microsoft Graph's presence API. The README beside it describes it.

#![forbid(unsafe_code)]

mod backup;
mod configuration;
mod disk;
mod first_contact;
mod http;
mod kept_token;
mod listen;
mod logs;
mod messages;
mod metrics;
mod names;
mod open_files;
mod options;
mod passed;
mod policies;
mod restore;
mod settings;
mod signals;
mod supervisor;
mod tokens;
mod traces;
mod zones;

use crate::configuration::reload::Reloader;
use crate::configuration::{Configuration, report};
use crate::disk::Disk;
use crate::http::connections::ConnectionLimits;
use crate::http::{App, Limits, connections, router};
use crate::kept_token::{KeptToken, KeptTokenError};
use crate::logs::{Log, LogPlace, Logs};
use crate::messages::LogHandle;
use crate::metrics::Metrics;
use crate::options::{Cli, Command, Options};
use crate::settings::{Inputs, Settings};
use crate::signals::Signals;
use crate::supervisor::Supervisor;
use crate::traces::Traces;
use arc_swap::ArcSwap;
use clap::{ArgMatches, CommandFactory, FromArgMatches};
use presence_engine::backup::Backups;
use presence_engine::data;
use presence_engine::{Engine, OpenError, Store};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// The allocator of a static program: musl's own has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The time in which requests end that were too slow to wait for.
const LAST_TASKS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let (line, command) = command_line().unwrap_or_else(|error| error.exit());
    let log = messages::start();
    let outcome = match (command, line.subcommand()) {
        (None, _) => start(&line, log),
        (Some(Command::CheckConfig(_)), Some((_, line))) => check_config(line, &log),
        (Some(Command::Backup(options)), _) => backup::run(&options),
        (Some(Command::Restore(options)), _) => restore::run(&options),
        (Some(_), _) => print(&settings::page::page()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Parses the command line. An error of it shows no token.
fn command_line() -> Result<(ArgMatches, Option<Command>), clap::Error> {
    let parsed = Cli::command().try_get_matches().and_then(|line| {
        let command = Cli::from_arg_matches(&line)?.command;
        Ok((line, command))
    });
    parsed.map_err(|mut error| {
        settings::hide_secrets(&mut error);
        error
    })
}

/// Reads the settings, and starts to log as they say.
fn read(line: &ArgMatches, log: &LogHandle) -> Result<(Inputs, Settings), Box<dyn Error>> {
    let inputs = Inputs::new(line, std::env::vars_os())?;
    let settings = inputs.read()?;
    log.set(&settings.options.log)?;
    zones::install(&settings.options.zoneinfo);
    inputs.unknown_variables().iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok((inputs, settings))
}

/// Checks the configuration as a start does, and prints it. Listens nowhere, and touches no data.
fn check_config(line: &ArgMatches, log: &LogHandle) -> Result<(), Box<dyn Error>> {
    let (_, settings) = read(line, log)?;
    print(&report::report(&Configuration::new(settings)?)?)
}

/// Takes what was passed to the process, checks the configuration, and serves.
fn start(line: &ArgMatches, log: LogHandle) -> Result<(), Box<dyn Error>> {
    let (inputs, mut settings) = read(line, &log)?;
    let listen = &mut settings.options.listen;
    listen.take_passed().map_err(|error| format!("--listen {listen}: {error}"))?;
    serve(inputs, Configuration::new(settings)?, log)
}

fn print(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Serves until a signal ends it.
fn serve(inputs: Inputs, mut configuration: Configuration, log: LogHandle) -> Result<(), Box<dyn Error>> {
    let is_first_try = configuration.grants.is_empty();
    let options = configuration.settings.options.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let signals = runtime.block_on(async { Signals::catch() })?;
    // Before everything else: if the address is taken, no data is touched.
    let bound = runtime.block_on(async { options.listen.bind() });
    let listeners = bound.map_err(|error| format!("--listen {}: {error}", options.listen))?;
    let places = listeners.places.clone();
    let supervisor = Supervisor::from_environment().map_err(|error| format!("NOTIFY_SOCKET: {error}"))?;
    let connections = open_files::fitting(&options)?;
    let limits = ConnectionLimits {
        count: connections,
        per_address: options.connections_per_address(connections),
        idle: Duration::from_secs(options.idle_seconds.into()),
    };
    let metrics = Arc::new(Metrics::new());
    metrics.readings.set_limits(options.requests, connections, data::shards_for(options.users as usize));
    // Before the data as well: nothing is changed of which the logs would miss the line.
    let logs = open_logs(&options, &metrics)?;
    let traces = start_traces(&options)?;
    let engine = open_engine(&options, &metrics)?;
    let backups = Backups::new(&options.data, &options.backup_directory());
    if let Err(error) = backups.clean() {
        // Serving needs no backups; one that is asked for says the same.
        tracing::error!("--backup-dir {}: {error}", options.backup_directory().display());
    }
    let kept = if is_first_try { Some(keep_token(&options, engine.data_lock())?) } else { None };
    kept.iter().for_each(|kept| configuration.grants.add_development(kept.given.clone()));
    let (end, ending) = watch::channel(false);
    let (stop, stopping) = watch::channel(false);
    let app = Arc::new(App {
        shards: engine.shards().clone(),
        current: ArcSwap::from_pointee(configuration.current(None)?),
        clock: engine.clock().clone(),
        metrics,
        is_loopback: options.listen.is_loopback(),
        feed_ids: Arc::default(),
        ending: ending.clone(),
        stopping: stopping.clone(),
        logs,
        disk: Arc::new(Disk::new(options.data.clone())),
        traces,
        open: options.open.clone(),
        backups,
        limits: Limits::new(options.requests as usize, Duration::from_secs(options.heartbeat.into())),
    });
    let (token, kept) = kept.map(|KeptToken { text, given }| (text, given)).unzip();
    let reloader = Reloader { inputs, running: Mutex::new(configuration), app: app.clone(), log, kept };
    runtime.spawn(signals.handle(end, move || reloader.reload()));
    runtime.spawn(drain(ending, stop, Duration::from_secs(options.drain_seconds.into())));
    first_contact::announce(&places, token.as_deref())?;
    let (supervised, until) = (app.clone(), app.ending.clone());
    runtime.spawn(async move { supervisor.follow(&supervised.shards, until).await });
    runtime.block_on(connections::serve(listeners, limits, options.trusted_proxy, router(app.clone()), &app, stopping));
    engine.stop();
    // What has been too slow to wait for ends here, and has its lines.
    runtime.shutdown_timeout(LAST_TASKS);
    app.logs.close();
    app.traces.close();
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
fn start_traces(options: &Options) -> Result<Traces, String> {
    // The check has said what is wrong.
    debug_assert!(options.otlp_endpoint.is_none());
    Ok(Traces::default())
}

/// Goes on serving for a time after the server is about to end, then stops it.
async fn drain(mut ending: watch::Receiver<bool>, stop: watch::Sender<bool>, time: Duration) {
    // The sender lives as long as the runtime.
    let _ = ending.wait_for(|is_ending| *is_ending).await;
    tokio::time::sleep(time).await;
    stop.send_replace(true);
}

/// Returns the development token of a first try: that of the data, or one for this run if nothing is stored.
fn keep_token(options: &Options, lock: Option<&File>) -> Result<KeptToken, KeptTokenError> {
    lock.map_or_else(KeptToken::unkept, |lock| KeptToken::of(&options.data, lock))
}

/// Opens the data and starts the engine.
fn open_engine(options: &Options, metrics: &Metrics) -> Result<Engine, OpenError> {
    let store = Store::Directory(options.data.clone());
    #[cfg(feature = "benchmark")]
    let store = if options.benchmark.is_some() { Store::Nothing } else { store };
    let mut engine = presence_engine::Options::new(store);
    engine.users = options.users as usize;
    engine.users_per_application = options.users_per_application();
    engine.sessions = options.sessions;
    engine.is_clock_virtual = options.virtual_clock;
    engine.resets_clock = options.reset_clock;
    engine.metrics = metrics.engine.clone();
    #[cfg(feature = "benchmark")]
    if matches!(options.benchmark, Some(options::Benchmark::NoDirectory)) {
        return Engine::open_constant(&engine);
    }
    Engine::open(engine)
}
