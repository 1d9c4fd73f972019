//! Notes which of its rights a caller needed, wherever one is asked for: the requests to Keystile
//! itself are checked before anybody knows what they take.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use keystile_domain::{
    CeilingBreach, Credential, Exercise, PermissionSet, Power, Rights, Role, RoleId, Timestamp,
};
use uuid::Uuid;

use super::{Recorder, is_noted};

/// Where to note what a caller needed.
#[derive(Clone, Default)]
pub(crate) struct Notes(Option<Noting>);

#[derive(Clone)]
struct Noting {
    recorder: Arc<Recorder>,
    credential: Uuid,
    at: Timestamp,
}

/// The rights of whoever makes a change. Each that the ceiling asks for is noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotedRights {
    rights: Arc<Rights>,
    notes: Notes,
}

impl Notes {
    pub(crate) fn new(recorder: &Arc<Recorder>, credential: &Credential, at: Timestamp) -> Self {
        let noting = || Noting { recorder: Arc::clone(recorder), credential: credential.id, at };
        Self(is_noted(credential).then(noting))
    }

    /// Notes that the caller needed a power, which it has.
    pub(crate) fn power(&self, power: Power) {
        self.note(Exercise::Permission(power.as_str()));
    }

    /// Notes that from now on nobody can tell what the credential is needed for.
    pub(crate) fn untold(&self) {
        self.note(Exercise::Untold);
    }

    fn note(&self, exercise: Exercise<'_>) {
        if let Some(Noting { recorder, credential, at }) = &self.0 {
            recorder.note(*credential, exercise, *at);
        }
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes(..)")
    }
}

impl NotedRights {
    pub(crate) fn new(rights: Arc<Rights>, notes: Notes) -> Self {
        Self { rights, notes }
    }

    /// The rights of Keystile itself.
    pub(crate) fn unnoted(rights: Rights) -> Self {
        Self { rights: Arc::new(rights), notes: Notes::default() }
    }

    /// As [`Rights::reach`].
    pub(crate) fn reach(&self, permissions: &PermissionSet) -> Result<(), CeilingBreach> {
        self.rights.reach(permissions)?;
        for power in permissions.keystile_power() {
            self.notes.note(Exercise::Permission(power.as_str()));
        }
        Ok(())
    }

    /// As [`Rights::reach_role`].
    pub(crate) fn reach_role(&self, role: &Role) -> Result<(), CeilingBreach> {
        self.rights.reach_role(role)?;
        self.reach(&role.permissions)?;
        self.note_grants([role.id].iter().chain(&role.may_grant));
        Ok(())
    }

    /// As [`Rights::reach_grant`].
    pub(crate) fn reach_grant(&self, id: RoleId) -> Result<(), CeilingBreach> {
        self.rights.reach_grant(id)?;
        self.note_grants([&id]);
        Ok(())
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    fn note_grants<'r>(&self, ids: impl IntoIterator<Item = &'r RoleId>) {
        let by_power = |id: &RoleId| !self.rights.may_grant.contains(id);
        if self.rights.hold(Power::RolesAssign) && ids.into_iter().any(by_power) {
            self.notes.power(Power::RolesAssign);
        }
    }
}

impl Deref for NotedRights {
    type Target = Rights;

    fn deref(&self) -> &Rights {
        &self.rights
    }
}
