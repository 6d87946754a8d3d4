//! Colours, textures and text: the light's colours, readable on white, and textures to distinguish them without colours.

use std::fmt::Write as _;

use presence_core::indicator::{Palette, Rgb};
use presence_core::{Availability, Presence};

use super::lanes::{End, State};

pub(super) const INK: &str = "#1f2328";
pub(super) const GREY: &str = "#6e7781";
pub(super) const PAPER: &str = "#fdfdfe";

/// A texture for each availability that is drawn as an area, except for Available, which is plain.
pub(super) const TEXTURES: &str = r##"<defs fill="none" stroke="#fff">
<pattern id="inactive" width="7" height="7" patternUnits="userSpaceOnUse"><path d="M2 0v7" stroke-width="3.5" stroke-opacity=".6"/></pattern>
<pattern id="busy" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M2 0v7" stroke-width="2" stroke-opacity=".22"/></pattern>
<pattern id="disturb" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M3 0v6M0 3h6" stroke-width="1.4" stroke-opacity=".25"/></pattern>
<pattern id="away" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M1.5 1.5h.01M4.5 4.5h.01" stroke-width="2.2" stroke-opacity=".5" stroke-linecap="round"/></pattern>
<pattern id="back" width="6" height="5" patternUnits="userSpaceOnUse"><path d="M0 2.5h6" stroke-width="2" stroke-opacity=".45"/></pattern>
</defs>
"##;

fn texture(presence: Presence) -> Option<&'static str> {
    match (presence, presence.availability()) {
        (Presence::AvailableInactive, _) => Some("inactive"),
        (_, Availability::Busy) => Some("busy"),
        (_, Availability::DoNotDisturb) => Some("disturb"),
        (_, Availability::Away) => Some("away"),
        (_, Availability::BeRightBack) => Some("back"),
        _ => None,
    }
}

/// Returns the light's colour for an availability, a little softer, and dark enough for a white page.
fn colour(presence: Presence) -> Rgb {
    let bright = Palette::DEFAULT.of(presence.availability().plain()).colour;
    let [red, green, blue] = bright.to_bytes().map(|part| part + (255 - part) / 8);
    let colour = Rgb::new(red, green, blue);
    (0..=255).rev().map(|level| colour.scale(level)).find(|colour| colour.luminance() <= 112).unwrap_or(colour)
}

fn hex(colour: Rgb) -> String {
    let [red, green, blue] = colour.to_bytes();
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn fill(presence: Presence, decides: bool) -> String {
    let colour = colour(presence);
    let [red, green, blue] = colour.to_bytes().map(|part| 255 - (255 - part) / 5);
    hex(if decides { colour } else { Rgb::new(red, green, blue) })
}

/// Returns the colour of text on a piece.
fn ink(presence: Presence, decides: bool) -> String {
    match (presence, decides) {
        (Presence::OffWork, _) => GREY.into(),
        (presence, true) if colour(presence).luminance() < 80 => "#ffffff".into(),
        (_, true) => INK.into(),
        (presence, false) => hex(colour(presence).scale(130)),
    }
}

/// Returns the names of a presence, from the full one to the shortest.
fn names(presence: Option<Presence>) -> &'static [&'static str] {
    match presence {
        None => &["no news"],
        Some(Presence::Unknown) => &["Unknown"],
        Some(Presence::Offline) => &["Offline"],
        Some(Presence::OffWork) => &["OffWork", "Off"],
        Some(Presence::Away) => &["Away"],
        Some(Presence::BeRightBack) => &["BeRightBack", "BRB"],
        Some(Presence::AvailableInactive) => &["AvailableInactive", "Inactive"],
        Some(Presence::Available) => &["Available"],
        Some(Presence::Busy) => &["Busy"],
        Some(Presence::InAMeeting) => &["InAMeeting", "Meeting"],
        Some(Presence::InACall) => &["InACall", "Call"],
        Some(Presence::InAConferenceCall) => &["InAConferenceCall", "Conference", "Conf.", "Call"],
        Some(Presence::DoNotDisturb) => &["DoNotDisturb", "DND"],
        Some(Presence::Focusing) => &["Focusing", "Focus"],
        Some(Presence::UrgentInterruptionsOnly) => &["UrgentInterruptionsOnly", "Urgent only", "Urgent"],
        Some(Presence::Presenting) => &["Presenting", "Pres."],
    }
}

