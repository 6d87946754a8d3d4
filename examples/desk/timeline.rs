//! Draws a replay as a picture: each session, the preferred presence and the published presence.
//!
//! What decides is strong, what is overruled is pale, so the picture explains the published presence.

mod axis;
mod lanes;
mod style;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use presence_core::{Instant, Presence, SessionId, Transition, UserId};

use axis::{Axis, clock};
use lanes::{End, Lane, Lanes, Piece, State};
use style::{GREY, INK, PAPER, TEXTURES, area, fit, label, mark, text, text_width};

const WIDTH: f64 = 980.0;
/// The ends of the time axis.
const LEFT: f64 = 108.0;
const RIGHT: f64 = WIDTH - 30.0;
/// The top of the lanes.
const TOP: f64 = 104.0;
const MARGIN: f64 = 24.0;
/// The heights of a session's lane and of the published one.
const LANE: f64 = 20.0;
const PUBLISHED: f64 = 30.0;

/// Draws the transitions of any number of users, each user's in order, up to `end` or the last of them.
pub(crate) fn draw(
    history: &[(UserId, Transition<SessionId>)],
    names: &BTreeMap<SessionId, String>,
    end: Instant,
) -> String {
    let axis = Axis::of(history, end);
    let mut users: BTreeMap<UserId, Vec<Transition<SessionId>>> = BTreeMap::new();
    for (user, transition) in history {
        users.entry(*user).or_default().push(*transition);
    }
    let (mut body, mut y) = (String::new(), TOP);
    for (user, transitions) in &users {
        if users.len() > 1 {
            text(&mut body, (MARGIN, y + 8.0), 11.0, "start", GREY, &format!("user {user}"));
            y += 18.0;
        }
        y = draw_user(&mut body, y, &Lanes::of(transitions, &axis), names, &axis) + 20.0;
    }
    if users.is_empty() {
        text(&mut body, (WIDTH / 2.0, y + 20.0), 13.0, "middle", GREY, "Nothing happened.");
        y += 44.0;
    }
    let mut lines = String::new();
    axis.draw(&mut lines, y - 10.0);
    let bottom = draw_legend(&mut body, y + 4.0);
    head(bottom + 16.0, history.len(), users.len(), &axis) + &lines + &body + "</svg>\n"
}

/// Returns the start of the document: its text for screen readers, background and heading.
fn head(height: f64, changes: usize, users: usize, axis: &Axis) -> String {
    let (from, to) = (clock(axis.start), clock(axis.end));
    let mut head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title summary\" \
         font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n\
         <title id=\"title\">Who says what, and what is published</title>\n\
         <desc id=\"summary\">Users: {users}. Changes: {changes}, from {from} to {to}. A row for each session, one for \
         the preferred presence, and one for what is published.</desc>\n\
         {TEXTURES}<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\" fill=\"{PAPER}\" stroke=\"#d0d7de\"/>\n",
        WIDTH - 1.0,
        height - 1.0,
    );
    text(&mut head, (MARGIN, 34.0), 17.0, "start", INK, "Who says what, and what is published");
    let rule = "Published is what the user prefers, or else the strongest session; without a session, Offline. \
                What decides is strong, what is overruled is pale.";
    text(&mut head, (MARGIN, 54.0), 12.0, "start", GREY, rule);
    head
}

/// Draws the lanes of one user from `y` down, and returns their bottom.
fn draw_user(out: &mut String, mut y: f64, lanes: &Lanes, names: &BTreeMap<SessionId, String>, axis: &Axis) -> f64 {
    let mut row = |name: &str, lane: &Lane, height: f64| {
        let weight = if height == PUBLISHED { "bold" } else { "normal" };
        let _ = write!(out, "<g font-weight=\"{weight}\">");
        text(out, (MARGIN, y + height / 2.0 + 4.0), 12.0, "start", INK, &fit(name, LEFT - MARGIN - 8.0, 12.0));
        *out += "</g>\n";
        draw_lane(out, y, height, lane, axis);
        y += height + 12.0;
    };
    for (id, lane) in &lanes.sessions {
        let short: String = id.to_string().chars().take(8).collect();
        row(names.get(id).unwrap_or(&short), lane, LANE);
    }
    row("preferred", &lanes.preferred, LANE);
    row("published", &lanes.published, PUBLISHED);
    y - 12.0
}

