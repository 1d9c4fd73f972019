//! Judging a request that a gateway has stopped: may its credential do that?

use std::sync::Arc;

use keystile_auth::Presented;
use keystile_domain::{Context, Credential, Endpoint, EndpointError, Permission, PermissionQuery};

use crate::caller::context;
use crate::limits::Standing;
use crate::metrics::Way;
use crate::usage::Seen;
use crate::{Keystile, Origin, Refused};

/// A request that a gateway has stopped, and what it takes to let it through.
#[derive(Clone, Debug)]
pub struct Passage {
    /// What the request is for. One that cannot be read opens for nobody by the rules of a role.
    pub endpoint: Result<Endpoint, EndpointError>,
    /// The permission that it takes; `None`: a rule that opens the endpoint.
    pub permission: Option<Permission>,
}

/// A credential whose request may pass.
#[derive(Clone, Debug)]
pub struct Passed {
    /// The credential.
    pub credential: Arc<Credential>,
    /// How its limits stand after this request, which is counted.
    pub limits: Vec<Standing>,
}

impl Keystile {
    /// Judges the credential of a request that somebody else is to answer.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why the request may not pass.
    pub async fn let_pass(
        &self,
        passage: &Passage,
        presented: Presented,
        origin: &Origin,
    ) -> Result<Passed, Refused> {
        let passed = self.judge_passage(passage, presented, origin).await;
        self.counted(Way::ForwardAuth, passed)
    }

    async fn judge_passage(
        &self,
        passage: &Passage,
        presented: Presented,
        origin: &Origin,
    ) -> Result<Passed, Refused> {
        let endpoint = passage.endpoint.as_ref().ok();
        let deciding = self.verifier.begin();
        let identified = self.identify_presented(&deciding, &presented, endpoint).await;
        let (credential, _) = identified.map_err(Refused::Rejected)?;
        let permission = passage.permission.clone().map(|it| PermissionQuery::all(vec![it]));
        let context = Context {
            permission: permission.as_ref(),
            endpoint: permission.is_none().then_some(endpoint),
            ..context(Some(&presented.place), origin)
        };
        let seen = Seen::Elsewhere(origin.user_agent.as_ref());
        let (_, limits) = self.let_in(&credential, &context, seen).await?;
        Ok(Passed { credential, limits })
    }
}
