//! Which rules a step has broken.
//!
//! A property looks at one state; many rules are about the step that led there. A step that breaks a rule leaves a mark in
//! the state it leads to, so that this is another state than the one that the same step leads to when all is well.

use std::fmt;

/// The rules that steps are checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rule {
    M2,
    M4,
    M5,
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    U1,
    U2,
    U3,
    U4,
    U5,
    V1,
    V2,
}

/// A set of broken rules.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Broken(u32);

impl Broken {
    pub fn note(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u8;
    }

    pub fn unless(&mut self, holds: bool, rule: Rule) {
        if !holds {
            self.note(rule);
        }
    }

    pub fn holds(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u8) == 0
    }

    /// Whether something is wrong: nothing is looked for behind that.
    pub fn any(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#b}", self.0)
    }
}
