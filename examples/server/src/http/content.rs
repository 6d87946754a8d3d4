//! Contents of successful responses, written into memory that is reserved first.
//!
//! A response renders each user once: when a user is asked for again, in the same bulk read or in another element of a batch, the
//! object is copied, unless the user has changed meanwhile.

use super::App;
use super::account::Account;
use super::bounded::Length;
use super::explain;
use super::response::RequestError;
use super::response_body::ResponseBody;
use super::throttle::Memory;
use presence_core::graph::{Caller, Resource, Select, Writer};
use presence_core::{BufferFull, UserId};
use presence_engine::shard::job::{UserExplanation, UserView};
use std::collections::HashMap;

/// What a successful response shows.
#[derive(Debug)]
pub enum Content {
    /// A presence object.
    Presence(UserView, Select),
    /// The presence objects of a bulk read: in this order, those of these users, and their memory.
    Presences(Vec<usize>, Vec<UserView>, Select, Memory),
    /// A user object.
    User(UserId, Select),
    /// What decides a user's presence.
    Explanation(UserExplanation),
}

/// The most bytes of a presence object of a user without details.
const WITHOUT_DETAILS: usize = 306;
/// Returns the bytes of a table of so many users: a power of two slots, of which an eighth is free, with a byte for each and some more.
const fn table(users: usize) -> usize {
    if users == 0 {
        return 0;
    }
    let slots = (users * 8).div_ceil(7).next_power_of_two();
    (if slots < 4 { 4 } else { slots }) * (size_of::<((UserId, Select), (UserView, Place))>() + 1) + 16
}

/// The presence objects of a response so far.
#[derive(Debug)]
pub struct Rendered {
    /// `None` if nothing is written to the response but one content, which knows its users.
    objects: Option<HashMap<(UserId, Select), (UserView, Place)>>,
    memory: Memory,
}

/// A presence object of a response.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// It is written, from one offset to another.
    Written(usize, usize),
    /// It is still to be rendered, in at most so many bytes.
    AtMost(usize),
}

impl Place {
    const fn len(self) -> usize {
        match self {
            Self::Written(from, to) => to - from,
            Self::AtMost(length) => length,
        }
    }

    /// Returns the number of users that are to be remembered for this, one at most.
    const fn is_new(self) -> usize {
        matches!(self, Self::AtMost(_)) as usize
    }
}

impl Rendered {
    /// Creates the state of a response to a batch, of which several elements may show a user.
    ///
    /// # Errors
    ///
    /// Those of [`App::reserve`].
    pub fn of_batch(app: &App, account: Account) -> Result<Self, RequestError> {
        Ok(Self { objects: Some(HashMap::new()), memory: app.reserve(account, 0)? })
    }

    /// Creates the state of a response of one content.
    ///
    /// # Errors
    ///
    /// Those of [`App::reserve`].
    pub fn of_one(app: &App, account: Account) -> Result<Self, RequestError> {
        Ok(Self { objects: None, memory: app.reserve(account, 0)? })
    }

    /// Reserves memory to remember so many more users, and makes room for them.
    fn reserve(&mut self, more: usize) -> Result<(), RequestError> {
        if let Some(objects) = &mut self.objects {
            let (before, after) = (table(objects.capacity()), table(objects.len() + more));
            // While a table grows there are both.
            self.memory.grow_to(if objects.capacity() - objects.len() < more { before + after } else { before })?;
            objects.reserve(more);
            self.memory.shrink_to(table(objects.capacity()));
        }
        Ok(())
    }

