//! A light's serial line.

use super::{defaults, keep, values};
use core::hint::black_box;
use presence_core::graph::{Buffer, Context, SingleUserStore};
use presence_core::lines::{Input, LineBuffer, Mirror, ShortForm};
use presence_core::{BufferFull, Duration, IsoDuration, Policy};

#[inline(never)]
fn served(input: Input<'_>, context: &Context<'_>, light: &mut SingleUserStore<7>, out: &mut Buffer<'_>) -> bool {
    let served: Result<(), BufferFull> = Input::serve(input, context, light, out, &mut |_, transition| {
        black_box(transition.after());
    });
    served.is_ok()
}

#[inline(never)]
fn forms(form: ShortForm, lease: Duration, policy: &Policy) {
    black_box(ShortForm::new(form.presence, lease));
    black_box(ShortForm::command(form, 7_u8, policy).is_ok());
}

#[inline(always)]
pub fn keep() {
    keep!(LineBuffer<64> => clear, input, line, lose, new, push);
    keep!(Input<'static> => has_response, parse, write_error);
    keep!(Mirror => ends_at);
    keep!(ShortForm as core::str::FromStr => from_str);
    keep!(IsoDuration as From<Duration> => from);
    keep!(fn => forms, served);
    values!(LineBuffer<64>, Input<'static>, Mirror, ShortForm);
    defaults!(LineBuffer<64>);
}
