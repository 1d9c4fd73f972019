//! Who asks: a credential that was judged, and where the request came from.

use std::net::IpAddr;
use std::sync::Arc;

use keystile_auth::{Place, Presented, Rejection};
use keystile_domain::{
    Actor, Context, Credential, CredentialText, Decision, Endpoint, Found, Grant, Power, RequestId,
    Rights, Secret, Source, Timestamp, Transport, decide,
};
use keystile_storage::{Conn, StoreError};
use uuid::Uuid;

use crate::keys::Keys;
use crate::limits::{Exceeded, Standing};
use crate::metrics::Way;
use crate::token_proof::{Basis, ProvenToken};
use crate::usage::{Notes, Seen, UserAgent};
use crate::verify::{VALID, refusal, rejection};
use crate::{Keystile, ServiceError, Unidentified};

/// How a request reached us.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where it came from, past the proxies that are trusted.
    pub address: IpAddr,
    /// Whether somebody on the way could read it.
    pub transport: Transport,
    /// Its name.
    pub request_id: RequestId,
    /// What the client calls itself.
    pub user_agent: Option<UserAgent>,
}

/// Somebody who showed a valid credential.
#[derive(Clone, Debug)]
pub struct Caller {
    grant: Grant,
    text: Arc<CredentialText>,
    /// Where it stood; `None`: it authenticated a client of the OAuth endpoints.
    place: Option<Place>,
    /// What was proved of it, if it is a JWT or a ticket.
    token: Option<ProvenToken>,
    /// How its limits stand after this request.
    limits: Vec<Standing>,
    origin: Origin,
    /// Where to note which of their rights they needed.
    notes: Notes,
}

impl Caller {
    /// The credential that they showed.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        self.grant.credential()
    }

    /// How the limits of their credential stand after this request, which is counted.
    #[must_use]
    pub fn limits(&self) -> &[Standing] {
        &self.limits
    }

    /// Refuses whoever does not hold a power over Keystile; of whoever does, it is noted that they
    /// needed it.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Lacking`] names it.
    pub fn require(&self, power: Power) -> Result<(), ServiceError> {
        require(&self.credential().rights, power)?;
        self.notes.power(power);
        Ok(())
    }

    /// Whether they hold a power over Keystile, for whoever does not need it yet.
    #[must_use]
    pub fn holds(&self, power: Power) -> bool {
        self.credential().rights.hold(power)
    }

    /// Refuses whoever came with a ticket to change anything: the ticket fixes no body, so the change
    /// would be what whoever sees the URL makes of it.
    pub(crate) fn may_change(&self) -> Result<(), ServiceError> {
        match self.place {
            Some(Place::Ticket(_)) => Err(ServiceError::TicketOnlyReads),
            _ => Ok(()),
        }
    }

    pub(crate) fn text(&self) -> &CredentialText {
        &self.text
    }

    /// What proves later that they were here, in place of the credential itself; nothing if they
    /// came with a ticket, which is used up.
    pub(crate) async fn proof(
        &self,
        conn: &mut Conn,
        keys: &Keys,
    ) -> Result<Option<ProvenToken>, StoreError> {
        Ok(match (&self.place, &self.token, self.text()) {
            (Some(Place::Ticket(_)), ..) | (_, None, CredentialText::Jwt(_)) => None,
            (_, Some(token), _) => Some(token.clone()),
            (_, None, CredentialText::Secret(secret)) => {
                let credential = self.credential();
                let tag = keys.stored_digest(conn, &secret.fingerprint()).await?.tag();
                Some(ProvenToken::Secret(Basis::Secret(credential.kind, credential.id, tag)))
            }
        })
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    pub(crate) fn actor(&self) -> Actor {
        let credential = self.credential();
        Actor::Principal { principal: credential.principal.clone(), credential: credential.id }
    }

    /// Judges the credential once more, by what the database says now: between the beginning of a
    /// request and its change, the credential may have been ended or lost a role.
    pub(crate) async fn renewed(
        &self,
        conn: &mut Conn,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Arc<Credential>, ServiceError> {
        let credential = self.find_again(conn, keys).await?;
        let credential = credential.ok_or(ServiceError::Unauthenticated)?;
        match decide(&credential, &context(self.place.as_ref(), &self.origin), now) {
            Decision::Allow(_) => Ok(credential),
            Decision::Deny(_) => Err(ServiceError::Unauthenticated),
        }
    }

    async fn find_again(
        &self,
        conn: &mut Conn,
        keys: &Keys,
    ) -> Result<Option<Arc<Credential>>, StoreError> {
        match (&self.token, self.text()) {
            (Some(token), _) => token.resolve(conn).await,
            (None, CredentialText::Secret(secret)) => {
                let found = keys.find(conn, &secret.fingerprint()).await?;
                Ok(match found {
                    Some(Found::Credential(credential)) => Some(credential),
                    _ => None,
                })
            }
            // Nobody is known by a JWT of which nothing was proved.
            (None, CredentialText::Jwt(_)) => Ok(None),
        }
    }
}

/// What is asked about the credential of a request.
pub(crate) fn context<'a>(place: Option<&'a Place>, origin: &Origin) -> Context<'a> {
    Context {
        source: place.map(|place| Source { carrier: place.carrier(), name: Some(place.name()) }),
        transport: Some(origin.transport),
        address: Some(origin.address),
        ..Context::default()
    }
}

