//! The reaper: it deletes the rows of processes that are no more (rule 15).

use crate::primary::Owner;
use crate::{LEASE, MARGIN, Protocol, Rule, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaper {
    Idle,
    /// It saw this beat, so long ago.
    Seen {
        owner: Owner,
        beat: u8,
        age: u8,
    },
    /// It saw it again, and its statement is on the way.
    Deleting {
        owner: Owner,
        beat: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    See(Owner),
    SeeAgain,
    Delete,
}

impl Reaper {
    pub fn tick(&mut self) {
        if let Self::Seen { age, .. } = self {
            *age = (LEASE + MARGIN).min(*age + 1);
        }
    }

    pub fn beat(&mut self) -> Option<&mut u8> {
        match self {
            Self::Idle => None,
            Self::Seen { beat, .. } | Self::Deleting { beat, .. } => Some(beat),
        }
    }
}

pub fn steps(protocol: &Protocol, world: &World, steps: &mut Vec<Step>) {
    match world.reaper {
        Reaper::Idle if protocol.scenario.reaper => {
            steps.extend(world.primary.data.rows.iter().map(|row| Step::See(row.owner)));
        }
        Reaper::Seen { age, .. } if age >= LEASE + MARGIN => steps.push(Step::SeeAgain),
        Reaper::Deleting { .. } => steps.push(Step::Delete),
        Reaper::Idle | Reaper::Seen { .. } => {}
    }
}

pub fn step(protocol: &Protocol, world: &mut World, step: Step) {
    let data = &mut world.primary.data;
    world.reaper = match (step, world.reaper) {
        (Step::See(owner), _) => match data.row(owner) {
            Some(row) => Reaper::Seen { owner, beat: row.beat, age: 0 },
            None => Reaper::Idle,
        },
        (Step::SeeAgain, Reaper::Seen { owner, beat, .. }) => match data.row(owner) {
            Some(row) if row.beat == beat => Reaper::Deleting { owner, beat },
            _ => Reaper::Idle,
        },
        (Step::Delete, Reaper::Deleting { owner, beat }) => {
            let any = !protocol.keeps(Rule::UnchangedBeat);
            data.rows.retain(|row| row.owner != owner || (row.beat != beat && !any));
            Reaper::Idle
        }
        (Step::SeeAgain | Step::Delete, reaper) => reaper,
    };
}
