//! The topics of one program on a broker.

/// The topics of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topics {
    /// The name of the program on the broker, of letters that Home Assistant allows in an id.
    pub(super) id: String,
    prefix: String,
}

impl Topics {
    /// Creates the topics of a program of this name; `prefix` is where Home Assistant looks for devices.
    pub(super) fn new(name: &str, prefix: &str) -> Self {
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        let id = name.chars().map(|letter| if is_allowed(letter) { letter } else { '-' }).collect();
        Self { id, prefix: prefix.to_owned() }
    }

    /// Returns the id of the client, and of the device in Home Assistant. Other programs that are called like their computer
    /// must not have the same: a broker ends the connection of a client when another one of its id comes, and the devices would
    /// overwrite each other.
    pub(super) fn client(&self) -> String {
        format!("presence-follow-{}", self.id)
    }

    /// What the device has: read by Home Assistant.
    pub(super) fn discovery(&self) -> String {
        format!("{}/device/{}/config", self.prefix, self.client())
    }

    /// Where Home Assistant says that it has started.
    pub(super) fn home_assistant(&self) -> String {
        format!("{}/status", self.prefix)
    }

    /// Whether the program is there.
    pub(super) fn status(&self) -> String {
        self.below("status")
    }

    /// What is shown.
    pub(super) fn state(&self) -> String {
        self.below("state")
    }

    /// The presence that was chosen.
    pub(super) fn session(&self) -> String {
        self.below("session")
    }

    /// A choice.
    pub(super) fn choice(&self) -> String {
        self.below("session/set")
    }

    fn below(&self, name: &str) -> String {
        format!("presence-core/{}/{name}", self.id)
    }
}
