//! Shared by the tests and the fuzz targets: the model, a second opinion on every rule; and scenarios, played by a lone user
//! and by one of a directory.

pub mod model;
pub mod scenario;
