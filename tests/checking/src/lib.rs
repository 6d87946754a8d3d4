//! Every state that the library can reach with few sessions, few users and little time, compared with the rules.

pub mod broken;
pub mod few_users;
pub mod one_user;
pub mod policies;
pub mod report;
pub mod rules;
pub mod stored;
pub mod two_servers;
