//! What credentials needed of what they hold: noted in memory when a check let them in, and written
//! in batches.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::{Exercise, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::columns::{id_text, parse};
use crate::conn::{KEYS_AT_ONCE, on_conn};
use crate::schema::exercises;
use crate::upsert::Upsert;
use crate::{Books, Conn, StoreError};

/// That a credential needed something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exercised {
    /// The credential.
    pub credential: Uuid,
    /// The text of an [`Exercise`].
    pub exercise: String,
    /// When, or some time later of the same day.
    pub at: Timestamp,
}

impl Conn {
    /// Lists what some credentials needed, by credential.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer or holds what cannot be read.
    pub async fn list_exercises(
        &mut self,
        credentials: &[Uuid],
    ) -> Result<BTreeMap<Uuid, BTreeSet<String>>, StoreError> {
        let mut all: BTreeMap<Uuid, BTreeSet<String>> = BTreeMap::new();
        for credentials in credentials.chunks(KEYS_AT_ONCE) {
            let ids: Vec<String> = credentials.iter().copied().map(id_text).collect();
            let query = exercises::table
                .filter(exercises::credential_id.eq_any(ids))
                .select((exercises::credential_id, exercises::exercise));
            let rows: Vec<(String, String)> = on_conn!(self, |link| query.load(link).await?);
            for (credential, exercise) in rows {
                let credential = parse(&credential, "exercises.credential_id")?;
                all.entry(credential).or_default().insert(exercise);
            }
        }
        Ok(all)
    }
}

impl Books {
    /// Remembers what credentials needed. Of each so much is remembered that a person can read it;
    /// beyond that, no more than that there was [more](Exercise::Untold).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn add_exercises(&mut self, exercised: &[Exercised]) -> Result<(), StoreError> {
        let credentials: BTreeSet<Uuid> = exercised.iter().map(|it| it.credential).collect();
        let credentials: Vec<Uuid> = credentials.into_iter().collect();
        let known = self.list_exercises(&credentials).await?;
        self.upsert(&rows(exercised, known)).await
    }

    /// Forgets what was needed before a moment, and not since.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_exercises_before(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        let old =
            diesel::delete(exercises::table).filter(exercises::last_at.lt(moment.as_millis()));
        on_conn!(self, |link| old.execute(link).await?);
        Ok(())
    }
}

/// One row for each place, in order.
fn rows(exercised: &[Exercised], mut known: BTreeMap<Uuid, BTreeSet<String>>) -> Vec<NewExercise> {
    let mut latest: BTreeMap<(Uuid, String), Timestamp> = BTreeMap::new();
    for Exercised { credential, exercise, at } in exercised {
        let known = known.entry(*credential).or_default();
        let has_room = known.len() < MOST;
        let exercise = match known.contains(exercise) || has_room {
            true => exercise.clone(),
            false => Exercise::Untold.to_string(),
        };
        known.insert(exercise.clone());
        let last = latest.entry((*credential, exercise)).or_insert(*at);
        *last = (*last).max(*at);
    }
    let row = |((credential, exercise), at): ((_, _), Timestamp)| {
        NewExercise(credential, exercise, at.as_millis())
    };
    latest.into_iter().map(row).collect()
}

/// `credential_id`, `exercise`, `last_at`.
#[derive(Serialize)]
struct NewExercise(Uuid, String, i64);

impl Upsert for NewExercise {
    const INSERT: &'static str = "INSERT INTO exercises (credential_id, exercise, last_at)
        SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT)";
    const CONFLICT: &'static str = "(credential_id, exercise)
        DO UPDATE SET last_at = excluded.last_at WHERE exercises.last_at < excluded.last_at";
}

/// How many different things are remembered of one credential: more than any role should name.
const MOST: usize = 500;
