//! The forms of output, of which no one but the first shows a secret.

use acceptance::Database;
use serde_json::{Value, json};
use tokio::task::block_in_place;

use super::{administrator, terminal::at_a_terminal};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_has_every_form_and_no_secret() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let new = ["keys", "new", "a, \"b\"", "--role", "3,4", "--expires-at", "2099-01-31T12:00:00Z"];
    let key = admin.prints(&[&new[..], &["-q"]].concat()).await;
    let listed = async |form: &str| {
        let listed = admin.prints(&["keys", "list", "--name", "a*", "-o", form]).await;
        assert!(!listed.contains(key.trim()), "{listed}");
        listed
    };
    let json: Value = serde_json::from_str(&listed("json").await).unwrap();
    let [shown] = &json.as_array().unwrap()[..] else { panic!("{json}") };
    let id = shown["id"].as_str().unwrap();
    assert_eq!(shown["role_ids"], json!([3, 4]));
    assert_eq!(listed("id").await, format!("{id}\n"));
    assert_eq!(listed("name").await, "a, \"b\"\n");
    assert!(listed("yaml").await.starts_with(&format!("- id: {id}\n")));
    let csv = listed("csv").await;
    assert!(csv.starts_with("id,name,description,"), "{csv}");
    assert!(csv.contains(&format!("\n{id},\"a, \"\"b\"\"\",,")), "{csv}");
    assert!(csv.contains(",\"3,4\","), "{csv}");
    let table = listed("table").await;
    let prefix = shown["key_prefix"].as_str().unwrap();
    for part in ["EXPIRES", id, prefix, "enabled", "in 7"] {
        assert!(table.contains(part), "{part} in {table}");
    }
    let absolute = admin.prints(&["keys", "list", "--name", "a*", "--absolute"]).await;
    assert!(absolute.contains("2099-01-31T12:00:00Z"), "{absolute}");
    assert!(!table.contains('\u{1b}'), "colours without a terminal: {table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_printed_once_and_never_lost_to_a_form() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let made = admin.run(&["keys", "new", "CI"]).await;
    assert!(made.status.success(), "{made:#?}");
    assert!(made.stdout.starts_with("ks_") && made.stdout.lines().count() == 1, "{made:#?}");
    assert!(made.stderr.contains("shown this once") && !made.stderr.contains(made.stdout.trim()));
    let quiet = admin.run(&["keys", "rotate", "CI", "-q"]).await;
    assert!(quiet.stdout.starts_with("ks_") && quiet.stderr.is_empty(), "{quiet:#?}");
    for form in ["id", "name"] {
        admin.fails(&["keys", "new", "lost", "-o", form], 2).await;
        admin.fails(&["keys", "rotate", "CI", "-o", form], 2).await;
    }
    assert_eq!(admin.prints(&["keys", "list", "--name", "lost", "-o", "id"]).await, "");
    let whole = admin.prints(&["keys", "new", "whole", "--pass-thru", "-o", "yaml"]).await;
    assert!(whole.contains("\nkey: ks_"), "{whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_does_nothing_to_a_terminal_or_a_spreadsheet() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let metadata = json!({"note": "\u{1b}[2J\u{7}\u{9b}\u{202e}\u{200b}"});
    let key = json!({"name": "=1+1", "description": "@SUM(A1)", "metadata": metadata});
    server.admin().post("/api/v1/api-keys", key).await.expect(201);
    let shown = admin.prints(&["keys", "get", "=1+1"]).await;
    assert!(shown.contains(r"\u001b[2J\u0007\u009b\u202e\u200b"), "{shown:?}");
    for form in ["json", "yaml", "csv"] {
        let shown = block_in_place(|| {
            let get = ["keys", "get", "=1+1", "-o", form];
            at_a_terminal(&admin, &get).exp_eof().unwrap()
        });
        assert!(shown.contains(r"\u202e\u200b"), "{form}: {shown:?}");
        let raw = |letter: char| letter.is_control() && !"\r\n".contains(letter);
        assert!(!shown.contains(raw), "{form}: {shown:?}");
    }
    // Programs get it as it is.
    assert_eq!(admin.shows(&["keys", "get", "=1+1"]).await["metadata"], metadata);
    let csv = admin.prints(&["keys", "get", "=1+1", "-o", "csv"]).await;
    assert!(csv.contains(",'=1+1,'@SUM(A1),"), "{csv}");
}
