//! `keystile admin rotate-pepper` and `forget-old-peppers`.

use anyhow::bail;
use keystile_auth::SystemClock;
use keystile_service::cluster::outwait_leases;
use keystile_service::peppers::{Forgotten, Rotated, Stragglers, forget, rotate};

use crate::open::open_beside;
use crate::print;
use crate::settings::Flags;

pub(super) async fn rotate_pepper(flags: Flags) -> anyhow::Result<()> {
    let (store, master) = open_beside(flags).await?;
    match rotate(&store, &master, &SystemClock).await? {
        Rotated::Done => Ok(outwait_leases(&store).await?),
        Rotated::Not(until) => bail!("the last rotation is too fresh: try again at {until}"),
    }
}

pub(super) async fn forget_old_peppers(force: bool, flags: Flags) -> anyhow::Result<()> {
    let (store, master) = open_beside(flags).await?;
    let stragglers = if force { Stragglers::Stop } else { Stragglers::Keep };
    match forget(&store, &master, &SystemClock, stragglers).await? {
        Forgotten::Nothing => {
            eprintln!("keystile: there is no old pepper");
            Ok(())
        }
        Forgotten::Done(stopped) => {
            outwait_leases(&store).await?;
            eprintln!("keystile: the old peppers are forgotten; stopped: {}", stopped.len());
            Ok(())
        }
        Forgotten::WouldStop(left) => {
            for straggler in &left {
                print(&format!("{} {} {}\n", straggler.id, straggler.kind, straggler.name))?;
            }
            bail!(
                "{} that were not used since the rotation would stop for good, so nothing was \
                 done; --force stops them",
                left.len()
            )
        }
    }
}
