//! What the program says to the person: messages, details, and a line of status below them.

use std::io::{IsTerminal, Write, stderr};
use std::sync::{Arc, Mutex, PoisonError};

/// Standard error: messages, and below them a status line if it is a terminal. Shared by its clones.
///
/// Neither messages nor details have secrets: tokens, codes, or answers with them.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    is_verbose: bool,
    is_terminal: bool,
    status: Mutex<String>,
}

impl Console {
    /// Creates the console; a verbose one prints details.
    #[must_use]
    pub fn new(is_verbose: bool) -> Self {
        Self(Arc::new(Shared { is_verbose, is_terminal: stderr().is_terminal(), status: Mutex::default() }))
    }

    /// Reports whether a person is likely to read it.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.0.is_terminal
    }

    /// Prints a message: a sentence that says what to do.
    pub fn say(&self, message: &str) {
        self.print(&format!("presence-follow: {message}"));
    }

    /// Prints a detail, if details are asked for.
    pub fn detail(&self, detail: impl FnOnce() -> String) {
        if self.0.is_verbose {
            self.print(&detail());
        }
    }

    /// Shows a status line in place of the last one, on a terminal only.
    pub fn status(&self, line: String) {
        if !self.0.is_terminal {
            return;
        }
        let mut status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        *status = line;
        // There is nobody to tell that the terminal is gone.
        let _ = write!(stderr().lock(), "{}", drawn(&status));
    }

    fn print(&self, text: &str) {
        let text = harmless(text);
        let status = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = stderr().lock();
        let _ = if status.is_empty() {
            writeln!(out, "{text}")
        } else {
            write!(out, "\r\x1b[K{text}\r\n{}", drawn(&status))
        };
    }
}

/// Returns a text that a terminal shows and does not obey: parts of it may come from a server, a broker or a lamp.
fn harmless(text: &str) -> String {
    text.replace(|letter: char| letter.is_control() && letter != '\n', "\u{FFFD}")
}

/// Returns what draws a status line in place of the last: at once, and without the part for which there is no room.
fn drawn(status: &str) -> String {
    format!("\x1b[?2026h\r\x1b[K\x1b[?7l{status}\x1b[?7h\x1b[?2026l")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        assert_eq!(harmless("an error\u{1b}]0;title\u{7}\r\u{9b}2J\nnext é"), "an error�]0;title��\u{FFFD}2J\nnext é");
    }
}