    /// Returns the place of a user's object, if the user is as it was when the object was written; otherwise the most bytes of it.
    fn place(
        &self,
        view: &UserView,
        select: Select,
        render: impl FnOnce(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
    ) -> Place {
        let earlier = self.objects.as_ref().and_then(|objects| objects.get(&(view.user, select)));
        let earlier = earlier.filter(|(earlier, _)| earlier == view).map(|(_, place)| *place);
        earlier.unwrap_or_else(|| {
            // Counting takes as long as rendering, and only texts have lengths worth counting.
            let has_details = view.details.is_some();
            Place::AtMost(if has_details { Length::of(|writer| render(writer, view)) } else { WITHOUT_DETAILS })
        })
    }

    /// Writes a user's object in a place: copies it, or renders it and changes the place.
    fn write(
        &mut self,
        response: &mut ResponseBody,
        place: &mut Place,
        (view, select): (&UserView, Select),
        render: impl FnOnce(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
    ) -> Result<(), BufferFull> {
        if let Place::Written(from, to) = *place {
            response.copy(from, to);
            return Ok(());
        }
        let from = response.len();
        render(response, view)?;
        *place = Place::Written(from, response.len());
        if let Some(objects) = &mut self.objects {
            objects.insert((view.user, select), (view.clone(), *place));
        }
        Ok(())
    }
}

impl Content {
    /// Appends this to a response as the caller may see it.
    ///
    /// # Errors
    ///
    /// Those of [`ResponseBody::reserve`], and [`RequestError::Internal`] if a user is missing. Nothing is written then.
    pub fn append(
        self,
        response: &mut ResponseBody,
        rendered: &mut Rendered,
        app: &App,
        caller: Caller,
    ) -> Result<(), RequestError> {
        let render_as =
            |select| move |writer: &mut dyn Writer, view: &UserView| write_presence(writer, view, caller.me(), select);
        match self {
            Self::Presence(view, select) => {
                append_one(response, rendered, &view, select, render_as(select))?;
            }
            Self::Presences(order, views, select, _memory) => {
                append_many(response, rendered, (&order, &views), select, render_as(select))?;
            }
            Self::User(user, select) => {
                let context = app.context(caller, app.clock.time());
                response.append(|writer| context.write_user(user, select, writer))?;
            }
            Self::Explanation(explanation) => {
                response.append(|writer| explain::write(&explanation, writer))?;
            }
        }
        Ok(())
    }
}

fn append_one(
    response: &mut ResponseBody,
    rendered: &mut Rendered,
    view: &UserView,
    select: Select,
    render: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<(), RequestError> {
    let mut place = rendered.place(view, select, &render);
    rendered.reserve(place.is_new())?;
    let most = place.len();
    response.append_at_most(most, |body| rendered.write(body, &mut place, (view, select), render))
}

/// Appends the body of a bulk read: the objects of users, in the order of their positions.
fn append_many(
    response: &mut ResponseBody,
    rendered: &mut Rendered,
    (order, views): (&[usize], &[UserView]),
    select: Select,
    render: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<(), RequestError> {
    const OPENING: &[u8] = b"{\"value\":[";
    const CLOSING: &[u8] = b"]}";
    let mut users: Vec<_> = views.iter().map(|view| (view, rendered.place(view, select, &render))).collect();
    let mut total = OPENING.len() + CLOSING.len();
    for position in order {
        // With its separator.
        total += users.get(*position).ok_or(RequestError::Internal)?.1.len() + 1;
    }
    rendered.reserve(users.iter().map(|(_, place)| place.is_new()).sum())?;
    let write = |body: &mut ResponseBody| {
        let mut separator = OPENING;
        for position in order {
            let (view, place) = users.get_mut(*position).ok_or(BufferFull)?;
            body.write(separator)?;
            rendered.write(body, place, (view, select), &render)?;
            separator = b",";
        }
        body.write(CLOSING)
    };
    response.append_at_most(total, write)
}

/// Writes a presence object as the user `me` may see it ([H3](../../../../docs/behaviour.md#h3)).
pub fn write_presence(
    writer: &mut dyn Writer,
    view: &UserView,
    me: Option<UserId>,
    select: Select,
) -> Result<(), BufferFull> {
    let UserView { user, presence, version, details } = view;
    let details = details.as_ref().map(|details| details.view()).unwrap_or_default();
    let mut resource = Resource::new(*user, *presence, *version).with_select(select).with_details(details);
    if me == Some(*user) {
        // Instants are Unix milliseconds.
        resource = resource.for_owner(Some(0));
    }
    resource.write(writer)
}

#[cfg(test)]
mod tests {
    use super::super::BUFFERS;
    use super::super::fixture::Fixture;
    use super::super::shares::most;
    use super::*;
    use presence_core::Presence;
    use presence_core::graph::Ids;
    use std::cell::Cell;

    fn view(number: u8, presence: Presence) -> UserView {
        UserView { user: UserId::from_bytes([number; 16]), presence, version: 1, details: None }
    }

    #[tokio::test]
    async fn a_user_that_a_response_shows_again_and_again_is_rendered_once() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let (adele, bob) = (view(1, Presence::Away), view(2, Presence::Busy));
        let mut order = vec![0; Ids::MAX_COUNT];
        order[1] = 1;
        let mut response = ResponseBody::new(app, Account::Developer, 0).unwrap();
        let mut rendered = Rendered::of_batch(app, Account::Developer).unwrap();
        let renderings = Cell::new(0);
        let render = |writer: &mut dyn Writer, view: &UserView| {
            renderings.set(renderings.get() + 1);
            write_presence(writer, view, None, Select::ALL)
        };
        let both = [adele.clone(), bob.clone()];
        let mut append = |views: &[UserView], select| {
            let from = response.len();
            append_many(&mut response, &mut rendered, (&order, views), select, render).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&response.as_ref()[from..]).unwrap();
            let presences = body["value"].as_array().unwrap().clone();
            let shown = presences.iter().map(|presence| presence["id"].as_str().unwrap().to_owned());
            assert!(shown.eq(order.iter().map(|position| views[*position].user.to_string())));
            presences
        };
        let first = append(&both, Select::ALL);
        assert_eq!(renderings.get(), 2);
        // Another element of the same batch.
        assert_eq!(append(&both, Select::ALL), first);
        assert_eq!(renderings.get(), 2);
        // Of a user who has changed meanwhile, the response shows the change.
        let changed = append(&[view(1, Presence::Busy), bob.clone()], Select::ALL);
        assert_eq!((changed[0]["availability"].as_str(), &changed[1]), (Some("Busy"), &first[1]));
        assert_eq!(renderings.get(), 3);
        // Other members are rendered anew.
        append(&both, Select::parse("/?$select=id").unwrap());
        assert_eq!(renderings.get(), 5);
        append_one(&mut response, &mut rendered, &bob, Select::ALL, render).unwrap();
        assert_eq!(renderings.get(), 5);
        // A user whom its shard forgot would be a fault, and no broken body.
        let length = response.len();
        let incomplete = append_many(&mut response, &mut rendered, (&order, &[bob]), Select::ALL, render);
        assert_eq!((incomplete.unwrap_err(), response.len()), (RequestError::Internal, length));
        response.finish(app).unwrap();
        drop(rendered);
        assert_eq!(app.limits.buffers.free(), BUFFERS);
    }

    #[tokio::test]
    async fn a_user_that_one_bulk_read_names_again_is_rendered_once() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut response = ResponseBody::new(app, Account::Developer, 0).unwrap();
        let mut rendered = Rendered::of_one(app, Account::Developer).unwrap();
        let renderings = Cell::new(0);
        let render = |writer: &mut dyn Writer, view: &UserView| {
            renderings.set(renderings.get() + 1);
            write_presence(writer, view, None, Select::ALL)
        };
        let users = [view(1, Presence::Away)];
        append_many(&mut response, &mut rendered, (&[0; 650], &users), Select::ALL, render).unwrap();
        assert_eq!(renderings.get(), 1);
        let body: serde_json::Value = serde_json::from_slice(response.finish(app).unwrap().as_ref()).unwrap();
        assert_eq!(body["value"].as_array().unwrap().len(), 650);
    }

    /// A table is as large as is reserved for it: its capacity is the most users of a table of that many bytes.
    #[tokio::test]
    async fn remembered_users_take_what_is_reserved_for_them() {
        let (fixture, _queue) = Fixture::stalled();
        let mut rendered = Rendered::of_batch(&fixture.app, Account::Developer).unwrap();
        for number in 0..2000u16 {
            rendered.reserve(1).unwrap();
            let objects = rendered.objects.as_mut().unwrap();
            assert!(objects.capacity() > objects.len());
            let mut user = view(1, Presence::Away);
            user.user = UserId::from_bytes([number.to_be_bytes(); 8].concat().try_into().unwrap());
            objects.insert((user.user, Select::ALL), (user, Place::AtMost(0)));
            let capacity = objects.capacity();
            assert!(table(capacity) < table(capacity + 1) && table(capacity) == table(objects.len()));
            assert_eq!(rendered.memory.bytes(), table(capacity).next_multiple_of(1024));
        }
        // Those that are there already need no more.
        rendered.reserve(0).unwrap();
        assert_eq!(rendered.memory.bytes(), table(2000).next_multiple_of(1024));
    }

    #[test]
    fn a_presence_without_details_has_a_longest_length() {
        let lengths = Presence::ALL.into_iter().map(|presence| {
            let view = UserView { version: u64::MAX, ..view(1, presence) };
            Length::of(|writer| write_presence(writer, &view, Some(view.user), Select::ALL))
        });
        assert_eq!(lengths.max(), Some(WITHOUT_DETAILS));
    }

    /// Without memory for what is to be remembered or written, nothing is written.
    #[tokio::test]
    async fn contents_without_memory_are_rejected_whole() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut response = ResponseBody::new(app, Account::Developer, 0).unwrap();
        let mut rendered = Rendered::of_batch(app, Account::Developer).unwrap();
        let all = most(BUFFERS, Account::Developer);
        for left in [0, 1] {
            let _others = app.reserve(Account::Developer, (all - left) * 1024).unwrap();
            let content = Content::Presence(view(1, Presence::Away), Select::ALL);
            let caller = Caller::Trusted { me: None };
            let error = content.append(&mut response, &mut rendered, app, caller).unwrap_err();
            assert_eq!((error.status(), response.len()), (429, 0));
        }
    }
}
