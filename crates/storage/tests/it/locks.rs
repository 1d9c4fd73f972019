//! An SQLite file and those beside it: one server's, and its owner's alone.

use acceptance::Database;
use keystile_storage::{OpenError, Url, lock_server};

use crate::stage::Stage;

#[test]
fn a_second_server_on_one_file_is_told_who_has_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keystile.db");
    let lock = lock_server(&file).unwrap();
    let refused = lock_server(&file).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }));
    let told = refused.to_string();
    assert!(told.contains(&std::process::id().to_string()), "{told}");
    assert!(told.contains(&file.display().to_string()), "{told}");
    drop(lock);
    assert!(lock_server(&file).is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_leads_to_the_same_lock() {
    let directory = tempfile::tempdir().unwrap();
    let (file, link) = (directory.path().join("keystile.db"), directory.path().join("link.db"));
    let _lock = lock_server(&file).unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(matches!(lock_server(&link), Err(OpenError::InUse { .. })));
}

#[test]
fn a_lock_file_that_a_longer_process_id_left_behind_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let left = directory.path().join("keystile.db.server.lock");
    std::fs::write(&left, "99999999999").unwrap();
    let _lock = lock_server(&directory.path().join("keystile.db")).unwrap();
    assert_eq!(std::fs::read_to_string(left).unwrap(), std::process::id().to_string());
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let refused = lock_server("/no/such/directory/keystile.db".as_ref()).unwrap_err();
    assert!(matches!(refused, OpenError::File { .. }));
    assert!(refused.to_string().contains("/no/such/directory"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let stage = Stage::new(Database::Sqlite).await;
    let _conn = stage.store.read().await.unwrap();
    let Url::Sqlite(file) = &stage.options.url else { panic!() };
    for file in [file.clone(), file.with_extension("db-wal")] {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}
