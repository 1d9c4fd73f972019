//! Who still shows the old secret of a rotated key: counted in memory, and written in batches.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::columns::{id_text, parameter, parse};
use crate::conn::{KEYS_AT_ONCE, on_conn};
use crate::schema::old_secret_uses;
use crate::upsert::Upsert;
use crate::{Books, Conn, SecretOwner, StoreError, Tx};

/// How often one client showed the old secret of a credential, let in or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldSecretUse {
    /// The credential.
    pub credential: Uuid,
    /// Where the client is.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// How often.
    pub checks: i64,
    /// When last.
    pub last_at: Timestamp,
}

/// A client, in the two columns that tell it from others.
type Client = (String, String);

impl Conn {
    /// Lists the clients that showed the old secret of a credential since a moment, at most `most`
    /// of them, the latest first. What is written late of an older secret is of before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_old_secret_uses(
        &mut self,
        owner: impl Into<SecretOwner>,
        since: Timestamp,
        most: u8,
    ) -> Result<Vec<OldSecretUse>, StoreError> {
        let owner = owner.into();
        let query = old_secret_uses::table
            .filter(old_secret_uses::credential_id.eq(id_text(owner.id)))
            .filter(old_secret_uses::last_at.ge(since.as_millis()))
            .order((
                old_secret_uses::last_at.desc(),
                old_secret_uses::address,
                old_secret_uses::user_agent,
            ))
            .limit(most.into());
        let rows =
            on_conn!(self, |link| query.select(OldSecretUseRow::as_select()).load(link).await?);
        rows.into_iter().map(OldSecretUseRow::read).collect()
    }

    /// The clients that are known of some credentials.
    async fn old_secret_clients(
        &mut self,
        credentials: &BTreeSet<Uuid>,
    ) -> Result<BTreeMap<String, BTreeSet<Client>>, StoreError> {
        let ids: Vec<String> = credentials.iter().copied().map(id_text).collect();
        let mut all: BTreeMap<String, BTreeSet<Client>> = BTreeMap::new();
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let query =
                old_secret_uses::table.filter(old_secret_uses::credential_id.eq_any(ids)).select((
                    old_secret_uses::credential_id,
                    old_secret_uses::address,
                    old_secret_uses::user_agent,
                ));
            let rows: Vec<(String, String, String)> =
                on_conn!(self, |link| query.load(link).await?);
            for (credential, address, user_agent) in rows {
                all.entry(credential).or_default().insert((address, user_agent));
            }
        }
        Ok(all)
    }
}

impl Books {
    /// Adds to what each client showed before. Of one credential a thousand clients are told apart;
    /// the others are counted together, as one of which nothing is known.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn add_old_secret_uses(&mut self, uses: &[OldSecretUse]) -> Result<(), StoreError> {
        let credentials = uses.iter().map(|used| used.credential).collect();
        let known = self.old_secret_clients(&credentials).await?;
        self.upsert(&rows(uses, known)).await
    }

    /// Forgets the clients that did not show an old secret since a moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_old_secret_uses_before(
        &mut self,
        moment: Timestamp,
    ) -> Result<(), StoreError> {
        let old = diesel::delete(old_secret_uses::table)
            .filter(old_secret_uses::last_at.lt(moment.as_millis()));
        on_conn!(self, |link| old.execute(link).await?);
        Ok(())
    }
}

impl Tx {
    /// Forgets who showed the secret that was the old one until now.
    pub(crate) async fn remove_old_secret_uses(
        &mut self,
        owner: SecretOwner,
    ) -> Result<(), StoreError> {
        let forget = diesel::delete(old_secret_uses::table)
            .filter(old_secret_uses::credential_id.eq(id_text(owner.id)));
        on_conn!(self, |link| forget.execute(link).await?);
        Ok(())
    }
}

/// One row for each client, in order.
fn rows(
    uses: &[OldSecretUse],
    mut known: BTreeMap<String, BTreeSet<Client>>,
) -> Vec<NewOldSecretUse> {
    let mut sums: BTreeMap<(String, Client), (i64, Timestamp)> = BTreeMap::new();
    for used in uses {
        let credential = id_text(used.credential);
        let known = known.entry(credential.clone()).or_default();
        let has_room = known.len() < MOST;
        let client = used.client();
        let client = if known.contains(&client) || has_room { client } else { Client::default() };
        known.insert(client.clone());
        let (checks, last) = sums.entry((credential, client)).or_insert((0, used.last_at));
        *checks = checks.saturating_add(used.checks);
        *last = (*last).max(used.last_at);
    }
    let rows = sums.into_iter().map(|((credential_id, client), (checks, last))| {
        let (address, user_agent) = client;
        NewOldSecretUse(credential_id, address, user_agent, checks, last.as_millis())
    });
    rows.collect()
}

impl OldSecretUse {
    fn client(&self) -> Client {
        let address = self.address.map(|address| address.to_string());
        let user_agent = self.user_agent.as_deref().map(parameter);
        (address.unwrap_or_default(), user_agent.unwrap_or_default())
    }
}

/// `credential_id`, `address`, `user_agent`, `checks`, `last_at`.
#[derive(Serialize)]
struct NewOldSecretUse(String, String, String, i64, i64);

impl Upsert for NewOldSecretUse {
    const INSERT: &'static str = "INSERT INTO old_secret_uses
            (credential_id, address, user_agent, checks, last_at)
        SELECT value ->> 0, value ->> 1, value ->> 2,
            CAST(value ->> 3 AS BIGINT), CAST(value ->> 4 AS BIGINT)";
    const CONFLICT: &'static str = "(credential_id, address, user_agent) DO UPDATE SET
        checks = old_secret_uses.checks + excluded.checks,
        last_at = CASE WHEN excluded.last_at > old_secret_uses.last_at
            THEN excluded.last_at ELSE old_secret_uses.last_at END";
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = old_secret_uses)]
#[diesel(check_for_backend(diesel::pg::Pg, diesel::sqlite::Sqlite))]
struct OldSecretUseRow {
    credential_id: String,
    address: String,
    user_agent: String,
    checks: i64,
    last_at: i64,
}

impl OldSecretUseRow {
    fn read(self) -> Result<OldSecretUse, StoreError> {
        let told = |text: String| (!text.is_empty()).then_some(text);
        let address = told(self.address);
        let address = address.map(|text| parse(&text, "old_secret_uses.address"));
        Ok(OldSecretUse {
            credential: parse(&self.credential_id, "old_secret_uses.credential_id")?,
            address: address.transpose()?,
            user_agent: told(self.user_agent),
            checks: self.checks,
            last_at: Timestamp::from_millis(self.last_at),
        })
    }
}

/// How many clients of one credential are told apart.
const MOST: usize = 1_000;
