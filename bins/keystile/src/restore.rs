//! `keystile restore`: a backup into an empty database.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use keystile_auth::SystemClock;
use keystile_domain::Timestamp;
use keystile_service::restore::{NotAgain, Restored, restore};
use uuid::Uuid;

use crate::master_key;
use crate::open::{load, make_private, open_store};
use crate::progress::Counted;
use crate::settings::Flags;

/// Does it, and ends.
pub fn run(
    file: &Path,
    changed_since: Option<Timestamp>,
    ended: Option<&Path>,
    flags: Flags,
) -> anyhow::Result<()> {
    let ended = ended.map(read_ids).transpose()?.unwrap_or_default();
    let not_again = NotAgain { changed_since, ended };
    tokio::runtime::Runtime::new()?.block_on(read(file, not_again, flags))
}

async fn read(file: &Path, not_again: NotAgain, flags: Flags) -> anyhow::Result<()> {
    let settings = load(flags)?;
    let (backup, length): (Box<dyn Read + Send>, _) = if file.as_os_str() == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let file = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        let length = file.metadata().ok().map(|metadata| metadata.len());
        (Box::new(file), length)
    };
    let master = master_key::load(settings.master_key, &settings.data_dir, true)
        .context("a backup comes back only under the master key that it was made under")?;
    make_private(&settings.data_dir)?;
    let (store, _lock) = open_store(&settings.database).await?;
    let names_none = not_again.changed_since.is_none() && not_again.ended.is_empty();
    let mut backup = Counted::new(backup, length, "read");
    let restored = restore(&store, &master, &SystemClock, &mut backup, not_again).await?;
    drop(backup.end());
    tell(&restored, names_none);
    Ok(())
}

fn tell(restored: &Restored, named_none: bool) {
    let Restored { made_at, rows, head, ended, .. } = restored;
    eprintln!("keystile: {rows} rows of {made_at}, up to event {head}");
    eprintln!("keystile: whoever was signed in signs in again");
    for id in &restored.unknown {
        eprintln!("keystile: {id} is not in the backup, and so needs no ending");
    }
    if named_none {
        eprintln!(
            "keystile: every key, token and user that was revoked after {made_at} lives again; \
             --ended and --disable-changed-since end them before a server starts"
        );
    } else {
        eprintln!(
            "keystile: ended once more: {ended}; whatever else was revoked after {made_at} lives \
             again"
        );
    }
}

/// One id in each line; what follows it is a remark, and so is a line that begins with `#`.
fn read_ids(file: &Path) -> anyhow::Result<Vec<Uuid>> {
    let text = std::fs::read_to_string(file);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let id = line.split([' ', '\t', ',']).next().unwrap_or_default();
            id.parse().with_context(|| format!("{}, line {number}: no id", file.display()))
        })
        .collect()
}
