//! The details of one user, together with their model.

use super::model::{self, happening, instant, millis};
use presence_core::details::{
    Details, DetailsCommand, DetailsTransition, LocationLayer, decide_details, next_due_details,
};
use presence_core::{ApplyError, Instant};

/// The details in the library and in the model.
pub struct Pair<'a, const MESSAGE: usize> {
    pub real: Details<MESSAGE>,
    model: model::Model<'a>,
}

impl<'a, const MESSAGE: usize> Pair<'a, MESSAGE> {
    /// Creates details whose numbers start at any value. Rules V1, V2.
    pub fn with_version(number: u64) -> Self {
        Self { real: Details::with_version(number), model: model::Model::with_version(number, MESSAGE) }
    }

    /// Decides a command in both; `None` if nothing changes.
    pub fn decide(&mut self, now: Instant, command: DetailsCommand<'a>) -> Option<DetailsTransition<'a>> {
        let Self { real, model } = self;
        let before = real.clone();
        let due = next_due_details(real, now);
        let moment = match real.at(now) {
            Ok(moment) => moment,
            Err(overdue) => {
                assert_eq!(Some(overdue.deadline), real.next_deadline());
                assert_eq!(due.map(|due| due.at()), Some(overdue.deadline), "overdue details have something due (S8)");
                return None;
            }
        };
        assert_eq!(due, None, "what is due is overdue (S8)");
        let decided = decide_details(moment, command);
        assert_eq!(decide_details(moment, command), decided, "the same every time");
        assert_eq!(*real, before, "a decision changes nothing");
        let expected = model.command(millis(now), command);
        assert_eq!(decided.map(|transition| transition.as_ref().map(happening)), expected);
        decided.ok().flatten()
    }

    /// Returns the first transition due in both; `None` if nothing is due.
    pub fn advance(&mut self, now: Instant) -> Option<DetailsTransition<'static>> {
        let Self { real, model } = self;
        let before = real.clone();
        let due = next_due_details(real, now);
        assert_eq!(*real, before, "a decision changes nothing");
        assert_eq!(due.as_ref().map(happening), model.advance_once(millis(now)));
        due
    }

    /// Applies a transition decided about this state, once.
    pub fn apply(&mut self, transition: &DetailsTransition<'_>) {
        let real = &mut self.real;
        let (revision, version) = (real.revision(), real.version());
        assert_eq!(transition.revision(), revision);
        assert_eq!(real.apply(transition), Ok(()));
        let after = real.clone();
        assert_eq!(after.revision(), revision + 1, "revision (V2)");
        assert_eq!(after.version(), version + u64::from(transition.is_visible()), "version (V1)");
        assert_eq!(real.apply(transition), Err(ApplyError::Stale), "twice (V2)");
        assert_eq!(*real, after);
    }

    /// Applies an earlier transition of either user, which succeeds exactly if the model could decide it now.
    pub fn try_again(&self, transition: &DetailsTransition<'a>) {
        let mut real = self.real.clone();
        let result = real.apply(transition);
        let expected = if transition.revision() != self.real.revision() {
            Err(ApplyError::Stale)
        } else if self.model.may_decide(&happening(transition)) {
            Ok(())
        } else {
            Err(ApplyError::Invalid)
        };
        assert_eq!(result, expected, "{transition:?} about {:?}", self.real);
        assert!(result.is_ok() || real == self.real, "a rejected transition changes nothing (S7)");
    }

    /// Sets the clock if nothing is due, and reports whether it did. Rule C2.
    pub fn rebase(&mut self, from: Instant, to: Instant) -> bool {
        let (before, first) = (self.real.clone(), self.model.next_deadline());
        match self.real.rebase(from, to) {
            Ok(()) => {
                assert!(first.is_none_or(|deadline| deadline > from), "{first:?} is overdue (C2)");
                self.model.shift(millis(to) - millis(from));
                true
            }
            Err(overdue) => {
                assert!(first == Some(overdue.deadline) && overdue.deadline <= from);
                assert_eq!(self.real, before);
                false
            }
        }
    }

    /// Asserts that both are equal, now and at every later deadline, in one step or in many.
    pub fn assert_same(&self) {
        self.model.assert_is(&self.real);
        let (mut far, mut near, mut model) = (self.real.clone(), self.real.clone(), self.model.clone());
        let mut before = None;
        while let Some(deadline) = near.next_deadline() {
            assert!(before <= Some(deadline), "time goes forwards");
            before = Some(deadline);
            if let Some(moment) = deadline.as_millis().checked_sub(1).map(Instant::from_millis) {
                assert_eq!(next_due_details(&near, moment), None, "not before its deadline");
            }
            let due = next_due_details(&near, deadline).expect("exact");
            assert_eq!(next_due_details(&far, Instant::NEVER), Some(due), "the same whatever the step (M4)");
            assert_eq!(Some(happening(&due)), model.advance_once(millis(deadline)));
            assert_eq!((near.apply(&due), far.apply(&due)), (Ok(()), Ok(())));
            model.assert_is(&near);
            if near.at(deadline).is_ok() {
                assert_eq!(self.real.view_at(deadline), near.view(), "a read that changes nothing (M4)");
            }
        }
        assert_eq!(next_due_details(&far, Instant::NEVER), None);
        assert_eq!(model.advance_once(millis(Instant::NEVER)), None, "never comes (C3)");
        assert!(
            LocationLayer::ALL
                .iter()
                .all(|layer| near.place(*layer).is_none_or(|(_, until)| until == instant(model::NEVER)))
        );
    }
}
