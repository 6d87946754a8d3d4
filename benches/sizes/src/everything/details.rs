//! Details: status message, out of office, work location.

use super::{clones, defaults, hashes, keep, orders, values};
use presence_core::details::{
    Details, DetailsAt, DetailsCause, DetailsChange, DetailsCommand, DetailsError, DetailsTransition, DetailsView,
    LocationLayer, LocationLayers, OutOfOffice, StatusMessage, WorkLocation, WorkLocationType, WorkPlace,
    decide_details, next_due_details,
};

#[inline(always)]
pub fn keep() {
    keep!(Details<64> => apply, at, is_empty, new, next_deadline, out_of_office, place, rebase, revision, view);
    keep!(Details<64> => view_at, with_version, status_message, version, work_location);
    keep!(DetailsAt<'static, 64> => details, now);
    keep!(DetailsTransition<'static> => at, cause, change, is_visible, revision);
    keep!(DetailsCause => name);
    keep!(LocationLayer => name);
    keep!(LocationLayers => contains, only);
    keep!(WorkLocationType => from_name, name);
    keep!(fn => next_due_details::<64>, decide_details::<64>);
    values!(Details<64>, DetailsCause, DetailsChange<'static>, DetailsCommand<'static>, DetailsError);
    values!(DetailsTransition<'static>, LocationLayer, LocationLayers, OutOfOffice<'static>, DetailsView<'static>);
    values!(StatusMessage<'static>, WorkLocation<'static>, WorkLocationType, WorkPlace<'static>);
    clones!(DetailsAt<'static, 64>);
    orders!(LocationLayer);
    hashes!(DetailsCause, LocationLayer, LocationLayers, WorkLocationType);
    defaults!(Details<64>, LocationLayers, OutOfOffice<'static>, DetailsView<'static>);
}
