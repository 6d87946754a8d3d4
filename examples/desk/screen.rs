//! Draws the presence light in a terminal: the lamp at this moment of its pattern, the reason, and every session, in 80
//! columns and 24 rows.

mod paint;
#[cfg(test)]
mod tests;

use crate::desk::DeskUser;
use std::collections::BTreeMap;
use std::io::{self, Stdout, Write, stdout};

use presence_core::indicator::{Animation, Appearance, Palette, Rgb};
use presence_core::{Absence, Duration, Instant, Layer, Policy, Presence, SessionId, UserId};

use paint::{LAMP, Row, exposed, foreground, pixel, width, wrap};

const PALETTE: Palette = Palette::DEFAULT;
/// The numbers of sessions and lines: with these there are 23 rows, and the cursor waits in the 24th.
const SESSIONS: usize = 5;
const RECENT: usize = 5;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "";

/// Everything that the screen shows.
pub(crate) struct View<'a> {
    pub(crate) now: Instant,
    pub(crate) user: UserId,
    pub(crate) state: &'a DeskUser,
    pub(crate) policy: &'a Policy,
    pub(crate) names: &'a BTreeMap<SessionId, String>,
    /// The latest lines, newest last.
    pub(crate) recent: &'a [String],
    /// The number of other users.
    pub(crate) others: usize,
}

/// The end of each session and of the preferred presence, and the time until it when it was set: the length of a full bar.
type Leases = BTreeMap<Option<SessionId>, (Instant, Duration)>;

/// A terminal that shows a light.
pub(crate) struct Screen {
    out: Stdout,
    /// The lamp, in real time since the start: patterns do not run faster in a replay, and changes do not flash.
    lamp: Animation,
    start: std::time::Instant,
    is_clear: bool,
    user: Option<UserId>,
    leases: Leases,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let (lamp, start) = (Animation::new(), std::time::Instant::now());
        Self { out: stdout(), lamp, start, is_clear: false, user: None, leases: Leases::new() }
    }

    /// Draws over the previous picture.
    pub(crate) fn draw(&mut self, view: &View<'_>) -> io::Result<()> {
        if self.user.replace(view.user) != Some(view.user) {
            self.leases.clear();
        }
        let known = std::mem::take(&mut self.leases);
        self.leases = deadlines(view).map(|(id, ends)| (id, lease(known.get(&id), ends, view.now))).collect();
        let now = Instant::ZERO + self.start.elapsed().into();
        self.lamp.show(now, lamp(view));
        // The first picture clears the terminal.
        let first = if std::mem::replace(&mut self.is_clear, true) { "" } else { "\x1b[2J" };
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(80);
        let picture = render(view, &self.leases, self.lamp.frame(now), columns);
        write!(self.out, "\x1b[?2026h\x1b[?25l{first}{picture}\x1b[?25h\x1b[?2026l")?;
        self.out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The cursor is hidden only while a picture is drawn, so an interrupt leaves the terminal intact.
        let _ = write!(self.out, "\x1b[0m\x1b[?25h").and_then(|()| self.out.flush());
    }
}

fn lamp(view: &View<'_>) -> Appearance {
    PALETTE.appearance(view.state.presence(), view.state.absence())
}

/// Returns the end of every session and of the preferred presence.
fn deadlines(view: &View<'_>) -> impl Iterator<Item = (Option<SessionId>, Instant)> {
    let sessions = view.state.sessions().iter().map(|session| (Some(session.id()), session.expires_at()));
    sessions.chain(view.state.preferred().map(|preferred| (None, preferred.expires_at())))
}

/// Returns an end, and the time until it when it was first seen.
fn lease(known: Option<&(Instant, Duration)>, ends: Instant, now: Instant) -> (Instant, Duration) {
    known.copied().filter(|known| known.0 == ends).unwrap_or((ends, ends.saturating_duration_since(now)))
}

/// Returns the whole picture: at most 23 rows, each erased to its end, and the cursor below.
fn render(view: &View<'_>, leases: &Leases, light: Rgb, columns: usize) -> String {
    // The last column stays free: a terminal would erase it again.
    let columns = columns.saturating_sub(1).min(500);
    let mut rows = vec![heading(view, columns), Row::new(columns)];
    let light = exposed(light);
    let words = words(view, columns.saturating_sub(25));
    for (index, top) in (0..LAMP).step_by(2).enumerate() {
        let mut row = Row::new(columns);
        row.put(PLAIN, "   ");
        for x in 0..LAMP {
            row.pixels(pixel(x, top, light), pixel(x, top + 1, light));
        }
        let (style, text) = words.get(index).map_or((PLAIN, ""), |(style, text)| (*style, text));
        row.put(PLAIN, "     ").put(style, text);
        rows.push(row);
    }
    rows.push(Row::new(columns));
    rows.extend(sessions(view, leases, columns));
    rows.push(Row::new(columns));
    for line in &view.recent[view.recent.len().saturating_sub(RECENT)..] {
        let mut row = Row::new(columns);
        row.put(DIM, " ").put(DIM, line);
        rows.push(row);
    }
    let rows: String = rows.into_iter().map(|row| row.into_text() + "\x1b[K\r\n").collect();
    format!("\x1b[H{rows}\x1b[J")
}