/// Draws the area or line of a piece.
pub(super) fn area(out: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), state: State) {
    let middle = y + height / 2.0;
    let line = format!("<path d=\"M{x:.1} {middle:.1}h{width:.1}\" stroke=\"#8c959f\" stroke-width=\"2\"");
    let area = format!("<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"");
    match state.presence {
        None => *out += &format!("{line} stroke-dasharray=\"0.1 6\" stroke-linecap=\"round\"/>"),
        Some(Presence::Offline) => *out += &format!("{line}/>"),
        Some(Presence::OffWork) => {
            let stroke = if state.decides { "#8c959f" } else { "#d0d7de" };
            *out += &format!("{area} fill=\"{PAPER}\" stroke=\"{stroke}\"/>");
        }
        Some(presence) => {
            *out += &format!("{area} fill=\"{}\"/>", fill(presence, state.decides));
            if let Some(texture) = texture(presence) {
                *out += &format!("{area} fill=\"url(#{texture})\"/>");
            }
        }
    }
}

/// Draws the longest name that fits into a piece, if any does.
pub(super) fn label(out: &mut String, (x, middle): (f64, f64), width: f64, state: State) {
    let mut sizes =
        [11.0, 9.5].into_iter().flat_map(|size| names(state.presence).iter().map(move |name| (*name, size)));
    let Some((name, size)) = sizes.find(|(name, size)| text_width(name, *size) + 4.0 <= width) else { return };
    match state.presence {
        // Above the line.
        None | Some(Presence::Offline) => text(out, (x, middle - 5.0), size, "middle", GREY, name),
        Some(presence) => text(out, (x, middle + 4.0), size, "middle", &ink(presence, state.decides), name),
    }
}

/// Draws the mark at the end of a session or of a preferred presence.
pub(super) fn mark(out: &mut String, (x, middle): (f64, f64), height: f64, end: End) {
    match end {
        End::Changed => {}
        End::Cleared => {
            let (top, height) = (middle - height / 2.0 - 2.5, height + 5.0);
            let _ = writeln!(out, "<path d=\"M{x:.1} {top:.1}v{height:.1}\" stroke=\"{INK}\" stroke-width=\"2\"/>");
        }
        End::Expired => {
            let cross = format!("M{:.1} {:.1}l7 7m0 -7l-7 7", x - 3.5, middle - 3.5);
            for (width, ink) in [(5.0, PAPER), (1.8, INK)] {
                let _ = writeln!(out, "<path d=\"{cross}\" stroke=\"{ink}\" stroke-width=\"{width}\"/>");
            }
        }
    }
}

/// Draws a line of text.
pub(super) fn text(out: &mut String, (x, y): (f64, f64), size: f64, anchor: &str, ink: &str, text: &str) {
    let text = escape(text);
    let position = format!("x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\"");
    let _ = writeln!(out, "<text {position} fill=\"{ink}\">{text}</text>");
}

/// Returns the width of a text in the widest of the usual fonts.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let width = |letter: char| match letter {
        'f' | 'i' | 'j' | 'l' | 'r' | 't' | 'I' | ' ' | '.' | ',' | ':' | '-' | '(' | ')' => 0.40,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' => 0.72,
        ' '..='~' => 0.62,
        _ => 1.05,
    };
    text.chars().map(width).sum::<f64>() * size
}

/// Returns as much of a text as fits.
pub(super) fn fit(text: &str, width: f64, size: f64) -> String {
    if text_width(text, size) <= width {
        return text.into();
    }
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if text_width(&cut, size) + 1.05 * size > width {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

/// Escapes text for XML; what XML cannot hold becomes a replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            letter if letter.is_control() => escaped.push('\u{FFFD}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
