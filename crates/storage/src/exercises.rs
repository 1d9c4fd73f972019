//! What credentials needed of what they hold: noted in memory when a check let them in, and written
//! in batches.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use keystile_domain::{Exercise, Timestamp};
use uuid::Uuid;

use crate::columns::{id_text, parse};
use crate::conn::{KEYS_AT_ONCE, insert_all, on_conn};
use crate::schema::exercises;
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
        // Everywhere else, it would make `filter` ambiguous.
        use diesel::query_dsl::methods::FilterDsl as _;

        let credentials: BTreeSet<Uuid> = exercised.iter().map(|it| it.credential).collect();
        let credentials: Vec<Uuid> = credentials.into_iter().collect();
        let known = self.list_exercises(&credentials).await?;
        insert_all!(self, exercises::table, rows(exercised, known), |insert| {
            insert
                .on_conflict((exercises::credential_id, exercises::exercise))
                .do_update()
                .set(exercises::last_at.eq(excluded(exercises::last_at)))
                .filter(exercises::last_at.lt(excluded(exercises::last_at)))
        });
        Ok(())
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

/// One row for each place, since one statement may not meet a row twice; and in order, so that two
/// nodes that write the same rows never wait for each other.
fn rows(exercised: &[Exercised], mut known: BTreeMap<Uuid, BTreeSet<String>>) -> Vec<ExercisedRow> {
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
    let rows = latest.into_iter().map(|((credential, exercise), at)| ExercisedRow {
        credential_id: id_text(credential),
        exercise,
        last_at: at.as_millis(),
    });
    rows.collect()
}

#[derive(Insertable)]
#[diesel(table_name = exercises)]
struct ExercisedRow {
    credential_id: String,
    exercise: String,
    last_at: i64,
}

/// How many different things are remembered of one credential: more than any role should name.
const MOST: usize = 500;
