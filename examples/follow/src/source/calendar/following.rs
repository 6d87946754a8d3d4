//! What is known of a calendar, and what of it is news: without I/O, and with time as an argument.

use super::agenda::{Agenda, Shown};
use super::expand::Window;
use super::marks::Owner;
use super::text::{Reading, read};
use crate::source::News;
use chrono::{DateTime, TimeDelta, Utc};
use presence_core::client::Link;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// How far a reading looks ahead.
const AHEAD: TimeDelta = TimeDelta::days(8);
/// After how long it looks ahead again, although the calendar is as it was.
const STALE: TimeDelta = TimeDelta::days(1);
/// How long a session outlasts what it shows, so that it is ended, and does not just run out.
const GRACE: TimeDelta = TimeDelta::seconds(30);

/// A calendar that is followed.
pub struct Following {
    zone: chrono_tz::Tz,
    owner: Owner,
    /// For how long a reading counts: three of them may fail.
    counts: TimeDelta,
    text: Option<String>,
    reading: Option<Known>,
    /// What was said, and until when it holds.
    said: Option<(Shown, DateTime<Utc>)>,
    link: Option<Link>,
    /// Whether the last reading was one; `None` before the first.
    is_read: Option<bool>,
}

struct Known {
    window: Window,
    reading: Reading,
    /// When the calendar was last seen to be so.
    seen: DateTime<Utc>,
}

impl Following {
    /// Creates one that is read every so often.
    pub fn new(zone: chrono_tz::Tz, owner: Owner, interval: Duration) -> Self {
        let counts = TimeDelta::from_std(interval.saturating_mul(3)).unwrap_or(TimeDelta::days(3)) + GRACE;
        Self { zone, owner, counts, text: None, reading: None, said: None, link: None, is_read: None }
    }

    /// Takes a reading: the text of the calendar, or `None` if it is as it was.
    ///
    /// # Errors
    ///
    /// The reason for which there is none, also if the text is no calendar. What was known before goes on to count for a while.
    pub fn take(&mut self, reading: Result<Option<String>, String>, now: DateTime<Utc>) -> Result<(), String> {
        let result = reading.and_then(|text| self.understand(text, now));
        self.is_read = Some(result.is_ok());
        result
    }

    fn understand(&mut self, text: Option<String>, now: DateTime<Utc>) -> Result<(), String> {
        let changed = text.is_some() && text != self.text;
        if let Some(known) = self.reading.as_mut().filter(|_| !changed) {
            known.seen = now;
            if known.window.from <= now && now < known.window.from + STALE {
                return Ok(());
            }
        }
        let text =
            text.or_else(|| self.text.take()).ok_or("the server says that it is as it was, but it was never read")?;
        let window = Window { from: now, to: now + AHEAD };
        let reading = read(&text, self.zone, &self.owner, window).map_err(|error| error.to_string())?;
        self.reading = Some(Known { window, reading, seen: now });
        self.text = Some(text);
        Ok(())
    }

    /// Returns what is new at a moment.
    pub fn news(&mut self, now: DateTime<Utc>) -> Vec<News> {
        let mut news = Vec::new();
        if let Some((agenda, until)) = self.known(now) {
            let shown = agenda.at(now);
            let ends = agenda.next_change(now).map_or(until, |change| until.min(change + GRACE));
            let held = self.said.filter(|(said, end)| *said == shown && *end >= ends);
            if held.is_none() {
                news.extend(say(shown, self.said.map(|(said, _)| said), ends - now));
                self.said = Some((shown, ends));
            }
        } else if self.said.is_some_and(|(_, end)| end <= now) {
            self.said = None;
        }
        let link = self.is_read.map(|is_read| if is_read { Link::Ok } else { Link::Down });
        if self.link != link {
            self.link = link;
            news.extend(link.map(News::Link));
        }
        news
    }

    /// Returns what counts at a moment, and until when.
    fn known(&self, now: DateTime<Utc>) -> Option<(&Agenda, DateTime<Utc>)> {
        let known = self.reading.as_ref()?;
        let until = (known.seen + self.counts).min(known.window.to);
        // Of a time before it, a reading knows nothing: a clock was set.
        (known.window.from <= now && now < until).then_some((&known.reading.agenda, until))
    }