pub(crate) fn require(rights: &Rights, power: Power) -> Result<(), ServiceError> {
    if rights.hold(power) { Ok(()) } else { Err(ServiceError::Lacking(power.permission())) }
}

/// Why a request has no caller.
#[derive(Debug)]
pub enum Refused {
    /// A rule said no.
    Denied(keystile_domain::Denial),
    /// A limit said no.
    Exceeded(Exceeded),
    /// There is nothing to judge.
    Rejected(Unidentified),
}

impl Refused {
    /// The word for it, as `/verify` has it.
    fn code(&self) -> &'static str {
        match self {
            Self::Denied(denial) => refusal(denial.rule()),
            Self::Exceeded(exceeded) => exceeded.limit.code(),
            Self::Rejected(error) => rejection(error),
        }
    }
}

impl Keystile {
    /// Judges the credential of a request for `asked`, which a ticket must be for, and which nobody
    /// else is asked about; an endpoint that cannot be read is `None`.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why there is no caller; clients are told no more than that there is none.
    pub async fn authenticate(
        &self,
        presented: Presented,
        asked: impl FnOnce() -> Option<Endpoint>,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let asked = matches!(presented.place, Place::Ticket(_)).then(asked).flatten();
        let deciding = self.verifier.begin();
        let identified = self.identify_presented(&deciding, &presented, asked.as_ref()).await;
        self.admit_identified(identified, presented.text, Some(presented.place), origin).await
    }

    /// Judges a client that shows its id and its secret (RFC 6749, section 2.3.1): the id of a key
    /// or token, and the key or token itself.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why there is no caller.
    pub async fn authenticate_client(
        &self,
        id: Uuid,
        secret: Secret,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let caller = self.admit(CredentialText::Secret(secret), origin).await?;
        if caller.credential().id == id {
            Ok(caller)
        } else {
            Err(Refused::Rejected(Rejection::NotFound))
        }
    }

    /// Judges a credential that stands at no place of its own, by every rule but that one.
    pub(crate) async fn admit(
        &self,
        text: CredentialText,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let deciding = self.verifier.begin();
        let identified = self.identify(&deciding, &text).await;
        self.admit_identified(identified, text, None, origin).await
    }

    async fn admit_identified(
        &self,
        identified: Result<(Arc<Credential>, Option<ProvenToken>), Unidentified>,
        text: CredentialText,
        place: Option<Place>,
        origin: Origin,
    ) -> Result<Caller, Refused> {
        let admitted = match identified {
            Ok((credential, token)) => {
                let context = context(place.as_ref(), &origin);
                let seen = Seen::ByKeystile(origin.user_agent.as_ref());
                let let_in = self.let_in(&credential, &context, seen).await;
                let_in.map(|(grant, limits)| (grant, token, limits))
            }
            Err(rejection) => Err(Refused::Rejected(rejection)),
        };
        let (grant, token, limits) = self.counted(Way::Request, admitted)?;
        let notes = Notes::new(&self.usage, grant.credential(), self.clock.now());
        Ok(Caller { grant, text: Arc::new(text), place, token, limits, origin, notes })
    }

    /// Judges the credential of a caller once more, as it would be judged if it were shown now.
    pub(crate) async fn judge_again(&self, caller: &Caller) -> Result<Arc<Credential>, Refused> {
        let deciding = self.verifier.begin();
        let identified = match (&caller.place, &caller.token) {
            (Some(Place::Ticket(_)), Some(token)) => self.resolve(token).await,
            _ => self.identify(&deciding, caller.text()).await.map(|(credential, _)| credential),
        };
        let credential = identified.map_err(Refused::Rejected)?;
        let context = context(caller.place.as_ref(), &caller.origin);
        match decide(&credential, &context, self.clock.now()) {
            Decision::Allow(_) => Ok(credential),
            Decision::Deny(denial) => Err(Refused::Denied(denial)),
        }
    }

    /// Counts how a check ended, for the metrics.
    pub(crate) fn counted<T>(&self, way: Way, checked: Result<T, Refused>) -> Result<T, Refused> {
        self.checks.count(way, checked.as_ref().map_or_else(Refused::code, |_| VALID));
        checked
    }
}
