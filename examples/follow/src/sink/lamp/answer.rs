//! What a lamp says on its line.

use serde_json::Value;

/// A line of a lamp.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The answer to a line.
    Answer(Answer),
    /// Anything else: a change that the lamp reports, an echo, or half of a line.
    Other,
}

/// The answer of a lamp to a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The id of the request; `None` of a line without one.
    pub(super) id: Option<String>,
    pub(super) status: u64,
    pub(super) body: Value,
}

impl Heard {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> Self {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(line) else { return Self::Other };
        // A request that comes back has no status.
        let Some(status) = object.get("status").and_then(Value::as_u64) else { return Self::Other };
        let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
        Self::Answer(Answer { id, status, body: object.remove("body").unwrap_or_default() })
    }
}

impl Answer {
    /// Reports whether the lamp has done what it was told.
    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Returns what a lamp says of itself: its version and its board.
    pub(super) fn device(&self) -> Option<String> {
        let text = |name| self.body.get(name).and_then(Value::as_str);
        match (text("board"), text("version")) {
            (Some(board), Some(version)) => Some(format!("{board}, firmware {version}")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => None,
        }
    }

    /// Returns why the lamp has not done what it was told.
    pub(super) fn reason(&self) -> String {
        let error = &self.body["error"];
        let text = |name| error.get(name).and_then(Value::as_str);
        let message = text("message").or_else(|| text("code"));
        message.map_or_else(|| format!("status {}", self.status), |text| format!("status {}, {text}", self.status))
    }
}
