//! Lists: one part, or all of them as a stream.

use futures_util::TryStreamExt;
use keystile_client::Paging;
use keystile_client::api_keys::ApiKeyFilter;
use keystile_client::roles::RoleFilter;
use serde_json::{Value, json};

use crate::stub::{self, Deed, Stub, problem, role};

#[tokio::test]
async fn a_stream_follows_the_cursors_to_the_end() {
    let stub = Stub::new([part(&[1, 2], Some("a b")), part(&[3], None)]).await;
    let filter = RoleFilter { name: Some("r*".to_owned()), ..RoleFilter::default() };
    let roles: Vec<_> = stub.client().roles().stream(filter).try_collect().await.unwrap();
    assert_eq!(roles.iter().map(|role| role.id).collect::<Vec<_>>(), [1, 2, 3]);
    let asked = stub.asked();
    let lines: Vec<_> = asked.iter().map(stub::Asked::line).collect();
    assert_eq!(
        lines,
        ["GET /api/v1/roles?name=r*&limit=100", "GET /api/v1/roles?name=r*&limit=100&cursor=a+b",]
    );
}

#[tokio::test]
async fn a_stream_that_begins_on_a_page_goes_on_by_cursor_alone() {
    let stub = Stub::new([part(&[1], Some("x")), part(&[2], None)]).await;
    let paging = Paging { page: Some(3), limit: Some(1), ..Paging::default() };
    let filter = RoleFilter { paging, ..RoleFilter::default() };
    let _: Vec<_> = stub.client().roles().stream(filter).try_collect().await.unwrap();
    assert_eq!(stub.asked()[1].line(), "GET /api/v1/roles?limit=1&cursor=x");
}

#[tokio::test]
async fn only_what_is_taken_from_a_stream_is_asked_for() {
    let stub = Stub::new([part(&[1, 2], Some("x"))]).await;
    let mut roles = std::pin::pin!(stub.client().roles().stream(RoleFilter::default()));
    for _ in 0..2 {
        roles.try_next().await.unwrap().unwrap();
    }
    assert_eq!(stub.asked().len(), 1);
}

#[tokio::test]
async fn a_stream_ends_with_the_error_that_it_meets() {
    let stub = Stub::new([part(&[1], Some("x")), problem(403, "insufficient_permissions", &[])]);
    let stub = stub.await;
    let mut roles = std::pin::pin!(stub.client().roles().stream(RoleFilter::default()));
    assert!(roles.try_next().await.unwrap().is_some());
    assert!(roles.try_next().await.unwrap_err().is_not_allowed());
    assert!(roles.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_without_a_filter_has_no_query() {
    let stub = Stub::new([part(&[], None)]).await;
    stub.client().api_keys().list(&ApiKeyFilter::default()).await.unwrap();
    assert_eq!(stub.asked()[0].line(), "GET /api/v1/api-keys");
}

fn part(ids: &[i64], next_cursor: Option<&str>) -> Deed {
    let data: Vec<Value> = ids.iter().map(|id| role(*id)).collect();
    let page = json!({
        "data": data, "total": null, "page": null, "limit": 100, "next_cursor": next_cursor
    });
    stub::json("200 OK", &page)
}
