//! What `docs/cli.md` shows of a terminal is what stands there, but for ids, numbers and times.

use std::process::Command;

use acceptance::{Api, Caller, Database, Key, Options, Server, keystile, until};
use reqwest::Method;
use rexpect::session::PtySession;
use serde_json::json;
use tokio::task::block_in_place;

use super::Person;
use super::terminal::in_columns;
use crate::docs::Page;

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_what_the_page_shows_of_one() {
    let options = Options::on(&Database::Sqlite).env("KEYSTILE_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start(&options).await;
    let admin = server.admin();
    // The latest comes first.
    for name in ["temp-2", "temp-1"] {
        Key::made(&admin, json!({ "name": name })).await;
    }
    let key = Key::made(&admin, json!({ "name": "CI Pipeline v2" })).await;
    admin.post(&key.at("/rotate"), json!({ "overlap_seconds": 86_400 })).await.expect(200);
    show(&server, &key, "deploy/2.1", "10.1.2.9", 1).await;
    show(&server, &key, "curl/8.5.0", "10.1.2.3", 12).await;
    until("all of it is written", async || {
        let rotation = admin.get(&key.at("/rotation")).await.expect(200).body;
        rotation["uses"].as_array().unwrap().len() == 2 && rotation["uses"][0]["count"] == 12
    })
    .await;

    let person = Person::administrator(&server);
    let page = Page::find("docs/cli.md").unwrap();
    let blocks = page.blocks().into_iter().filter(|block| block.text.starts_with("$ "));
    let mut seen = 0;
    for block in blocks {
        let (line, shown) = block.text.split_once('\n').unwrap();
        let stands_there = block_in_place(|| at_the_terminal(&person, &line[2..], shown));
        assert_eq!(alike(&stands_there), alike(shown), "{line}\n{stands_there}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    // The page ends where nothing was agreed to.
    let me = admin.with(Caller::Bearer(key.secret)).get("/api/v1/me").await;
    assert_eq!(me.status, 200);
}

/// Shows the old secret of a key so often, behind a proxy.
async fn show(server: &Server, key: &Key, agent: &str, from: &str, times: u32) {
    let api: Api = server.api(key.caller());
    for _ in 0..times {
        let me = api.request(Method::GET, "/api/v1/me").header("X-Forwarded-For", from);
        let me = me.header("X-Forwarded-Proto", "https").header("User-Agent", agent);
        assert_eq!(me.send().await.unwrap().status(), 200);
    }
}

/// Runs the line with the answers that are shown, and tells what stands there at the end.
fn at_the_terminal(person: &Person, line: &str, shown: &str) -> String {
    let mut shell = Command::new("sh");
    let of_person = person.command(&[]);
    let keystile = keystile().display();
    shell.arg("-c").arg(format!("keystile() {{ {keystile} \"$@\"; }}; {line}"));
    for (name, value) in of_person.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    let mut terminal = in_columns(COLUMNS.into(), &shell);
    let [rows, columns] = [24, COLUMNS].map(|count| count.try_into().unwrap());
    let mut screen = vt100::Parser::new(rows, columns, 0);
    let mut lines = shown.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(question) = line.strip_prefix("? ") else { continue };
        // It ends with an id.
        let (question, answer) = question.rsplit_once('?').unwrap();
        let (asked, _) = question.rsplit_once(' ').unwrap();
        read(&mut terminal, &mut screen, asked);
        if answer.is_empty() {
            read(&mut terminal, &mut screen, lines.peek().unwrap());
            let stands_there = screen.screen().contents();
            terminal.send_control('c').unwrap();
            terminal.exp_eof().unwrap();
            return stands_there;
        }
        terminal.send_line(answer.trim()).unwrap();
    }
    screen.process(terminal.exp_eof().unwrap().as_bytes());
    screen.screen().contents()
}

/// Reads on until this stands there.
fn read(terminal: &mut PtySession, screen: &mut vt100::Parser, text: &str) {
    let before = terminal.exp_string(text).unwrap();
    screen.process(before.as_bytes());
    screen.process(text.as_bytes());
}

/// The words of a text, without what is another at each time.
fn alike(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let has_id = word.len() > 35 && word.chars().filter(|letter| *letter == '-').count() == 4;
        match word {
            _ if has_id => "ID".to_owned(),
            _ if word.ends_with("ago") || word == "now" || UNITS.contains(&word) => String::new(),
            _ if word.parse::<u32>().is_ok() => String::new(),
            _ => word.to_owned(),
        }
    };
    text.split_whitespace().map(word).filter(|word| !word.is_empty()).collect()
}

const UNITS: [&str; 8] = ["second", "seconds", "minute", "minutes", "hour", "hours", "day", "days"];
const COLUMNS: u16 = 160;
