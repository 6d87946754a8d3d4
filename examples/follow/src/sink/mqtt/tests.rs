//! What is published, and what messages do; without a broker, which `test` has.

mod discovery;
mod home;