    /// Returns how many events were left out of the last reading, because they cannot be understood.
    pub fn left_out(&self) -> usize {
        self.reading.as_ref().map_or(0, |known| known.reading.left_out)
    }

    /// Returns the time until what is shown changes.
    pub fn until_change(&self, now: DateTime<Utc>) -> Duration {
        let change = self.known(now).and_then(|(agenda, _)| agenda.next_change(now));
        change.and_then(|change| (change - now).to_std().ok()).unwrap_or(Duration::MAX)
    }
}

/// Returns the news of what is shown for some time.
fn say(shown: Shown, said: Option<Shown>, lease: TimeDelta) -> Option<News> {
    let lease = presence_core::Duration::from_millis(lease.num_milliseconds().try_into().unwrap_or(0));
    match shown.presence {
        Some(presence) => Some(News::Presence { presence, lease, is_out_of_office: shown.out_of_office }),
        // Also the first time: somebody looked, and there is nothing.
        None => said.is_none_or(|said| said.presence.is_some()).then_some(News::Ended),
    }
}

impl Display for Following {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(known) = &self.reading else { return f.write_str("nothing is known") };
        let seen = known.seen;
        match known.reading.agenda.next_change(seen) {
            Some(change) => write!(f, "the next change is at {change}"),
            None => f.write_str("nothing changes in the coming week"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::{Duration as Lease, Presence};
    use proptest::prelude::*;

    const INTERVAL: Duration = Duration::from_secs(300);

    fn at(time: &str) -> DateTime<Utc> {
        format!("2026-12-01T{time}Z").parse().unwrap()
    }

    fn calendar(start: &str, end: &str) -> Result<Option<String>, String> {
        let times = format!("DTSTART:20261201T{start}Z\r\nDTEND:20261201T{end}Z");
        Ok(Some(format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n{times}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")))
    }

    fn following() -> Following {
        Following::new(chrono_tz::UTC, Owner::default(), INTERVAL)
    }

    fn meeting(seconds: u64) -> News {
        News::Presence { presence: Presence::InAMeeting, lease: Lease::from_secs(seconds), is_out_of_office: false }
    }

    #[test]
    fn a_meeting_begins_and_ends_to_the_second() {
        let mut following = following();
        assert_eq!(following.news(at("08:00:00")), []);
        assert_eq!(following.take(calendar("090000", "091000"), at("08:58:00")), Ok(()));
        assert_eq!(following.news(at("08:58:00")), [News::Ended, News::Link(Link::Ok)]);
        assert_eq!(following.until_change(at("08:58:00")), Duration::from_secs(120));
        assert_eq!(following.news(at("08:59:59")), []);
        // It outlasts its end a little: otherwise it would run out, as if nobody knew any more.
        assert_eq!(following.news(at("09:00:00")), [meeting(600 + 30)]);
        assert_eq!(following.until_change(at("09:00:00")), Duration::from_secs(600));
        assert_eq!(following.news(at("09:09:59")), []);
        assert_eq!(following.news(at("09:10:00")), [News::Ended]);
        assert_eq!(following.news(at("09:11:00")), []);
    }

    #[test]
    fn f2_a_calendar_that_cannot_be_read_is_a_state_of_the_link_and_its_meeting_runs_out() {
        let mut following = following();
        assert!(following.take(Err("no such file".into()), at("09:00:00")).is_err());
        assert_eq!(following.news(at("09:00:00")), [News::Link(Link::Down)]);
        assert_eq!(following.take(calendar("080000", "200000"), at("09:05:00")), Ok(()));
        // Three readings, and what one may take.
        assert_eq!(following.news(at("09:05:00")), [meeting(930), News::Link(Link::Ok)]);
        for (time, news) in [("09:10:00", vec![News::Link(Link::Down)]), ("09:15:00", vec![]), ("09:20:30", vec![])] {
            assert!(following.take(Ok(Some("<html>".into())), at(time)).is_err());
            assert_eq!(following.news(at(time)), news, "{time}");
        }
        // It is as it was: what is known counts again.
        assert_eq!(following.take(Ok(None), at("09:25:00")), Ok(()));
        assert_eq!(following.news(at("09:25:00")), [meeting(930), News::Link(Link::Ok)]);
        assert_eq!(following.take(Ok(None), at("09:30:00")), Ok(()));
        assert_eq!(following.news(at("09:30:00")), [meeting(930)]);
        assert_eq!(following.take(calendar("100000", "110000"), at("09:35:00")), Ok(()));
        assert_eq!(following.news(at("09:35:00")), [News::Ended]);
    }

    #[test]
    fn as_it_was_is_no_answer_before_there_was_one_and_a_day_later_is_looked_at_again() {
        let mut following = following();
        assert!(following.take(Ok(None), at("09:00:00")).is_err());
        assert_eq!(following.take(calendar("090000", "091000"), at("00:00:00") - TimeDelta::days(10)), Ok(()));
        assert_eq!(following.news(at("00:00:00") - TimeDelta::days(10)), [News::Ended, News::Link(Link::Ok)]);
        for hours in (0..=240).rev() {
            let now = at("09:05:00") - TimeDelta::hours(hours);
            assert_eq!(following.take(Ok(None), now), Ok(()));
            following.news(now);
        }
        assert_eq!(following.said.map(|(shown, _)| shown.presence), Some(Some(Presence::InAMeeting)));
    }

    #[test]
    fn of_the_time_before_a_reading_nothing_is_known() {
        let mut following = following();
        assert_eq!(following.take(calendar("080000", "200000"), at("09:05:00")), Ok(()));
        assert_eq!(following.news(at("09:04:00")), [News::Link(Link::Ok)]);
        assert_eq!(following.until_change(at("09:04:00")), Duration::MAX);
    }

    /// A calendar of meetings: from which minute after nine, and for how long.
    fn meetings(all: &[(i64, i64)]) -> String {
        let edge = |minutes: i64| (at("09:00:00") + TimeDelta::minutes(minutes)).format("%Y%m%dT%H%M%SZ").to_string();
        let event = |(start, length): &(i64, i64)| {
            format!("BEGIN:VEVENT\r\nDTSTART:{}\r\nDTEND:{}\r\nEND:VEVENT\r\n", edge(*start), edge(start + length))
        };
        format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", all.iter().map(event).collect::<String>())
    }

    /// What happens at a minute.
    #[derive(Clone, Debug)]
    enum Happens {
        Nothing,
        Failure,
        AsItWas,
        Calendar(Vec<(i64, i64)>),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        let calendar = prop::collection::vec((0i64..120, 1i64..30), 0..5);
        prop_oneof![
            6 => Just(Happens::Nothing),
            1 => Just(Happens::Failure),
            1 => Just(Happens::AsItWas),
            1 => calendar.prop_map(Happens::Calendar),
        ]
    }

    proptest! {
        /// Whoever takes the news shows what the calendar has while it counts, and nothing that is older.
        #[test]
        fn f2_what_is_said_is_what_is_known(minutes in prop::collection::vec(happens(), 1..120)) {
            let mut following = following();
            let mut held: Option<DateTime<Utc>> = None;
            let (mut seen, mut calendar) = (None, Vec::new());
            for (minute, happens) in (0i64..).zip(minutes) {
                let now = at("09:00:00") + TimeDelta::minutes(minute);
                let reading = match happens {
                    Happens::Nothing => None,
                    Happens::Failure => Some(Err("no".to_owned())),
                    Happens::AsItWas => seen.map(|_| Ok(None)),
                    Happens::Calendar(meetings) => {
                        calendar = meetings;
                        Some(Ok(Some(self::meetings(&calendar))))
                    }
                };
                if let Some(reading) = reading {
                    seen = if reading.is_ok() { Some(now) } else { seen };
                    prop_assert_eq!(following.take(reading.clone(), now).is_ok(), reading.is_ok());
                }
                for news in following.news(now) {
                    match news {
                        News::Presence { lease, .. } => {
                            let lease = TimeDelta::milliseconds(lease.as_millis().try_into().unwrap());
                            held = Some(now + lease);
                        }
                        News::Ended => held = None,
                        News::Link(_) => {}
                    }
                }
                let counts = seen.is_some_and(|seen| now < seen + following.counts);
                let busy = calendar.iter().any(|(start, length)| (*start..start + length).contains(&minute));
                prop_assert_eq!(held.is_some_and(|end| now < end), counts && busy, "minute {}", minute);
            }
        }
    }
}
