//! The other side of the wire.

use super::{defaults, keep, values};
use core::hint::black_box;
use presence_core::client::{
    AnswerError, BatchAnswer, BatchedAnswer, BatchedCall, Call, CallBatch, DeviceAnswer, ErrorAnswer, Feed, FeedEvent,
    Follower, Form, Link, OAuthError, PresenceObject, Presences, Principal, ReceivedLocation, ReceivedMessage,
    RedirectError, Reply, SignIn, SignInEnd, SignInStep, Step, TokenAnswer, Update,
};
use presence_core::graph::json::{JsonError, Value};
use presence_core::{Instant, SingleUser, Transition, UserId};

#[inline(never)]
fn events(feed: &mut Feed<64, 32>, follower: &mut Follower<u8>, mut input: &[u8]) {
    while let Some(event) = Feed::next(feed, &mut input) {
        let update = Follower::heard(follower, Instant::ZERO, &event);
        black_box(&update);
    }
}

#[inline(never)]
fn shown(follower: &Follower<u8>, update: &Update<u8>, user: &mut SingleUser<u8, 4>) -> bool {
    let on_change = |transition: &Transition<u8>| {
        black_box(transition.after());
    };
    Follower::show(follower, Instant::ZERO, update, user, on_change).is_ok()
}

#[inline(never)]
fn lists(call: &Call<'static>, batch: &CallBatch<'static>, presences: Presences<'_>, answer: BatchAnswer<'_>) {
    Call::headers(call, None, None).for_each(|header| {
        black_box(header);
    });
    black_box(Call::target(call));
    CallBatch::headers(batch, None, None).for_each(|header| {
        black_box(header);
    });
    Presences::iter(presences).for_each(|object| {
        black_box(&object);
    });
    Presences::iter_selected(presences).for_each(|object| {
        black_box(&object);
    });
    BatchAnswer::iter(answer).for_each(|answer| {
        black_box(&answer);
    });
}

#[inline(always)]
pub fn keep() {
    keep!(Follower<u8> => answered, failed, interval, is_out_of_office, lease, link, new, next, sign_in_needed, signed_in);
    keep!(Follower<u8> => with_feed, with_interval);
    keep!(Value<'static> => text_start);
    keep!(Reply => read);
    keep!(Feed<64, 32> => last_event_id, new, reopen, start_over);
    keep!(SignIn => authorized, begin, begin_with_authorization_code, code, end, failed, granted, is_signed_in, new, next);
    keep!(SignIn => read_redirect, rejected, unauthorized, with_refresh_token);
    keep!(Call<'static> => as_head, clear_automatic_location, clear_location, execute, has_body, method, presence, presences);
    keep!(Call<'static> => presences_by_user_id, set_automatic_location, set_manual_location, set_status_message, user);
    keep!(Call<'static> => with_select, write_body, write_target);
    keep!(CallBatch<'static> => new, write_body);
    keep!(Form<'static> => write);
    keep!(Principal<'static> => id, name);
    keep!(Principal<'static> as From<UserId> => from);
    keep!(PresenceObject<'static> => parse, parse_selected, read);
    keep!(Presences<'static> => parse);
    keep!(BatchAnswer<'static> => parse);
    keep!(BatchedAnswer<'static> => error);
    keep!(ErrorAnswer<'static> => parse_retry_after, read);
    keep!(TokenAnswer<'static> => authorization, read);
    keep!(DeviceAnswer<'static> => read);
    keep!(Link => appearance);
    keep!(OAuthError => code, from_code);
    keep!(OAuthError as From<AnswerError> => from);
    keep!(AnswerError as From<JsonError> => from);
    keep!(fn => events, shown, lists);
    values!(Follower<u8>, Feed<64, 32>, FeedEvent<'static>, Link, RedirectError, Reply, SignIn, SignInEnd, SignInStep);
    values!(Step, Update<u8>, AnswerError, BatchAnswer<'static>, BatchedAnswer<'static>, BatchedCall<'static>);
    values!(Call<'static>, CallBatch<'static>, DeviceAnswer<'static>, ErrorAnswer<'static>, Form<'static>, OAuthError);
    values!(PresenceObject<'static>, Presences<'static>, Principal<'static>, ReceivedLocation<'static>);
    values!(ReceivedMessage<'static>, TokenAnswer<'static>);
    defaults!(Feed<64, 32>, SignIn);
}
