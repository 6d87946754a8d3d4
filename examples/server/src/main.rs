//! A server that speaks Microsoft Graph's presence API. See the README beside it.

#![forbid(unsafe_code)]

mod clock;
mod http;
mod metrics;
mod options;
mod shard;
mod tokens;
mod zones;

use crate::clock::Clock;
use crate::http::{App, Parts, connections, router};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::shard::{Service, Shards, layout, stored_clock};
use crate::tokens::{Grant, Tokens};
use clap::Parser;
use presence_core::Instant;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal).init();
    match options.check().map_err(Into::into).and_then(|()| run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(mut options: Options) -> Result<(), Box<dyn Error>> {
    let hint = if options.has_tokens() {
        None
    } else {
        let token = uuid::Uuid::new_v4().simple().to_string();
        options.dev_token.push(Grant::development(&token)?);
        Some(token)
    };
    let grants = options.app_token.drain(..).chain(options.user_token.drain(..)).chain(options.dev_token.drain(..));
    let tokens = Tokens::new(grants).map_err(|_| "the same token is given twice")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // First of all: if the address is taken, nothing is touched.
    let listener = runtime.block_on(TcpListener::bind(options.listen))?;
    let address = listener.local_addr()?;

    let users = options.users as usize;
    let service = options.service();
    let count = layout::shards_for(users);
    let (journals, clock, _lock) = match service {
        Service::Real => {
            let data = layout::open(&options.data, count)?;
            let (newest, virtual_now) = stored_clock(&data.journals)?;
            let clock = Clock::start(newest, virtual_now, options.virtual_clock);
            (data.journals.into_iter().map(Some).collect(), clock, Some(data.lock))
        }
        _ => {
            let clock = Clock::start(Instant::ZERO, None, options.virtual_clock);
            ((0..count).map(|_| None).collect(), clock, None)
        }
    };
    let clock = Arc::new(clock);
    let metrics = Arc::new(Metrics::new());
    let shards = Shards::start(journals, users, &clock, &metrics, service)?;

    let (stop, stopping) = watch::channel(false);
    let app = Arc::new(App::new(Parts {
        shards,
        tokens,
        clock,
        names: options.user_name.drain(..).collect(),
        metrics,
        is_loopback: address.ip().is_loopback(),
        stopping: stopping.clone(),
        requests: options.requests as usize,
    }));
    announce(&format!("http://{address}"), hint.as_deref())?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("ending");
            stop.send_replace(true);
        });
        connections::serve(listener, router(app.clone()), &app, stopping).await;
        Ok::<_, std::io::Error>(())
    })?;
    app.shards.stop();
    runtime.shutdown_background();
    Ok(())
}

/// Says that the server is ready, and how to try it.
fn announce(base: &str, token: Option<&str>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {base}")?;
    if let Some(token) = token {
        writeln!(
            out,
            "curl -i -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
             -d '{{\"sessionId\":\"22553876-f5ab-4529-bffb-cfe50aa89f87\",\"availability\":\"Busy\",\
             \"activity\":\"InACall\",\"expirationDuration\":\"PT1H\"}}' \
             {base}/v1.0/users/fa8bf3dc-eca7-46b7-bad1-db199b62afc3/presence/setPresence"
        )?;
    }
    out.flush()
}
