//! The wire.

use super::{clones, defaults, keep, values};
use crate::wire::Desk;
use core::hint::black_box;
use presence_core::details::DetailsError;
use presence_core::directory::InlineDirectory;
use presence_core::graph::json::{DuplicateMemberError, JsonError, Value};
use presence_core::graph::{
    self, Batch, Body, Buffer, Caller, Context, DateTime, Dependencies, DetailsAction, DetailsField, DetailsOperation,
    Element, Environment, Error, Ids, Line, Operation, Permissions, RawRequest, Request, Resource, Select,
    SingleUserStore, Store, Target, TextBuffer, Trace, UserRef, Writer, max_presence, serve, serve_line, write_answer,
    write_change, write_error, write_presence, write_resource,
};
use presence_core::{CommandError, SessionId, UserId};

/// An environment that knows nothing.
struct Unknowing;

impl Environment for Unknowing {}

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

#[inline(always)]
pub fn keep() {
    keep!(Value<'static> => as_str, is_array, is_null, is_object, is_same_text, is_string, is_text, member, parse);
    keep!(Batch<'static> => parse);
    keep!(Element<'static> => id, parse, request, request_in, value);
    keep!(Dependencies<'static> => check, is_empty, new, note);
    keep!(Ids<'static> => parse, select);
    keep!(fn => lists);
    keep!(Request<'static> => parse, parse_in);
    keep!(Target<'static> => method, parse);
    keep!(Select => contains, parse);
    keep!(Caller => authorise, me);
    keep!(Context<'static> => new);
    keep!(Line<'static> => parse, refuse);
    keep!(fn => serve, serve_line, write_answer, write_change, write_error, write_presence, write_resource, max_presence);
    keep!(Buffer<'static> => clear, new, written);
    keep!(Buffer<'static> as Writer => remaining, discard_last, write);
    keep!(Users as Store => policy, read, read_batch, execute, read_details, execute_details);
    keep!(InlineDirectory<UserId, SessionId, 4, 16> as Store => policy, read, read_batch, execute);
    keep!(Desk as Store => read_batch, read_details, execute_details);
    keep!(SingleUserStore<4> => new);
    keep!(SingleUserStore<4> as Store => policy, read, execute);
    keep!(Unknowing as Environment => end_of_day, epoch, user, zone);
    keep!(DateTime => from_unix_millis, to_unix_millis);
    keep!(DetailsAction<'static> => command, is_about_location);
    keep!(TextBuffer => new);
    keep!(DetailsField => member, name);
    keep!(graph::Field => member, name);
    keep!(Error => code, message, retry_after, status);
    keep!(Error as From<CommandError> => from);
    keep!(Error as From<DetailsError> => from);
    keep!(Error as From<JsonError> => from);
    values!(
        Batch<'static>,
        Caller,
        DateTime,
        DetailsAction<'static>,
        DetailsField,
        DetailsOperation,
        DuplicateMemberError
    );
    values!(
        Element<'static>,
        graph::Field,
        presence_core::BufferFull,
        Ids<'static>,
        JsonError,
        Line<'static>,
        SingleUserStore<4>,
        Operation,
        UserRef<'static>
    );
    values!(Permissions, Error, Request<'static>, Select, Target<'static>, Value<'static>);
    clones!(Dependencies<'static>, Body<'static>, Context<'static>, RawRequest<'static, 'static>, Resource<'static>);
    clones!(TextBuffer, Trace<'static>);
    super::orders!(DateTime);
    super::hashes!(DateTime);
    defaults!(Dependencies<'static>, Permissions, TextBuffer, Trace<'static>);
}