fn draw_lane(out: &mut String, y: f64, height: f64, lane: &Lane, axis: &Axis) {
    let middle = y + height / 2.0;
    let width = |piece: &Piece| axis.x(piece.to) - axis.x(piece.from);
    // Pieces too narrow to see are left out, so a million changes do not make a larger picture than a thousand.
    let mut drawn = f64::MIN;
    for piece in &lane.pieces {
        if axis.x(piece.to) < drawn + 0.5 {
            continue;
        }
        drawn = axis.x(piece.to);
        let name = piece.state.presence.map_or("no news".into(), |presence| presence.to_string());
        let note = if piece.state.decides { "" } else { ", overruled" };
        let _ = write!(out, "<g><title>{name}, {} to {}{note}</title>", clock(piece.from), clock(piece.to));
        area(out, (axis.x(piece.from), y), (width(piece).max(0.8), height), piece.state);
        *out += "</g>\n";
    }
    let same = |one: &Piece, next: &Piece| one.to == next.from && one.state.presence == next.state.presence;
    for run in lane.pieces.chunk_by(same) {
        // One name for the whole run, in its widest piece.
        if let Some(piece) = run.iter().max_by(|one, other| width(one).total_cmp(&width(other))) {
            let width = width(piece) - if piece.end == End::Expired { 4.0 } else { 0.0 };
            label(out, (axis.x(piece.from) + width / 2.0, middle), width, piece.state);
        }
    }
    let mut last = f64::MIN;
    for x in lane.sets.iter().map(|at| axis.x(*at)) {
        if x - last >= 2.5 {
            let _ = writeln!(out, "<path d=\"M{x:.1} {:.1}v3.5\" stroke=\"{GREY}\"/>", y + height + 1.5);
            last = x;
        }
    }
    let mut last = f64::MIN;
    for piece in lane.pieces.iter().filter(|piece| piece.end != End::Changed) {
        if axis.x(piece.to) - last >= 1.5 {
            last = axis.x(piece.to);
            mark(out, (last, middle), height, piece.end);
        }
    }
}

/// Draws the legend of areas, lines and marks, and returns its bottom.
fn draw_legend(out: &mut String, mut y: f64) -> f64 {
    let _ = writeln!(out, "<path d=\"M{MARGIN} {y}H{RIGHT}\" stroke=\"#d0d7de\"/>");
    let mut x = MARGIN;
    y += 14.0;
    let mut entry = |out: &mut String, name: &str, picture: &dyn Fn(&mut String, f64, f64)| {
        let width = 34.0 + text_width(name, 11.0) + 8.0;
        if x + width > RIGHT {
            (x, y) = (MARGIN, y + 20.0);
        }
        picture(out, x, y);
        text(out, (x + 34.0, y + 10.0), 11.0, "start", INK, name);
        x += width;
    };
    let presences = [
        Presence::Available,
        Presence::AvailableInactive,
        Presence::Busy,
        Presence::DoNotDisturb,
        Presence::Away,
        Presence::BeRightBack,
        Presence::Offline,
    ];
    let states = presences.map(|presence| (presence.activity().name(), Some(presence), true));
    for (name, presence, decides) in states.into_iter().chain([("no news", None, true)]) {
        entry(out, name, &|out, x, y| area(out, (x, y), (28.0, 13.0), State { presence, decides }));
    }
    let overruled = State { presence: Some(Presence::Busy), decides: false };
    entry(out, "overruled", &|out, x, y| area(out, (x, y), (28.0, 13.0), overruled));
    entry(out, "set, or set again", &|out, x, y| {
        let _ =
            writeln!(out, "<path d=\"M{:.1} {:.1}v3.5m6 -3.5v3.5m6 -3.5v3.5\" stroke=\"{GREY}\"/>", x + 10.0, y + 5.0);
    });
    entry(out, "cleared", &|out, x, y| mark(out, (x + 22.0, y + 6.5), 11.0, End::Cleared));
    entry(out, "expired", &|out, x, y| mark(out, (x + 22.0, y + 6.5), 11.0, End::Expired));
    y + 14.0
}
