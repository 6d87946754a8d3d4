//! Contents of successful responses, written into memory that is reserved first.
//!
//! A response renders each user once: when a user is asked for again, in the same bulk read or in another element of a batch, the
//! object is copied, unless the user has changed meanwhile.

use super::App;
use super::bounded::Length;
use super::explain;
use super::response::RequestError;
use super::response_body::ResponseBody;
use crate::shard::job::{UserExplanation, UserView};
use presence_core::graph::{Caller, Error, Resource, Select, Writer};
use presence_core::{BufferFull, UserId};
use std::collections::HashMap;
use tokio::sync::OwnedSemaphorePermit;

/// What a successful response shows.
#[derive(Debug)]
pub enum Content {
    /// A presence object.
    Presence(UserView, Select),
    /// The presence objects of a bulk read: the ids in order, the view of each, and the permit for their memory.
    Presences(Vec<UserId>, Views, Select, OwnedSemaphorePermit),
    /// A user object.
    User(UserId, Select),
    /// What decides a user's presence.
    Explanation(UserExplanation),
}

/// The view of each user of a bulk read, and the length of its object.
pub type Views = HashMap<UserId, (UserView, usize)>;

/// The most bytes of a user in a table, beside what it holds: a table has up to sixteen slots for seven users, and is copied when it
/// grows.
const TABLE: usize = 4;

/// The presence objects of a response so far.
#[derive(Debug)]
pub struct Rendered {
    objects: HashMap<(UserId, Select), Object>,
    permit: OwnedSemaphorePermit,
}

/// A presence object that is in the response.
#[derive(Debug)]
struct Object {
    view: UserView,
    from: usize,
    to: usize,
}

impl Rendered {
    /// Creates the state of an empty response.
    ///
    /// # Errors
    ///
    /// Those of [`App::reserve`].
    pub fn new(app: &App) -> Result<Self, Error> {
        Ok(Self { objects: HashMap::new(), permit: app.reserve(0)? })
    }

    /// Reserves memory to remember so many more users.
    fn reserve(&mut self, app: &App, more: usize) -> Result<(), Error> {
        self.permit.merge(app.reserve(more * TABLE * size_of::<((UserId, Select), Object)>())?);
        Ok(())
    }

    /// Returns the object of a user that is as it was when the object was rendered.
    fn find(&self, view: &UserView, select: Select) -> Option<&Object> {
        self.objects.get(&(view.user, select)).filter(|object| object.view == *view)
    }

    /// Writes a user's object, which is rendered if it is not there yet.
    fn write(
        &mut self,
        response: &mut ResponseBody,
        view: &UserView,
        select: Select,
        render: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
    ) -> Result<(), BufferFull> {
        if let Some(Object { from, to, .. }) = self.find(view, select) {
            response.copy(*from, *to);
            return Ok(());
        }
        let from = response.len();
        render(response, view)?;
        self.objects.insert((view.user, select), Object { view: view.clone(), from, to: response.len() });
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
                append_one(response, rendered, app, &view, select, render_as(select))?;
            }
            Self::Presences(ids, views, select, _permit) => {
                append_many(response, rendered, app, (&ids, views), select, render_as(select))?;
            }
            Self::User(user, select) => {
                let context = app.context(caller, app.clock.time());
                response.append(app, |writer| context.write_user(user, select, writer))?;
            }
            Self::Explanation(explanation) => {
                response.append(app, |writer| explain::write(&explanation, writer))?;
            }
        }
        Ok(())
    }
}

