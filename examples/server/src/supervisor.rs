//! The service manager that has started the server, and is told of its state, as `sd_notify(3)` describes.
//!
//! Written out because it is a datagram, and the crate sd-notify knows no abstract addresses.

use presence_engine::shard::Shards;
use presence_engine::shard::job::Job;
use std::env::var;
use std::ffi::OsStr;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use tokio::sync::oneshot::channel;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The part of the watchdog's time after which the server says again that it is alive, as `sd_watchdog_enabled(3)` recommends.
const PART: u32 = 2;
/// The time after which a shard whose queue is full is asked again. It may be busy and alive.
const RETRY: Duration = Duration::from_millis(100);

/// A service manager, or none.
#[derive(Debug)]
pub struct Supervisor {
    address: Option<SocketAddr>,
    /// The time in which it must hear that the server is alive.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// Finds the service manager in the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if `NOTIFY_SOCKET` is no address.
    pub fn from_environment() -> io::Result<Self> {
        let address = std::env::var_os("NOTIFY_SOCKET").as_deref().map(address).transpose()?;
        let watchdog = watchdog(var("WATCHDOG_USEC").ok().as_deref(), var("WATCHDOG_PID").ok().as_deref());
        Ok(Self { address, watchdog })
    }

    /// Tells it that the server serves, and then that it lives, again and again; and when `stopping` has come that it ends.
    ///
    /// Never returns. Must be called within the runtime.
    pub async fn follow(self, shards: &Shards, mut stopping: watch::Receiver<bool>) {
        self.notify("READY=1");
        tokio::join!(self.keep_alive(shards), async {
            // An error is the end of the process.
            if stopping.wait_for(|is_stopping| *is_stopping).await.is_ok() {
                self.notify("STOPPING=1");
            }
        });
    }

    /// Tells it that the server lives while the runtime does and each shard's writer responds.
    async fn keep_alive(&self, shards: &Shards) {
        let Some(watchdog) = self.watchdog else { return };
        let mut times = interval(watchdog / PART);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            while !respond(shards).await {
                sleep(RETRY).await;
            }
            self.notify("WATCHDOG=1");
        }
    }

    /// Sends a message. What cannot be sent is only logged, for the server's clients need none of it.
    fn notify(&self, message: &str) {
        let Some(address) = &self.address else { return };
        let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(message.as_bytes(), address));
        if let Err(error) = sent {
            tracing::warn!("the service manager was not told {message}: {error}");
        }
    }
}

/// Returns the address that `NOTIFY_SOCKET` names: a path, or behind an `@` a name without a file.
fn address(text: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = text.as_encoded_bytes().strip_prefix(b"@") {
        return <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name);
    }
    SocketAddr::from_pathname(text)
}

/// Returns the time that `WATCHDOG_USEC` gives to this process, unless `WATCHDOG_PID` means another.
fn watchdog(microseconds: Option<&str>, process: Option<&str>) -> Option<Duration> {
    let is_meant = process.is_none_or(|process| process.parse() == Ok(std::process::id()));
    let microseconds = microseconds?.parse().ok().filter(|microseconds| *microseconds > 0 && is_meant)?;
    Some(Duration::from_micros(microseconds))
}

/// Waits until each shard's writer has responded to a read of no user. Returns false if one has no room for it.
async fn respond(shards: &Shards) -> bool {
    for shard in 0..shards.len() {
        let (to, response) = channel();
        if shards.send(shard, Job::ReadMany(Vec::new(), to)).is_err() || response.await.is_err() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use std::sync::mpsc::Receiver;
    use tokio::time::advance;

    /// The clock moves only as far as the test says.
    const STEP: Duration = Duration::from_secs(1);

    /// Lets all tasks do what they can, a step of time later, and returns how often the service manager has heard something.
    async fn heard(manager: &UnixDatagram, queues: &[Receiver<Job>]) -> usize {
        advance(STEP).await;
        for _ in 0..100 {
            for job in queues.iter().flat_map(Receiver::try_iter) {
                if let Job::ReadMany(_, to) = job {
                    to.send(Vec::new()).unwrap();
                }
            }
            tokio::task::yield_now().await;
        }
        std::iter::from_fn(|| manager.recv(&mut [0; 64]).ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_shard_that_does_not_respond_is_not_alive() {
        let own = tempfile::TempDir::new().unwrap();
        let address = SocketAddr::from_pathname(own.path().join("notify")).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_nonblocking(true).unwrap();
        let (shards, queues) = Shards::stalled(2, &Metrics::new().engine);
        let supervisor = Supervisor { address: Some(address), watchdog: Some(2 * STEP) };
        tokio::spawn(async move { supervisor.keep_alive(&shards).await });
        heard(&manager, &queues).await;
        for _ in 0..3 {
            assert_eq!(heard(&manager, &queues).await, 1);
        }
        for _ in 0..3 {
            assert_eq!(heard(&manager, &queues[..1]).await, 0, "the second one does not respond");
        }
        assert!(heard(&manager, &queues).await > 0, "it is alive again");
    }

    #[test]
    fn a_watchdog_is_of_one_process() {
        let (own, half) = (std::process::id().to_string(), Some(Duration::from_millis(500)));
        for (microseconds, process, expected) in [
            (None, None, None),
            (Some("500000"), None, half),
            (Some("500000"), Some(&*own), half),
            (Some("500000"), Some("1"), None),
            (Some("500000"), Some(""), None),
            (Some("0"), None, None),
            (Some("-1"), None, None),
            (None, Some(&*own), None),
        ] {
            assert_eq!(watchdog(microseconds, process), expected, "{microseconds:?} {process:?}");
        }
    }
}
