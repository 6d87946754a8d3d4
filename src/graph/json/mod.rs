//! JSON text, validated as a whole first, then read in place.
//!
//! The scanner is iterative, and its memory does not grow with the text: one bit for each of at most [`Value::MAX_DEPTH`]
//! levels. Text that it accepted is decoded where it is needed, without checking again that it is well formed.

mod error;
mod scanner;
#[cfg(test)]
mod tests;
mod text;
mod value;

pub use error::JsonError;
#[cfg(any(feature = "batch", feature = "details"))]
pub(super) use text::Decoded;
pub(super) use text::decode;
pub use value::Value;
#[cfg(feature = "lines")]
pub(crate) use value::before_fault;
pub(super) use value::member_before_fault;
pub(crate) use value::without_mark;
