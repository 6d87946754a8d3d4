//! Rows of styled text, cut to the terminal's width, and the lamp's pixels.

use presence_core::indicator::Rgb;

/// The lamp's width and height in half rows.
pub(super) const LAMP: i32 = 16;

/// A row of limited width.
pub(super) struct Row {
    text: String,
    remaining: usize,
}

impl Row {
    pub(super) fn new(columns: usize) -> Self {
        Self { text: String::new(), remaining: columns }
    }

    /// Returns the number of free columns.
    pub(super) fn remaining(&self) -> usize {
        self.remaining
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Appends as much of a text as fits, with an ellipsis if it is cut.
    pub(super) fn put(&mut self, style: &str, text: &str) -> &mut Self {
        let fits = width(text) <= self.remaining;
        let mut remaining = if fits { self.remaining } else { self.remaining.saturating_sub(1) };
        let mut cut: String = text.chars().map(printable).take_while(|letter| take(&mut remaining, *letter)).collect();
        if !fits && self.remaining > 0 {
            cut.push('…');
        }
        self.remaining = remaining;
        if style.is_empty() {
            self.text += &cut
        } else {
            self.text += &format!("{style}{cut}\x1b[0m")
        }
        self
    }

    /// Appends a text in a column of this width, cut or padded.
    pub(super) fn cell(&mut self, style: &str, text: &str, columns: usize) -> &mut Self {
        let mut cell = Self::new(columns.min(self.remaining));
        cell.put(style, text);
        cell.text += &" ".repeat(cell.remaining);
        self.remaining -= columns.min(self.remaining);
        self.text += &cell.text;
        self
    }

    /// Appends two pixels, one above the other; `None` is outside the lamp.
    pub(super) fn pixels(&mut self, top: Option<Rgb>, bottom: Option<Rgb>) {
        match (top, bottom) {
            (None, None) => self.put("", " "),
            (Some(top), None) => self.put(&foreground(top), "▀"),
            (None, Some(bottom)) => self.put(&foreground(bottom), "▄"),
            (Some(top), Some(bottom)) => {
                let [red, green, blue] = bottom.to_bytes();
                self.put(&format!("{}\x1b[48;2;{red};{green};{blue}m", foreground(top)), "▀")
            }
        };
    }
}

pub(super) fn foreground(colour: Rgb) -> String {
    let [red, green, blue] = colour.to_bytes();
    format!("\x1b[38;2;{red};{green};{blue}m")
}

/// Replaces control characters, which names and lines may hold.
fn printable(letter: char) -> char {
    if letter.is_control() { '\u{FFFD}' } else { letter }
}

/// Takes the columns of a letter, and reports whether there were enough.
fn take(remaining: &mut usize, letter: char) -> bool {
    remaining.checked_sub(letter_width(letter)).map(|left| *remaining = left).is_some()
}

fn letter_width(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{1FFF}' | '\u{2E80}'..='\u{FFFC}' | '\u{10000}'.. => 2,
        _ => 1,
    }
}

pub(super) fn width(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

/// Breaks a text between words into lines of this width. A longer word has a line of its own.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line += word,
            Some(line) if width(line) + 1 + width(word) <= columns => *line += &format!(" {word}"),
            _ => lines.push(word.into()),
        }
    }
    lines
}

/// Returns a light as it looks in the dark: a dim one is brighter, with the same hue. The eye adapts to a lamp, not to a
/// screen.
pub(super) fn exposed(light: Rgb) -> Rgb {
    let brightest = u32::from(light.to_bytes().into_iter().max().unwrap_or(0));
    let target = (brightest * 255).isqrt();
    let part = |part: u8| (u32::from(part) * target).checked_div(brightest).map_or(0, |part| part.min(255) as u8);
    Rgb::new(part(light.red), part(light.green), part(light.blue))
}

/// Returns a pixel of the lamp: a dark ring around a lens that is brightest in the middle; `None` outside.
pub(super) fn pixel(x: i32, y: i32, light: Rgb) -> Option<Rgb> {
    // In half pixels from the centre.
    let distance = |x: i32, y: i32| (2 * x - LAMP + 1).pow(2) + (2 * y - LAMP + 1).pow(2);
    let from_centre = distance(x, y);
    if from_centre > LAMP * LAMP {
        return None;
    }
    if from_centre > (LAMP - 3).pow(2) {
        return Some(add(Rgb::new(52, 54, 60), light.scale(40)));
    }
    let glow = light.scale(u8::try_from(255 - from_centre * 110 / (LAMP * LAMP)).unwrap_or(u8::MAX));
    // A reflection on the glass, up and to the left.
    let shine = u8::try_from((60 - distance(x + 3, y + 3) * 2).max(0)).unwrap_or(0);
    Some(add(add(Rgb::new(30, 31, 35), glow), Rgb::new(shine, shine, shine)))
}

fn add(one: Rgb, other: Rgb) -> Rgb {
    let [red, green, blue] = one.to_bytes();
    Rgb::new(red.saturating_add(other.red), green.saturating_add(other.green), blue.saturating_add(other.blue))
}