fn append_one(
    response: &mut ResponseBody,
    rendered: &mut Rendered,
    app: &App,
    view: &UserView,
    select: Select,
    render: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<(), RequestError> {
    let length = rendered.find(view, select).map(|object| object.to - object.from);
    rendered.reserve(app, 1)?;
    response.reserve(app, length.unwrap_or_else(|| Length::of(|writer| render(writer, view))))?;
    if rendered.write(response, view, select, render).is_err() {
        response.mark_overrun();
    }
    Ok(())
}

/// Appends the body of a bulk read, in the order of the ids.
fn append_many(
    response: &mut ResponseBody,
    rendered: &mut Rendered,
    app: &App,
    (ids, mut views): (&[UserId], Views),
    select: Select,
    render: impl Fn(&mut dyn Writer, &UserView) -> Result<(), BufferFull>,
) -> Result<(), RequestError> {
    const OPENING: &[u8] = b"{\"value\":[";
    const CLOSING: &[u8] = b"]}";
    for (view, length) in views.values_mut() {
        let copied = rendered.find(view, select).map(|object| object.to - object.from);
        *length = copied.unwrap_or_else(|| Length::of(|writer| render(writer, view)));
    }
    let mut total = OPENING.len() + CLOSING.len();
    for id in ids {
        // With its separator.
        total += views.get(id).ok_or(RequestError::Internal)?.1 + 1;
    }
    rendered.reserve(app, views.len())?;
    response.reserve(app, total)?;
    let mut write = || -> Result<(), BufferFull> {
        let mut separator = OPENING;
        for (view, _) in ids.iter().filter_map(|id| views.get(id)) {
            response.write(separator)?;
            rendered.write(response, view, select, &render)?;
            separator = b",";
        }
        response.write(CLOSING)
    };
    if write().is_err() {
        response.mark_overrun();
    }
    Ok(())
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
    use super::*;
    use presence_core::Presence;
    use presence_core::graph::Ids;
    use std::cell::Cell;

    fn view(number: u8, presence: Presence) -> UserView {
        UserView { user: UserId::from_bytes([number; 16]), presence, version: 1, details: None }
    }

    fn views(of: &[UserView]) -> Views {
        of.iter().map(|view| (view.user, (view.clone(), 0))).collect()
    }

    #[tokio::test]
    async fn a_user_that_a_response_shows_again_and_again_is_rendered_once() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let (adele, bob) = (view(1, Presence::Away), view(2, Presence::Busy));
        let mut ids = vec![adele.user; Ids::MAX_COUNT];
        ids[1] = bob.user;
        let mut response = ResponseBody::new(app, 0).unwrap();
        let mut rendered = Rendered::new(app).unwrap();
        let renderings = Cell::new(0);
        let render = |writer: &mut dyn Writer, view: &UserView| {
            renderings.set(renderings.get() + 1);
            write_presence(writer, view, None, Select::ALL)
        };
        let both = || views(&[adele.clone(), bob.clone()]);
        let mut append = |ids: &[UserId], views, select| {
            let from = response.len();
            append_many(&mut response, &mut rendered, app, (ids, views), select, render).unwrap();
            let body: serde_json::Value = serde_json::from_slice(&response.as_ref()[from..]).unwrap();
            let presences = body["value"].as_array().unwrap().clone();
            let shown = presences.iter().map(|presence| presence["id"].as_str().unwrap().to_owned());
            assert!(shown.eq(ids.iter().map(UserId::to_string)));
            presences
        };
        let first = append(&ids, both(), Select::ALL);
        // Each once to count it, and once to write it.
        assert_eq!(renderings.get(), 4);
        // Another element of the same batch.
        assert_eq!(append(&ids, both(), Select::ALL), first);
        assert_eq!(renderings.get(), 4);
        // Of a user who has changed meanwhile, the response shows the change, and shows it again.
        let busy = views(&[view(1, Presence::Busy), bob.clone()]);
        let changed = append(&ids, busy, Select::ALL);
        assert_eq!((changed[0]["availability"].as_str(), &changed[1]), (Some("Busy"), &first[1]));
        assert_eq!(renderings.get(), 6);
        // So it does with other members.
        append(&ids, both(), Select::parse("/?$select=id").unwrap());
        assert_eq!(renderings.get(), 10);
        append_one(&mut response, &mut rendered, app, &bob, Select::ALL, render).unwrap();
        assert_eq!(renderings.get(), 10);
        // A shard that forgets one of its users is a fault, and no broken body.
        let length = response.len();
        let incomplete = append_many(&mut response, &mut rendered, app, (&ids, views(&[bob])), Select::ALL, render);
        assert_eq!((incomplete.unwrap_err(), response.len()), (RequestError::Internal, length));
        response.finish(app).unwrap();
        drop(rendered);
        assert_eq!(app.limits.buffers.available_permits(), BUFFERS);
    }

    /// Without memory for what is to be remembered or written, nothing is written.
    #[tokio::test]
    async fn contents_without_memory_are_rejected_whole() {
        let (fixture, _queue) = Fixture::stalled();
        let app = &fixture.app;
        let mut response = ResponseBody::new(app, 0).unwrap();
        let mut rendered = Rendered::new(app).unwrap();
        let all = app.limits.buffers.available_permits();
        for left in [0, 1] {
            let _others = app.reserve((all - left) * 1024).unwrap();
            let content = Content::Presence(view(1, Presence::Away), Select::ALL);
            let caller = Caller::Trusted { me: None };
            let error = content.append(&mut response, &mut rendered, app, caller).unwrap_err();
            assert_eq!((error.status(), response.len()), (429, 0));
        }
    }
}
