//! A flood of frames takes a connection of its own, and nothing from the others.

use std::time::{Duration, Instant};

use acceptance::{Caller, Server};
use tokio::{task::JoinSet, time::timeout};

use super::{
    DEADLINE,
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PING, PRIORITY, RST_STREAM,
        SETTINGS, WINDOW_UPDATE, frame, post,
    },
    over_tls,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_ends_and_takes_neither_memory_nor_answers_from_others() {
    let (options, _) = over_tls();
    let server = Server::start(&options.env("KEYSTILE_REQUEST_TIMEOUT", "1s")).await;
    let admin = server.admin();
    admin.get("/api/v1/me").await.expect(200);
    let before = server.resident_bytes();
    let fields = post(&server.admin_key());
    let mut floods = JoinSet::new();
    for (begun, drop) in floods_of(&fields) {
        let mut connection = Frames::open(&server).await;
        floods.spawn(async move {
            let began = Instant::now();
            let mut is_open = connection.send(&begun).await;
            let mut stream = 3;
            while is_open && began.elapsed() < FLOOD {
                let drops: Vec<_> = (0..100).flat_map(|n| drop(stream + 2 * n)).collect();
                stream += 200;
                is_open = connection.send(&drops).await;
            }
            timeout(DEADLINE, connection.ended()).await.expect("it hangs up");
        });
    }

    while !floods.is_empty() {
        let asked = Instant::now();
        admin.get("/api/v1/me").await.expect(200);
        assert!(asked.elapsed() < PROMPTLY, "{:?}", asked.elapsed());
        let grown = server.resident_bytes().saturating_sub(before);
        assert!(grown < MEMORY, "{grown} bytes more");
        while let Some(flood) = floods.try_join_next() {
            flood.unwrap();
        }
    }
    server.api(Caller::Anonymous).get("/readyz").await.expect(200);
}

/// What a flood begins with, and a drop of it for each number of a new stream.
type Flood = (Vec<u8>, Box<dyn Fn(u32) -> Vec<u8> + Send>);

fn floods_of(fields: &[u8]) -> Vec<Flood> {
    let open = frame(HEADERS, END_HEADERS, 1, fields);
    let fields = fields.to_owned();
    let reset = {
        let fields = fields.clone();
        move |stream| {
            let request = frame(HEADERS, END_HEADERS | END_STREAM, stream, &fields);
            [request, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        }
    };
    let half = {
        let fields = fields.clone();
        move |stream| frame(HEADERS, END_HEADERS, stream, &fields)
    };
    vec![
        (open.clone(), Box::new(|_| frame(DATA, 0, 1, &[]))),
        (open.clone(), Box::new(|_| frame(DATA, 0, 1, b" "))),
        (open, Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))),
        (frame(HEADERS, 0, 1, &fields), Box::new(|_| frame(CONTINUATION, 0, 1, b"\0\x01a\x01b"))),
        (frame(HEADERS, 0, 1, &fields), Box::new(|_| frame(CONTINUATION, 0, 1, &[]))),
        (vec![], Box::new(reset)),
        (vec![], Box::new(half)),
        (vec![], Box::new(|_| frame(PING, 0, 0, &[0; 8]))),
        (vec![], Box::new(|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]))),
        (vec![], Box::new(|stream| frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 1]))),
        (vec![], Box::new(|_| frame(0xfa, 0, 0, &[0; 64]))),
    ]
}

/// How long a flood lasts if it is not ended before.
const FLOOD: Duration = Duration::from_secs(3);
const PROMPTLY: Duration = Duration::from_secs(5);
const MEMORY: u64 = 64 * 1024 * 1024;
