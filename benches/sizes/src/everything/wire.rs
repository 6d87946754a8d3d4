//! The wire.

use super::{clones, defaults, keep, values};
use core::hint::black_box;
use presence_core::details::{Details, DetailsError};
use presence_core::directory::InlineDirectory;
use presence_core::graph::json::{JsonError, Value};
use presence_core::graph::{
    self, Batch, Buffer, Caller, ChangeEvent, Context, DateTime, Dependencies, DetailsAction, DetailsMap, Element,
    Environment, Error, Ids, Line, Operation, Permissions, RawRequest, Request, Resource, Select, SingleUserStore,
    Store, Target, TextBuffer, Trace, UserRef, WithDetails, Writer, serve, serve_line,
};
use presence_core::{CommandError, Policy, SessionId, UserId};

/// An environment that knows nothing.
struct Unknowing;

impl Environment for Unknowing {}

type OneUser = (UserId, Details<280>);
type Device = WithDetails<SingleUserStore<4>, OneUser, 280>;

type OtherPolicy = (Device, &'static Policy);

type Users = InlineDirectory<UserId, SessionId, 4, 16>;

#[inline(never)]
fn lists(value: Value<'_>, batch: Batch<'_>, element: Element<'_>, ids: Ids<'_>) -> Result<(), Error> {
    Value::members(value).for_each(|member| {
        black_box(member);
    });
    Value::elements(value).for_each(|element| {
        black_box(element);
    });
    Batch::elements(batch).for_each(|element| {
        black_box(element);
    });
    Element::depends_on(element)?.for_each(|id| {
        black_box(id);
    });
    Ids::iter(ids).for_each(|id| {
        black_box(id);
    });
    Ok(())
}

#[inline(never)]
fn setters(raw: RawRequest<'static, 'static>, resource: Resource<'static>) {
    black_box(RawRequest::with_content_type(raw, "application/json"));
    black_box(RawRequest::with_content_encoding(raw, "gzip"));
    black_box(Resource::with_details(resource, None));
}

#[inline(always)]
pub fn keep() {
    keep!(Value<'static> => as_bool, as_str, is_array, is_null, is_object, is_same_text, is_string, is_text, member, parse, text);
    keep!(Batch<'static> => parse);
    keep!(Element<'static> => body, id, id_len, parse, request, value, write_response);
    keep!(Dependencies<'static> => check, is_empty, new, record);
    keep!(Ids<'static> => parse, select);
    keep!(fn => lists);
    keep!(Request<'static> => parse);
    keep!(Target<'static> => is_path, method, parse, strip_action);
    keep!(Select => contains, parse);
    keep!(Caller => authorise, may_read, may_read_all, me);
    keep!(Permissions => contains, from_name, intersects, is_empty, union);
    keep!(Context<'static> => new, with_environment, with_known_users, with_trace, write_user);
    keep!(ChangeEvent<'static> => new, write);
    keep!(RawRequest<'static, 'static> => is_head, new, with_body);
    keep!(Resource<'static> => for_owner, max_len, new, read, with_select, write);
    keep!(fn => setters);
    keep!(Line<'static> => has_response, parse, write_error, write_response);
    keep!(fn => serve, serve_line);
    keep!(Buffer<'static> => clear, new, written);
    keep!(Buffer<'static> as Writer => remaining, discard_last, write);
    keep!(Users as Store => policy, read, read_batch, execute, execute_under, has_room, read_details, execute_details, pin, pin_restored, unpin, record_external_change);
    keep!(InlineDirectory<UserId, SessionId, 4, 16> as Store => policy, read, read_batch, execute, execute_under, has_room);
    keep!(Device => new, insert, advance_details, advance_details_of, update_details);
    values!(Device);
    keep!(Device as Store => policy, read, read_batch, execute, execute_under, has_room, read_details, execute_details, pin, pin_restored, unpin, record_external_change);
    keep!(OneUser as DetailsMap<280> => get, get_or_insert, next_deadline, record_change, remove);
    keep!(&mut OneUser as DetailsMap<280> => get, get_or_insert, next_deadline, record_change, remove);
    keep!(OtherPolicy as Store => policy, read, read_batch, execute, execute_under, has_room, read_details, execute_details, pin, pin_restored, unpin, record_external_change);
    keep!(&mut Device as Store => policy, read, read_batch, execute, execute_under, has_room, read_details, execute_details, pin, pin_restored, unpin, record_external_change);
    keep!(SingleUserStore<4> => new);
    keep!(SingleUserStore<4> as Store => policy, read, execute, execute_under, has_room, pin, pin_restored, unpin, record_external_change);
    keep!(Unknowing as Environment => display_name, end_of_day, epoch, principal_name, user, zone);
    keep!(DateTime => from_unix_millis, to_unix_millis);
    keep!(DetailsAction<'static> => command, is_about_location);
    keep!(TextBuffer => new);
    keep!(graph::Field => member, name);
    keep!(Error => code, message, retry_after, status, write);
    keep!(Error as From<CommandError> => from);
    keep!(Error as From<DetailsError> => from);
    keep!(Error as From<JsonError> => from);
    values!(Batch<'static>, Caller, DateTime, DetailsAction<'static>);
    values!(
        Element<'static>,
        graph::Field,
        presence_core::BufferFull,
        Ids<'static>,
        JsonError,
        Line<'static>,
        SingleUserStore<4>,
        Operation,
    );
    values!(Permissions, Error, Request<'static>, Select, Target<'static>, UserRef<'static>, Value<'static>);
    clones!(
        Dependencies<'static>,
        ChangeEvent<'static>,
        Context<'static>,
        RawRequest<'static, 'static>,
        Resource<'static>
    );
    clones!(TextBuffer, Trace<'static>);
    super::orders!(DateTime);
    super::hashes!(DateTime, Select);
    defaults!(Dependencies<'static>, Permissions, TextBuffer, Trace<'static>);
}