fn heading(view: &View<'_>, columns: usize) -> Row {
    let others = match view.others {
        0 => String::new(),
        1 => " and 1 more user".into(),
        others => format!(" and {others} more users"),
    };
    let clock = clock(view.now);
    let mut row = Row::new(columns);
    row.put(BOLD, " presence light  ");
    let columns = row.remaining().saturating_sub(width(&clock));
    row.cell(DIM, &format!("{}{others}", view.user), columns).put(BOLD, &clock);
    row
}

/// Returns the text beside the lamp.
fn words(view: &View<'_>, columns: usize) -> Vec<(&'static str, String)> {
    let presence = view.state.presence();
    let mut words = vec![
        (PLAIN, String::new()),
        (BOLD, presence.activity().name().into()),
        (DIM, presence.availability().name().into()),
        (PLAIN, String::new()),
    ];
    words.extend(wrap(&sentence(view), columns).into_iter().map(|line| (PLAIN, line)));
    words
}

/// Returns a sentence that says the reason, since when, and what comes next.
fn sentence(view: &View<'_>) -> String {
    let why = view.state.explain(view.policy);
    let since = why.since.map_or(String::new(), |since| format!(" since {}", clock(since)));
    let because = match why.layer {
        Layer::Session(id) => format!("{}{since} because {} says so", why.presence, name(view, id)),
        Layer::Preferred => format!("{}{since} because the user prefers it", why.presence),
        Layer::Nothing(Absence::Cleared) => format!("Gone{since}: the last session was cleared"),
        Layer::Nothing(Absence::NeverSeen) => format!("No news{since}: never seen"),
        Layer::Nothing(Absence::Expired) => format!("No news{since}: the last session expired"),
        Layer::Nothing(Absence::Lost) => format!("No news{since}: the sessions were lost in a restart"),
    };
    let next = why.next.map_or(String::new(), |(at, presence)| {
        format!("; at {} it becomes {presence} if nobody does anything", clock(at))
    });
    format!("{because}{next}.")
}

/// Returns a row for the preferred presence, and a fixed number for sessions, so that nothing jumps.
fn sessions(view: &View<'_>, leases: &Leases, columns: usize) -> Vec<Row> {
    let layer = view.state.explain(view.policy).layer;
    let entry = |decides: bool, name: &str, presence: Presence, lease: Option<&(Instant, Duration)>| {
        let mut row = Row::new(columns);
        let style = if decides { BOLD } else { PLAIN };
        let colour = foreground(exposed(PALETTE.of(presence).colour));
        row.put(style, if decides { " ▸ " } else { "   " }).cell(style, name, 11).put(&colour, "● ");
        row.cell(style, &presence.to_string(), 28);
        if let Some((ends, lease)) = lease {
            let remaining = ends.saturating_duration_since(view.now);
            row.cell(style, &format!("{:>8}", length(remaining)), 9);
            let cells = row.remaining().min(24);
            let full = u128::from(remaining.as_millis()) * cells as u128 / u128::from(lease.as_millis().max(1));
            let full = usize::try_from(full).unwrap_or(cells).min(cells);
            row.put(&colour, &"━".repeat(full)).put(DIM, &"─".repeat(cells - full));
        }
        row
    };
    let mut rows = vec![match view.state.preferred() {
        Some(preferred) => entry(layer == Layer::Preferred, "preferred", preferred.presence(), leases.get(&None)),
        None => {
            let mut row = Row::new(columns);
            row.put(DIM, "   nothing is preferred");
            row
        }
    }];
    let all = view.state.sessions();
    let visible = if all.len() > SESSIONS { SESSIONS - 1 } else { all.len() };
    rows.extend(all.iter().take(visible).map(|session| {
        let id = session.id();
        entry(layer == Layer::Session(id), &name(view, id), session.presence(), leases.get(&Some(id)))
    }));
    rows.resize_with(SESSIONS + 1, || Row::new(columns));
    if all.len() > visible {
        rows[SESSIONS].put(DIM, &format!("   and {} more sessions", all.len() - visible));
    }
    rows
}

fn name(view: &View<'_>, id: SessionId) -> String {
    view.names.get(&id).cloned().unwrap_or_else(|| id.to_string().chars().take(8).collect())
}

/// Formats an instant as a time of day, with the day unless it is the first.
fn clock(moment: Instant) -> String {
    let seconds = moment.as_millis() / 1000;
    let day = seconds / 86_400;
    let time = length(Duration::from_secs(seconds % 86_400));
    if day == 0 { time } else { format!("day {} {time}", day + 1) }
}

/// Formats a duration, in days if it is long.
fn length(length: Duration) -> String {
    let seconds = length.as_millis() / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600, seconds / 60 % 60);
    if days > 0 { format!("{days} d") } else { format!("{hours}:{minutes:02}:{:02}", seconds % 60) }
}
