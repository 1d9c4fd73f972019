//! Limits at the face: how they are read and shown, the headers that tell of them, and whom they
//! keep waiting.

mod failures;
mod headers;
mod members;

pub(crate) use failures::Attempt;
pub(crate) use headers::{seconds, tell};
pub(crate) use members::{
    new_quota, quota, rate_limit_views, rate_limits, replaced_rate_limits, states,
};
