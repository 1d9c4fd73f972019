//! Which calls may be sent again: that they fail is known, whether they were heard is not.

use reqwest::Method;

use crate::Error;

/// When a call that failed is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever it may go better: done twice it is the same as done once.
    Always,
    /// Never: its refusals are answers.
    Never,
    /// Only if the server certainly has not done it.
    Unheard,
}

impl Repeat {
    /// Of a method (RFC 9110, section 9.2.2). `PUT` is idempotent too, but what is put here is a
    /// password, and the old one has to be shown with it.
    pub(crate) fn of(method: &Method) -> Self {
        if *method == Method::GET || *method == Method::DELETE {
            Self::Always
        } else {
            Self::Unheard
        }
    }

    pub(crate) fn covers(self, error: &Error) -> bool {
        error.may_pass()
            && match self {
                Self::Always => true,
                Self::Never => false,
                Self::Unheard => !error.may_be_done(),
            }
    }
}
