//! Servers that are not there, do not answer, or are something else.

use std::time::Duration;

use keystile_client::roles::RoleFilter;
use keystile_client::{Client, Error};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::stub::{self, Deed, Stub, answer};

#[tokio::test]
async fn where_nobody_listens_nothing_was_done() {
    // Bound, so that nobody else listens there either.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let free = socket.local_addr().unwrap();
    let client = Client::builder(&format!("http://{free}")).no_proxy().patience(Duration::ZERO);
    let error = client.build().unwrap().me().show().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(!error.may_be_done());
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_unreachable() {
    let client = Client::builder("http://keystile.invalid").no_proxy().patience(Duration::ZERO);
    let error = client.build().unwrap().me().show().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let stub = Stub::new([Deed::Stall]).await;
    let client = stub.builder().timeout(Duration::from_millis(50)).patience(Duration::ZERO);
    let error = client.build().unwrap().me().show().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_lost() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let stub = Stub::new([Deed::Answer(half.to_owned())]).await;
    let client = stub.builder().patience(Duration::ZERO).build().unwrap();
    let error = client.me().show().await.unwrap_err();
    assert!(matches!(error, Error::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn what_is_no_keystile_server_is_told_as_such() {
    let page = answer("200 OK", "text/html", &[], "<html>Welcome</html>");
    let moved = answer("301 Moved", "text/html", &["location: https://keys.example.com/"], "");
    let missing = answer("404 Not Found", "text/html", &[], "<html>Nothing</html>");
    let strange = stub::json("400 Bad Request", &json!({"error": 5}));
    for (deed, expected) in [(page, 200), (moved, 301), (missing, 404), (strange, 400)] {
        let stub = Stub::new([deed]).await;
        let error = stub.client().me().show().await.unwrap_err();
        let Error::NotKeystile { status, .. } = error else { panic!("{error:?}") };
        assert_eq!(status, expected);
    }
}

#[tokio::test]
async fn an_answer_of_another_version_is_told_by_its_place_and_not_by_its_text() {
    let stub = Stub::new([stub::json("200 OK", &json!({"principal": {"kind": 7}}))]).await;
    let error = stub.client().me().show().await.unwrap_err();
    let Error::Unreadable { member, operation, .. } = &error else { panic!("{error:?}") };
    assert_eq!((member.as_str(), *operation), ("principal.kind", "show_me"));
    assert!(!format!("{error:?} {error}").contains('7'));
}

#[tokio::test]
async fn a_member_that_an_older_server_lacks_is_named() {
    let mut role = stub::role(5);
    role.as_object_mut().unwrap().remove("built_in");
    role.as_object_mut().unwrap().remove("may_grant");
    let stub = Stub::new([stub::json("200 OK", &json!({"data": [role], "limit": 20}))]).await;
    let error = stub.client().roles().list(&RoleFilter::default()).await.unwrap_err();
    let Error::Unreadable { member, operation, .. } = &error else { panic!("{error:?}") };
    assert_eq!((member.as_str(), *operation), ("data[0].may_grant", "list_roles"));
}

#[tokio::test]
async fn where_nobody_speaks_tls_the_error_knows_it() {
    let stub = Stub::new([stub::json("200 OK", &json!({}))]).await;
    let address = stub.address();
    let client = Client::builder(&format!("https://{address}")).no_proxy().patience(Duration::ZERO);
    let error = client.build().unwrap().me().show().await.unwrap_err();
    assert!(error.is_no_tls() && !error.may_be_done(), "{error:?}");
}

#[tokio::test]
async fn members_that_a_newer_server_adds_do_no_harm() {
    let mut role = stub::role(5);
    role["colour"] = json!("green");
    let stub = Stub::new([stub::json("200 OK", &role)]).await;
    assert_eq!(stub.client().roles().show(5).await.unwrap().id, 5);
}
