//! Values that no version of the program wrote: an error that says where, and never a panic.

use acceptance::{Database, on_each_database};
use keystile_domain::{
    ApiKeyFilter, ApiKeyId, ApiKeySort, Direction, PageLimit, PageNumber, PageRequest, ProviderId,
    RoleId, Seq, Start,
};
use keystile_storage::{Conn, StoreError};

use crate::raw::on_raw;
use crate::samples::{at, digest, full_api_key, full_draft, user, uuid};
use crate::stage::{Stage, furnish, sealed};

/// Reads everything that there is, one by one, and returns the first complaint.
async fn read_all(conn: &mut Conn) -> Result<(), StoreError> {
    let page = PageRequest {
        sort: ApiKeySort::Name,
        direction: Direction::Ascending,
        limit: PageLimit::default(),
        start: Start::Page(PageNumber::default()),
    };
    conn.find_provider(ProviderId::from(uuid(1))).await?;
    conn.find_role(RoleId(2)).await?;
    conn.find_user_by_name("admin").await?;
    conn.list_formats().await?;
    conn.find_api_key(ApiKeyId::from(uuid(1))).await?;
    conn.list_api_keys(&ApiKeyFilter::default(), &page, at(0)).await?;
    conn.find_credential(&digest(1)).await?;
    conn.list_events_after(Seq(0), 10).await?;
    conn.head().await?;
    Ok(())
}

on_each_database! {
    async fn a_value_that_cannot_be_read_is_named_and_never_an_answer(database: Database) {
        let stage = Stage::new(database).await;
        let mut tx = stage.store.begin().await.unwrap();
        furnish(&mut tx).await.unwrap();
        tx.insert_api_key(&full_api_key(1, "one"), &digest(1)).await.unwrap();
        tx.insert_user(&user("admin", 1), None).await.unwrap();
        tx.remember_format(&crate::samples::format("ks_")).await.unwrap();
        let events = sealed(tx.seq(), tx.previous(), [full_draft()]);
        tx.commit(events).await.unwrap();
        let mut conn = stage.store.read().await.unwrap();
        read_all(&mut conn).await.unwrap();

        for (place, wrong) in [
            // From what is read last to what is read first: each is met before those above it.
            ("feed_head.hash", "(SELECT before_salt FROM events)"),
            ("events.hash", "before_salt"),
            ("events.previous_hash", "before_salt"),
            ("events.before_digest", "before_salt"),
            ("events.address", "'somewhere'"),
            ("events.before", "'{'"),
            ("events.action", "'api_key.eaten'"),
            ("events.actor_kind", "NULL"),
            ("api_keys.created_by_id", "NULL"),
            ("api_keys.metadata", "'[]'"),
            ("api_keys.allowed_ips", "'[\"10.0.0.1/8\"]'"),
            ("api_keys.name", "''"),
            ("formats.key_length", "256"),
            ("formats.encoding", "'rot13'"),
            ("users.username", "''"),
            ("roles.endpoints", "'[{\"methods\":[],\"path\":\"/\"}]'"),
            ("roles.permissions", "'[\"**.a\"]'"),
            ("roles.may_grant", "'{}'"),
            ("providers.settings", "'{\"of\":\"magic\"}'"),
            ("providers.kind", "id"),
        ] {
            let (table, column) = place.split_once('.').unwrap();
            let spoil = format!("UPDATE {table} SET {column} = {wrong}");
            on_raw(&stage, move |raw| raw.execute(&spoil)).await;
            let refused = read_all(&mut conn).await;
            let Err(StoreError::Corrupt(told)) = refused else { panic!("{place}: {refused:?}") };
            assert!(place.starts_with(told), "{told} is not {place}");
        }
    }
}
