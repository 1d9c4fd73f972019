//! At a terminal: hidden input, questions, Ctrl-C, colours.

use std::process::Command;

use acceptance::{Database, Options, Server};
use rexpect::{
    process::WaitStatus,
    session::{PtySession, spawn_command},
};
use tokio::task::block_in_place;

use super::{Person, administrator};

#[tokio::test(flavor = "multi_thread")]
async fn login_asks_for_the_key_and_does_not_show_it() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    let (said, code) = block_in_place(|| {
        let mut terminal = at_a_terminal(&person, &["login", &server.url()]);
        terminal.exp_string("Key or token").unwrap();
        terminal.send_line(&server.admin_key()).unwrap();
        let said: String = terminal.exp_string("Signed in").unwrap();
        (said, ended(terminal))
    });
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(&server.admin_key()[4..]), "{said}");
    person.prints(&["whoami"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_at_the_first_question_leaves_nothing_done() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let person = Person::new();
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&person, &["login", &server.url()]);
        terminal.exp_string("Key or token").unwrap();
        terminal.send_control('c').unwrap();
        terminal.exp_string("nothing was done").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 1);
    assert!(!person.profiles().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn remove_asks_for_each_and_ctrl_c_half_way_says_what_was_done() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    for name in ["temp-1", "temp-2", "temp-3", "temp-4"] {
        admin.prints(&["keys", "new", name, "-q"]).await;
    }
    let code = block_in_place(|| {
        let names = ["temp-1", "temp-2", "temp-3", "temp-4"];
        let mut terminal = at_a_terminal(&admin, &[&["keys", "remove"][..], &names].concat());
        terminal.exp_string("4 API keys to remove").unwrap();
        for (name, answer) in [("temp-1", "y"), ("temp-2", "no"), ("temp-3", "yes")] {
            terminal.exp_string(&format!("Remove API key \"{name}\"")).unwrap();
            terminal.send_line(answer).unwrap();
        }
        terminal.exp_string("Remove API key \"temp-4\"").unwrap();
        terminal.send_control('c').unwrap();
        terminal.exp_string("interrupted: 2 of 4 API keys removed").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 5);
    let left = admin.prints(&["keys", "list", "--name", "temp-*", "--sort", "name", "-o", "name"]);
    assert_eq!(left.await, "temp-2\ntemp-4\n");

    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["keys", "remove", "temp-*"]);
        terminal.exp_string("?").unwrap();
        terminal.send_line("all").unwrap();
        terminal.exp_eof().unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
    assert_eq!(admin.prints(&["keys", "list", "--name", "temp-*", "-o", "name"]).await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirm_shows_what_would_change_before_it_asks() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "CI", "-q"]).await;
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["keys", "set", "CI", "--disable", "--confirm"]);
        terminal.exp_string("enabled: true becomes false").unwrap();
        terminal.exp_string("Change API key \"CI\"").unwrap();
        terminal.send_line("y").unwrap();
        terminal.exp_string("Changed API key").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
    assert_eq!(admin.shows(&["keys", "get", "CI"]).await["enabled"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_no_or_quit_hears_how_many_were_done() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    for name in ["temp-1", "temp-2", "temp-3"] {
        admin.prints(&["keys", "new", name, "-q"]).await;
    }
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["keys", "remove", "temp-*"]);
        terminal.exp_string("3 API keys to remove").unwrap();
        for answer in ["y", "q"] {
            terminal.exp_string("Remove API key").unwrap();
            terminal.send_line(answer).unwrap();
        }
        terminal.exp_string("1 of 3 API keys removed, 2 left").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
    let left = admin.prints(&["keys", "list", "--name", "temp-*", "-o", "id"]).await;
    assert_eq!(left.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_quits_after_a_failure_is_not_told_that_nothing_was_tried() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    for name in ["free", "held"] {
        admin.prints(&["roles", "new", name]).await;
    }
    admin.prints(&["keys", "new", "CI", "--role", "held", "-q"]).await;
    let (said, code) = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["roles", "remove", "held", "free"]);
        for (name, answer) in [("held", "y"), ("free", "q")] {
            terminal.exp_string(&format!("Remove role \"{name}\"")).unwrap();
            terminal.send_line(answer).unwrap();
        }
        let said = terminal.exp_eof().unwrap();
        (said, ended(terminal))
    });
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("answered: 0 of 2 roles removed, 1 left"), "{said}");
    assert!(!said.contains("Nothing was done"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_how_far_it_is() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let rows: String = (0..3_000).map(|row| format!("key-{row},old-key-{row}\n")).collect();
    let file = admin.home().join("keys.csv");
    std::fs::write(&file, format!("name,key\n{rows}")).unwrap();
    let code = block_in_place(|| {
        let import = ["import", file.to_str().unwrap(), "--batch", "500"];
        let mut terminal = at_a_terminal(&admin, &import);
        terminal.exp_string("of 3,000 keys").unwrap();
        terminal.exp_string("2,500").unwrap();
        terminal.exp_string("3000 of 3000 keys imported").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_a_restore_show_how_far_they_are() {
    let server = Server::start(&Options::on(&Database::Sqlite)).await;
    let key = crate::backup::master_key(&server);
    let target = Options::on(&Database::Sqlite).env("KEYSTILE_MASTER_KEY", key);
    let file = server.options().data().join("backup");
    let file = file.to_str().unwrap();
    for (options, command, told) in
        [(server.options(), "backup", "B written"), (&target, "restore", "B read")]
    {
        let command = options.command(&[command, file]);
        let code = block_in_place(|| {
            let mut terminal = in_columns(100, command.as_std());
            terminal.exp_string(told).unwrap();
            terminal.exp_string("rows").unwrap();
            ended(terminal)
        });
        assert_eq!(code, 0, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_made_is_shown_before_it_is_made() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    std::fs::write(admin.home().join("keys.csv"), "name,key\none,old-key-0001\ntwo,\n").unwrap();
    let new = ["keys", "new", "CI", "--role", "4", "--confirm"];
    let secrets = ["--secrets", "secrets.ndjson", "--confirm"];
    let import = [&["import", "keys.csv"][..], &secrets].concat();
    let asks = |arguments: &[&str], shown: &[&str], answer: &str, told: &str| {
        block_in_place(|| {
            let mut terminal = at_a_terminal(&admin, arguments);
            for part in shown {
                terminal.exp_string(part).unwrap();
            }
            terminal.send_line(answer).unwrap();
            terminal.exp_string(told).unwrap();
            ended(terminal)
        })
    };
    let listed = async || admin.prints(&["keys", "list", "-o", "id"]).await.lines().count();
    let shown = ["What if: would make API key", "role ids", "Make this API key?"];
    assert_eq!(asks(&new, &shown, "no", "Nothing was done"), 0);
    assert_eq!(listed().await, 1);
    assert_eq!(asks(&new, &shown, "yes", "shown this once"), 0);
    assert_eq!(listed().await, 2);
    let shown = ["2 keys would be imported", "0 refused", "Import them?"];
    assert_eq!(asks(&import, &shown, "no", "Nothing was done"), 0);
    assert_eq!(listed().await, 2);
    assert_eq!(asks(&import, &shown, "yes", "2 of 2 keys imported"), 0);
    assert_eq!(listed().await, 4);

    let url = server.url();
    let person = Person::new();
    let login = ["login", &url];
    assert!(person.run_with(&login, &server.admin_key()).await.status.success());
    let before = std::fs::read_to_string(person.profiles()).unwrap();
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&person, &login);
        terminal.exp_string("Key or token").unwrap();
        terminal.send_line("ks_other").unwrap();
        terminal.exp_string("profile default is First administrator").unwrap();
        terminal.send_line("no").unwrap();
        terminal.exp_string("Nothing was done").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
    assert_eq!(std::fs::read_to_string(person.profiles()).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_ends_an_older_secret_asks_first() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    admin.prints(&["keys", "new", "CI", "-q"]).await;
    admin.prints(&["keys", "rotate", "CI", "--overlap", "1d", "-q"]).await;
    let before = admin.shows(&["keys", "get", "CI"]).await;
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["keys", "rotate", "CI", "--overlap", "1d"]);
        terminal.exp_string("An older secret still works. It would end in 24 hours").unwrap();
        terminal.exp_string("Nobody has shown it").unwrap();
        terminal.exp_string("Rotate API key \"CI\"").unwrap();
        terminal.send_line("no").unwrap();
        terminal.exp_string("Nothing was done").unwrap();
        ended(terminal)
    });
    assert_eq!(code, 0);
    assert_eq!(admin.shows(&["keys", "get", "CI"]).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_colours_unless_somebody_minds() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let list = |person: &Person| {
        block_in_place(|| at_a_terminal(person, &["keys", "list"]).exp_eof().unwrap())
    };
    let coloured = list(&admin);
    assert!(coloured.contains("enabled") && coloured.contains('\u{1b}'), "{coloured:?}");
    let plain = list(&admin.env("NO_COLOR", "1"));
    assert!(plain.contains("enabled") && !plain.contains('\u{1b}'), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_asks_for_the_credential_and_does_not_show_it() {
    let (server, admin) = administrator(&Database::Sqlite).await;
    let code = block_in_place(|| {
        let mut terminal = at_a_terminal(&admin, &["verify"]);
        terminal.exp_string("Key or token").unwrap();
        terminal.send_line(&server.admin_key()).unwrap();
        let said = terminal.exp_string("First administrator").unwrap();
        assert!(!said.contains(&server.admin_key()[4..]), "{said}");
        ended(terminal)
    });
    assert_eq!(code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_no_wider_than_the_terminal() {
    let (_server, admin) = administrator(&Database::Sqlite).await;
    let long = "a name that is much longer than the terminal is wide, and has no end in sight";
    admin.prints(&["keys", "new", long, "--role", "1,3,4", "-q"]).await;
    for columns in [40_usize, 60, 120] {
        let mut terminal = in_columns(columns, &admin.command(&["keys", "list"]));
        let shown = block_in_place(|| terminal.exp_eof()).unwrap();
        let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(shown.contains("enabled") && widest > 30, "{shown}");
        assert!(widest <= columns, "{shown}");
    }
}

/// The command, with a terminal for its standard input, output and error.
pub fn at_a_terminal(person: &Person, arguments: &[&str]) -> PtySession {
    let mut command = person.command(arguments);
    command.env("TERM", "xterm-256color");
    spawn_command(command, Some(PATIENCE)).unwrap()
}

/// The command, at a terminal that is so wide.
pub fn in_columns(columns: usize, command: &Command) -> PtySession {
    let mut narrow = Command::new("sh");
    narrow.arg("-c").arg(format!("stty rows 24 cols {columns} && exec \"$0\" \"$@\""));
    narrow.arg(command.get_program()).args(command.get_args()).env("NO_COLOR", "1");
    narrow.env("TERM", "xterm-256color");
    for (name, value) in command.get_envs() {
        value.map(|value| narrow.env(name, value));
    }
    spawn_command(narrow, Some(PATIENCE)).unwrap()
}

/// How it ended.
fn ended(mut terminal: PtySession) -> i32 {
    let _ = terminal.exp_eof();
    match terminal.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("{other:?}"),
    }
}

/// In milliseconds.
const PATIENCE: u64 = 30_000;
