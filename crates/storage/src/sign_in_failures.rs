//! Sign-ins that failed one after the other: what makes the next one wait.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use keystile_domain::Timestamp;

use crate::conn::on_conn;
use crate::schema::sign_in_failures;
use crate::{Books, Conn, StoreError};

/// How often signing in failed in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// For whom or from where: a digest of the name, or the address.
    pub subject: String,
    /// How often.
    pub failures: i32,
    /// When it failed last.
    pub last_at: Timestamp,
}

impl Conn {
    /// Finds the failures of some subjects; one without failures is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn find_failures(
        &mut self,
        subjects: &[String],
    ) -> Result<Vec<Failures>, StoreError> {
        let query = sign_in_failures::table
            .filter(sign_in_failures::subject.eq_any(subjects))
            .order(sign_in_failures::subject);
        let rows: Vec<(String, i32, i64)> = on_conn!(self, |link| query.load(link).await?);
        let read = |(subject, failures, last_at)| Failures {
            subject,
            failures,
            last_at: Timestamp::from_millis(last_at),
        };
        Ok(rows.into_iter().map(read).collect())
    }
}

impl Books {
    /// Counts one more failure, and tells what there was before: nobody counts in between, until
    /// this bookkeeping ends.
    ///
    /// Whoever counts several subjects does so in the same order everywhere, or two could wait for
    /// each other.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn count_failure(
        &mut self,
        subject: &str,
        now: Timestamp,
    ) -> Result<Failures, StoreError> {
        let count = diesel::insert_into(sign_in_failures::table)
            .values((
                sign_in_failures::subject.eq(subject),
                sign_in_failures::failures.eq(1),
                sign_in_failures::last_at.eq(now.as_millis()),
            ))
            .on_conflict(sign_in_failures::subject)
            .do_update()
            .set(sign_in_failures::failures.eq(sign_in_failures::failures + 1))
            .returning((sign_in_failures::failures, sign_in_failures::last_at));
        let (counted, last_at): (i32, i64) = on_conn!(self, |link| count.get_result(link).await?);
        let put = diesel::update(sign_in_failures::table.find(subject))
            .set(sign_in_failures::last_at.eq(now.as_millis()));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(Failures {
            subject: subject.to_owned(),
            failures: counted - 1,
            last_at: Timestamp::from_millis(last_at),
        })
    }

    /// Takes back some of the failures that were counted, at most all of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn forgive_failures(&mut self, subject: &str, number: i32) -> Result<(), StoreError> {
        let row = sign_in_failures::table.find(subject);
        let few = diesel::delete(row).filter(sign_in_failures::failures.le(number));
        on_conn!(self, |link| few.execute(link).await?);
        let put = diesel::update(row)
            .set(sign_in_failures::failures.eq(sign_in_failures::failures - number));
        on_conn!(self, |link| put.execute(link).await?);
        Ok(())
    }

    /// Forgets the failures of a subject, which is no error if it has none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn clear_failures(&mut self, subject: &str) -> Result<(), StoreError> {
        let clear = diesel::delete(sign_in_failures::table.find(subject));
        on_conn!(self, |link| clear.execute(link).await?);
        Ok(())
    }

    /// Forgets the subjects whose last failure lies before a moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_old_failures(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let old = diesel::delete(sign_in_failures::table)
            .filter(sign_in_failures::last_at.lt(before.as_millis()));
        on_conn!(self, |link| old.execute(link).await?);
        Ok(())
    }
}
