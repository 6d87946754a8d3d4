//! A calendar as a source: a file or an address in the form of iCalendar.

mod agenda;
mod event;
mod expand;
mod following;
mod marks;
mod moment;
mod origin;
mod recurrence;
mod text;
mod zone;

#[cfg(test)]
mod tests;

use self::following::Following;
use self::marks::Owner;
use self::origin::{Origin, Reader};
use super::Reporter;
use crate::Stop;
use chrono::Utc;
use clap::Args;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// The first pause after a failure: a network may come a little later than the program.
const RETRY: Duration = Duration::from_secs(5);
/// The longest sleep: it is to stop, or a clock was set, or the computer has slept.
const NAP: Duration = Duration::from_secs(1);

/// Options of the calendar
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Calendar")]
pub struct CalendarOptions {
    /// Show the meetings of a calendar: a file in the form of iCalendar (.ics), or its address
    ///
    /// Outlook, Google and Apple publish such an address. Whoever knows it can read the calendar: set PRESENCE_FOLLOW_CALENDAR
    /// instead where others see what you run.
    #[arg(long, value_name = "FILE|URL")]
    pub calendar: Option<Origin>,
    /// Your address in the calendar: what you declined does not count; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub calendar_user: Vec<String>,
    /// Count tentative meetings as well
    #[arg(long)]
    pub calendar_tentative: bool,
    /// The minutes between two readings
    #[arg(long, value_name = "MINUTES", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=360))]
    pub calendar_interval: u32,
    /// The time zone of days, and of times without one: Europe/Berlin; this computer's, if it is left out
    #[arg(long, value_name = "ZONE")]
    pub calendar_zone: Option<chrono_tz::Tz>,
}

impl CalendarOptions {
    /// Returns the calendar to follow, if there is one.
    ///
    /// # Errors
    ///
    /// A sentence.
    pub fn origin(&self) -> Result<Option<Origin>, String> {
        if self.calendar.is_some() {
            return Ok(self.calendar.clone());
        }
        let Ok(text) = std::env::var("PRESENCE_FOLLOW_CALENDAR") else { return Ok(None) };
        // What is wrong with it may be a secret.
        text.parse().map(Some).map_err(|_| "PRESENCE_FOLLOW_CALENDAR is neither a file nor an address.".to_owned())
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.calendar_interval) * 60)
    }

    fn owner(&self) -> Owner {
        Owner { addresses: self.calendar_user.clone(), tentative: self.calendar_tentative }
    }

    fn zone(&self) -> Option<chrono_tz::Tz> {
        self.calendar_zone.or_else(|| iana_time_zone::get_timezone().ok()?.parse().ok())
    }
}

/// Follows a calendar until it is to stop.
pub fn run(reporter: &Reporter, origin: &Origin, options: &CalendarOptions) {
    let (readings, received) = sync_channel(1);
    let (reader, stop, interval) = (Reader::new(origin.clone()), reporter.stop.clone(), options.interval());
    // A thread of its own: a slow server delays no meeting. It ends with the program.
    thread::spawn(move || read_again(reader, &stop, interval, &readings));
    let zone = options.zone().unwrap_or_else(|| {
        reporter.console.say("This computer's time zone is not known, so days are those of UTC: give --calendar-zone.");
        chrono_tz::UTC
    });
    let mut following = Following::new(zone, options.owner(), interval);
    let (mut trouble, mut left_out) = (None, 0);
    let mut nap = NAP;
    while !reporter.stop.is_requested() {
        match received.recv_timeout(nap) {
            Ok(reading) => {
                let error = following.take(reading, Utc::now()).err();
                if trouble != error {
                    tell(reporter, origin, error.as_deref());
                    trouble = error;
                }
                if left_out != following.left_out() {
                    left_out = following.left_out();
                    reporter
                        .console
                        .say(&format!("{origin}: {left_out} of its events cannot be understood, and do not count."));
                }
                reporter.console.detail(|| format!("calendar: {following}"));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Utc::now();
        for news in following.news(now) {
            reporter.send(news);
        }
        nap = following.until_change(now).min(NAP);
    }
}

fn tell(reporter: &Reporter, origin: &Origin, error: Option<&str>) {
    match error {
        Some(error) => reporter.console.say(&format!("{origin} cannot be read: {error}.")),
        None => reporter.console.say(&format!("{origin} can be read again.")),
    }
}

/// Reads a calendar every so often, until nobody wants it; sooner after a failure, with pauses that grow.
fn read_again(
    mut reader: Reader,
    stop: &Stop,
    interval: Duration,
    readings: &SyncSender<Result<Option<String>, String>>,
) {
    let first = RETRY.min(interval);
    let mut pause = first;
    loop {
        let reading = reader.read();
        let failed = reading.is_err();
        if failed {
            reader.forget();
        }
        if readings.send(reading).is_err() || stop.wait(if failed { pause } else { interval }) {
            return;
        }
        pause = if failed { pause.saturating_mul(2).min(interval) } else { first };
    }
}

#[cfg(test)]
mod reading_tests {
    use super::*;
    use crate::testing::{FakeServer, Reaction};

    /// After a failure all of the calendar is read again: what it refers to may be what nobody has understood.
    #[test]
    fn after_a_failure_a_whole_calendar_is_asked_for() {
        const VALIDATOR: &str = "ETag: \"1\"\r\nConnection: close\r\n";
        let server = FakeServer::start();
        for status in [200, 304, 500, 200, 304] {
            server.will(Reaction::Answer(status, VALIDATOR, String::new()));
        }
        let origin = format!("{}/calendar.ics", server.address).parse().unwrap();
        let (readings, received) = sync_channel(1);
        let reading = thread::spawn(move || {
            read_again(Reader::new(origin), &Stop::new(), Duration::from_millis(1), &readings);
        });
        let all: Vec<_> = received.iter().take(5).map(|reading| reading.map_err(|_| ())).collect();
        drop(received);
        let whole = Ok(Some(String::new()));
        assert_eq!(all, [whole.clone(), Ok(None), Err(()), whole, Ok(None)]);
        let asked: Vec<_> = all.iter().map(|_| server.request().header("if-none-match").is_some()).collect();
        assert_eq!(asked, [false, true, true, false, true]);
        reading.join().unwrap();
    }
}
