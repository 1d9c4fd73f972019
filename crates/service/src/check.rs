//! Judging a credential that was shown: the one place where the rules, the limits and the record of
//! usage come together.

use std::sync::Arc;

use keystile_domain::{Context, Cost, Credential, Decision, Denial, Grant, Timestamp, decide};
use keystile_storage::StoreError;

use crate::identify::outage;
use crate::limits::{Exceeded, Standing};
use crate::usage::Seen;
use crate::verify::refusal;
use crate::{Keystile, Refused};

/// What came of judging a credential and of counting the check.
pub(crate) enum Checked {
    /// Every rule passed, and every limit gave what the check costs.
    Allow(Grant, Vec<Standing>),
    /// A rule said no.
    Deny(Denial),
    /// A limit said no.
    Exceed(Exceeded),
}

impl Keystile {
    /// Judges a credential that was shown, and counts the check: as its use, and against its limits.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if nobody can say how much of its quota is left.
    pub(crate) async fn check(
        &self,
        credential: &Arc<Credential>,
        context: &Context<'_>,
        cost: Cost,
        now: Timestamp,
        seen: Seen<'_>,
    ) -> Result<Checked, StoreError> {
        let checked = match decide(credential, context, now) {
            Decision::Deny(denial) => Checked::Deny(denial),
            Decision::Allow(grant) => match self.count(credential, cost, now).await? {
                Ok(standings) => Checked::Allow(grant, standings),
                Err(exceeded) => Checked::Exceed(exceeded),
            },
        };
        let refusal = match &checked {
            Checked::Allow(..) => None,
            Checked::Deny(denial) => Some(refusal(denial.rule())),
            Checked::Exceed(exceeded) => Some(exceeded.limit.code()),
        };
        self.record(credential, context, now, refusal, seen);
        Ok(checked)
    }

    /// Checks the credential of one request; what it is granted, and how its limits stand after it.
    pub(crate) async fn let_in(
        &self,
        credential: &Arc<Credential>,
        context: &Context<'_>,
        seen: Seen<'_>,
    ) -> Result<(Grant, Vec<Standing>), Refused> {
        match self.check(credential, context, Cost::ONE, self.clock.now(), seen).await {
            Ok(Checked::Allow(grant, standings)) => Ok((grant, standings)),
            Ok(Checked::Deny(denial)) => Err(Refused::Denied(denial)),
            Ok(Checked::Exceed(exceeded)) => Err(Refused::Exceeded(exceeded)),
            Err(error) => Err(Refused::Rejected(outage(error))),
        }
    }

    /// Judges a credential that was shown, and counts the check as its use alone: for whoever is
    /// told what it is worth, and not let in by it.
    pub(crate) fn judge(
        &self,
        credential: &Arc<Credential>,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Decision {
        let decision = decide(credential, context, now);
        let refusal = match &decision {
            Decision::Allow(_) => None,
            Decision::Deny(denial) => Some(refusal(denial.rule())),
        };
        self.record(credential, context, now, refusal, Seen::Elsewhere(None));
        decision
    }
}
