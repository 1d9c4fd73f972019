//! A new master key: servers that run go on, and the next start takes the new one.

use std::fs;

use acceptance::{Database, Ended, Key, Options, Server, on_each_database, scratch, started};

on_each_database! {
    async fn a_new_master_key_changes_nothing_but_what_a_start_takes(database: Database) {
        let (server, admin) = started(&database).await;
        let before = Key::holding(&admin, "before", &[2]).await;
        let options = server.options().clone();
        let old = crate::backup::master_key(&server);
        let backup = crate::backup::back_up(&server).await;

        let new = scratch::directory("master").join("new.key");
        let told = rotate(&options, &["--new-key-file", new.to_str().unwrap()]).await;
        assert!(told.status.success(), "{told:#?}");
        let mut next = options.clone();
        if matches!(database, Database::Postgres(_)) {
            next = next.env("KEYSTILE_MASTER_KEY", fs::read_to_string(&new).unwrap().trim());
        }
        // Whoever runs goes on, also with what needs keys.
        before.api(&admin).get("/api/v1/me").await.expect(200);
        let meanwhile = Key::holding(&admin, "meanwhile", &[2]).await;
        admin.sign_in("admin", &server.admin_password()).await;
        let [own, password] = [server.admin_key(), server.admin_password()];
        server.stop().await;

        let stale = options.clone().env("KEYSTILE_MASTER_KEY", &old);
        let refused = Server::try_start(&stale).await.unwrap_err();
        assert!(refused.stderr.contains("another master key"), "{refused:#?}");
        let server = Server::start(&next).await;
        for key in [&before, &meanwhile] {
            key.api(&server.admin()).get("/api/v1/me").await.expect(200);
        }
        let caller = server.admin().sign_in("admin", &password).await;
        server.api(caller).get("/api/v1/me").await.expect(200);
        let chain = server.admin().get("/api/v1/audit-events/verify").await.expect(200);
        assert_eq!(chain.body["valid"], true, "{chain}");
        assert_eq!(server.admin_key(), own);

        // A backup comes back under the key of its time.
        let target = Options::on(&Database::Sqlite).env("KEYSTILE_MASTER_KEY", old);
        let told = target.run(&["restore", backup.to_str().unwrap()]).await;
        assert!(told.status.success(), "{told:#?}");
        Server::start(&target).await.api(before.caller()).get("/api/v1/me").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_in_the_data_directory_is_replaced_and_the_old_one_kept() {
    let (server, admin) = started(&Database::Sqlite).await;
    let key = Key::holding(&admin, "key", &[]).await;
    let options = server.options().clone();
    let file = options.data().join("master.key");
    let old = fs::read_to_string(&file).unwrap();
    let told = rotate(&options, &[]).await;
    assert!(told.status.success(), "{told:#?}");
    let kept = fs::read_dir(options.data()).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.to_string_lossy().contains(".until-")).collect();
    assert_eq!(fs::read_to_string(&kept[0]).unwrap(), old);
    assert_ne!(fs::read_to_string(&file).unwrap(), old);
    assert!(!options.data().join("master.key.new").exists());
    let server = server.restart().await;
    server.api(key.caller()).get("/api/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_stopped_half_way_is_finished_by_the_next() {
    let (server, admin) = started(&Database::Sqlite).await;
    let key = Key::holding(&admin, "key", &[]).await;
    let options = server.options().clone();
    let file = options.data().join("master.key");
    let old = fs::read_to_string(&file).unwrap();
    rotate(&options, &[]).await;
    server.stop().await;
    // As it is when the database has the new key and the directory not yet.
    fs::rename(&file, options.data().join("master.key.new")).unwrap();
    fs::write(&file, &old).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let refused = Server::try_start(&options).await.unwrap_err();
    assert!(refused.stderr.contains("another master key"), "{refused:#?}");

    let told = rotate(&options, &[]).await;
    assert!(told.status.success(), "{told:#?}");
    let server = Server::start(&options).await;
    server.api(key.caller()).get("/api/v1/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rotation_leaves_behind_at_its_very_end_does_not_stand_for_the_next() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let options = server.options().clone();
    let file = options.data().join("master.key");
    let old = fs::read_to_string(&file).unwrap();
    fs::copy(&file, options.data().join("master.key.new")).unwrap();
    let told = rotate(&options, &[]).await;
    assert!(told.status.success(), "{told:#?}");
    assert_ne!(fs::read_to_string(&file).unwrap(), old);
    assert!(!options.data().join("master.key.new").exists());
    let named = rotate(&options, &["--new-key-file", file.to_str().unwrap()]).await;
    assert_eq!(named.status.code(), Some(1), "{named:#?}");
    assert!(named.stderr.contains("is the present one"), "{named:#?}");
    server.restart().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_settings_give_needs_a_file_for_the_new_one() {
    let options = Options::on(&Database::Sqlite)
        .env("KEYSTILE_MASTER_KEY", "a2V5c3RpbGUtdGVzdHMtMzItYnl0ZXMtbG9uZy1rZXk=");
    let server = Server::start(&options).await;
    let refused = rotate(&options, &[]).await;
    assert_eq!(refused.status.code(), Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("--new-key-file"), "{refused:#?}");
    server.restart().await.stop().await;
}

async fn rotate(options: &Options, how: &[&str]) -> Ended {
    options.run(&[&["admin", "rotate-master-key"], how].concat()).await
}
