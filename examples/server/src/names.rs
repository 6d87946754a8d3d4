//! User principal names.

use presence_core::UserId;
use std::collections::HashMap;

/// The user principal names that are known, in any case, and the name of each user.
#[derive(Debug, Default)]
pub struct Names {
    /// The users, by their names in lower case.
    users: HashMap<String, UserId>,
    /// The first name of each user, as it was given.
    names: HashMap<UserId, String>,
}

impl FromIterator<(String, UserId)> for Names {
    fn from_iter<I: IntoIterator<Item = (String, UserId)>>(pairs: I) -> Self {
        let mut all = Self::default();
        for (name, user) in pairs {
            all.users.insert(name.to_lowercase(), user);
            all.names.entry(user).or_insert(name);
        }
        all
    }
}

impl Names {
    /// Returns the user with a name.
    pub fn user(&self, name: &str) -> Option<UserId> {
        self.users.get(&name.to_lowercase()).copied()
    }

    /// Returns the name of a user.
    pub fn of(&self, user: UserId) -> Option<&str> {
        self.names.get(&user).map(String::as_str)
    }
}
