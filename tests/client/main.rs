//! The other side of the wire: what a client sends, reads and makes of it. Tests are named after the rules that they hold.

mod sign_in;
