//! `keystile backup`: everything into one file, whether or not a server runs.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use keystile_auth::{Clock, SystemClock};
use keystile_service::backup::{BackedUp, back_up};

use crate::open::open_beside;
use crate::private_file::PrivateFile;
use crate::progress::Counted;
use crate::settings::Flags;

/// Does it, and ends.
pub fn run(file: &Path, force: bool, flags: Flags) -> anyhow::Result<()> {
    if !force && file.exists() {
        bail!("{} is there already: --force replaces it", file.display());
    }
    tokio::runtime::Runtime::new()?.block_on(write(file, flags))
}

async fn write(file: &Path, flags: Flags) -> anyhow::Result<()> {
    let (store, master) = open_beside(flags).await?;
    let now = SystemClock.now();
    let (rows, (seq, hash)) = if file.as_os_str() == "-" {
        if io::stdout().is_terminal() {
            bail!("a backup is nothing for a terminal: name a file, or send it somewhere");
        }
        let out = Counted::new(io::stdout(), None, WRITTEN);
        let BackedUp { out, rows, head } = back_up(&store, &master, now, out).await?;
        out.end().flush()?;
        (rows, head)
    } else {
        let cannot = || format!("cannot write the backup to {}", file.display());
        let out = PrivateFile::begin(file).with_context(cannot)?;
        let out = Counted::new(out, None, WRITTEN);
        let BackedUp { out, rows, head } = back_up(&store, &master, now, out).await?;
        out.end().finish().with_context(cannot)?;
        (rows, head)
    };
    eprintln!("keystile: {rows} rows, up to event {seq} with the seal {hash}");
    Ok(())
}

const WRITTEN: &str = "written";
