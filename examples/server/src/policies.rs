//! The policies that requests are decided under: the server's, and those of single applications.

use clap::ValueEnum;
use presence_core::graph::Caller;
use presence_core::{Policy, SessionId};
use presence_engine::KEPT_UNDER;
use std::collections::HashMap;

/// The name of a policy ([P2](../../../docs/behaviour.md#p2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyName {
    /// What Graph allows.
    Graph,
    /// Every presence from Away up: for calendars, and for devices on a desk.
    Desk,
    /// Every presence but Unknown and Offline, and nothing fades: for what mirrors another system.
    Mirror,
}

impl PolicyName {
    /// Returns the policy.
    pub const fn policy(self) -> &'static Policy {
        const { assert!(fades_as_kept(&Policy::DESK) && fades_as_kept(&Policy::MIRROR)) };
        match self {
            Self::Graph => &Policy::GRAPH,
            Self::Desk => &Policy::DESK,
            Self::Mirror => &Policy::MIRROR,
        }
    }

    /// Parses `APPLICATION_ID=POLICY`.
    pub fn of_application(text: &str) -> Result<(SessionId, Self), String> {
        let (application, name) = text.split_once('=').ok_or("expected APPLICATION_ID=POLICY")?;
        let application = application.parse().map_err(|_| "the application id is no GUID")?;
        let name = Self::from_str(name, false).map_err(|_| "a policy is graph, desk or mirror")?;
        Ok((application, name))
    }
}

/// Reports whether sessions that are set under a policy fade as users are kept, or not at all.
const fn fades_as_kept(policy: &Policy) -> bool {
    let (mut fades, mut kept) = (policy.fades.as_slice(), KEPT_UNDER.fades.as_slice());
    if fades.is_empty() {
        return true;
    }
    while let ([fade, others @ ..], [same, rest @ ..]) = (fades, kept) {
        if fade.after.as_millis() != same.after.as_millis() || fade.becomes.as_byte() != same.becomes.as_byte() {
            return false;
        }
        (fades, kept) = (others, rest);
    }
    fades.is_empty() && kept.is_empty()
}

/// The policies of a server.
#[derive(Debug)]
pub struct Policies {
    usual: &'static Policy,
    own: HashMap<SessionId, &'static Policy>,
}

/// The error of an application that is given two policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoPoliciesError(SessionId);

impl std::fmt::Display for TwoPoliciesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "--app-policy {} is given twice", self.0)
    }
}

impl std::error::Error for TwoPoliciesError {}

impl Default for Policies {
    /// Creates Graph's policy for all.
    fn default() -> Self {
        Self { usual: PolicyName::Graph.policy(), own: HashMap::new() }
    }
}

impl Policies {
    /// Creates the policies of a server, and of applications that have one of their own.
    pub fn new(
        usual: PolicyName,
        own: impl IntoIterator<Item = (SessionId, PolicyName)>,
    ) -> Result<Self, TwoPoliciesError> {
        let mut policies = Self { usual: usual.policy(), own: HashMap::new() };
        for (application, name) in own {
            if policies.own.insert(application, name.policy()).is_some() {
                return Err(TwoPoliciesError(application));
            }
        }
        Ok(policies)
    }

    /// Returns the policy that a caller's requests are decided under.
    ///
    /// An application's is the same whether it acts by itself or for a signed-in user. A development token, which names every
    /// session, has the server's.
    pub fn of(&self, caller: &Caller) -> &'static Policy {
        match caller {
            Caller::Application { application, .. } | Caller::Delegated { application, .. } => {
                self.own.get(application).copied().unwrap_or(self.usual)
            }
            Caller::Trusted { .. } => self.usual,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::Fades;
    use presence_core::graph::Permissions;

    const CALENDAR: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";

    #[test]
    fn an_applications_policy_counts_whoever_it_acts_for() {
        let desk = PolicyName::of_application(&format!("{CALENDAR}=desk")).unwrap();
        let policies = Policies::new(PolicyName::Mirror, [desk]).unwrap();
        let (application, user) = (CALENDAR.parse().unwrap(), CALENDAR.parse().unwrap());
        let permissions = Permissions::default();
        let delegated = Caller::Delegated { application, user, permissions };
        for caller in [Caller::Application { application, permissions }, delegated] {
            assert_eq!(policies.of(&caller), &Policy::DESK);
        }
        let other = SessionId::from_bytes([7; 16]);
        for caller in [Caller::Application { application: other, permissions }, Caller::Trusted { me: None }] {
            assert_eq!(policies.of(&caller), &Policy::MIRROR);
        }
        assert_eq!(Policies::new(PolicyName::Graph, [desk, desk]).err(), Some(TwoPoliciesError(application)));
    }

    #[test]
    fn malformed_policies_are_rejected() {
        for text in ["", "desk", "=desk", "7=desk", &format!("{CALENDAR}="), &format!("{CALENDAR}=office")] {
            assert!(PolicyName::of_application(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_policies_that_fade_as_users_are_kept_are_offered() {
        const LATER: Fades = Fades::new(&[presence_core::Fade {
            after: presence_core::Duration::from_mins(6),
            becomes: presence_core::Presence::AvailableInactive,
        }])
        .unwrap();
        for fades in [LATER, Fades::new(&KEPT_UNDER.fades.as_slice()[..1]).unwrap()] {
            assert!(!fades_as_kept(&Policy { fades, ..Policy::GRAPH }), "{fades:?}");
        }
        assert!(PolicyName::value_variants().iter().all(|name| fades_as_kept(name.policy())));
    }
}
