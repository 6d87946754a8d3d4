//! What the tests share, and the fuzz targets use as well: the model, a second opinion on every rule; and scenarios, told to a
//! lone user and to one of a directory.

pub mod model;
pub mod scenario;
