//! Every public function of the library, once for each kind of type that makes other code of it.
//!
//! Each function's address is hidden from the compiler, so that the linker keeps it whole, whatever its arguments: the image
//! holds what any program may link. `measure` compares these lists with the library's documentation.

mod client;
mod clocks;
mod details;
mod directories;
mod light;
mod lines;
mod plain;
mod stored;
mod users;
mod wire;

/// Keeps functions: methods of a type, methods of a trait's implementation, or free functions.
macro_rules! keep {
    (fn => $($function:expr),* $(,)?) => { $( core::hint::black_box($function as *const ()); )* };
    ($type:ty as $trait:path => $($name:ident),* $(,)?) => {
        $( core::hint::black_box(<$type as $trait>::$name as *const ()); )*
    };
    ($type:ty => $($name:ident),* $(,)?) => { $( core::hint::black_box(<$type>::$name as *const ()); )* };
}

/// Keeps derived copies.
macro_rules! clones {
    ($($type:ty),* $(,)?) => { $( $crate::everything::keep!($type as Clone => clone); )* };
}

/// Keeps derived copies and comparisons.
macro_rules! values {
    ($($type:ty),* $(,)?) => { $( $crate::everything::keep!($type as Clone => clone); $crate::everything::keep!($type as PartialEq => eq); )* };
}

/// Keeps the derived order.
macro_rules! orders {
    ($($type:ty),* $(,)?) => { $( $crate::everything::keep!($type as PartialOrd => partial_cmp); $crate::everything::keep!($type as Ord => cmp); )* };
}

/// Keeps derived hashes.
macro_rules! hashes {
    ($($type:ty),* $(,)?) => {
        $( core::hint::black_box(<$type as core::hash::Hash>::hash::<presence_core::directory::DefaultHasher> as *const ()); )*
    };
}

/// Keeps derived defaults.
macro_rules! defaults {
    ($($type:ty),* $(,)?) => { $( $crate::everything::keep!($type as Default => default); )* };
}

pub(crate) use {clones, defaults, hashes, keep, orders, values};

/// Keeps every function: the compiler cannot tell whether any is called, nor with which arguments.
#[inline(always)]
pub fn drive() -> bool {
    plain::keep();
    client::keep();
    clocks::keep();
    users::keep();
    directories::keep();
    stored::keep();
    wire::keep();
    details::keep();
    light::keep();
    lines::keep();
    true
}
