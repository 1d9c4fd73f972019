//! The request that revokes and asks to wait (rules 13 to 15). Its process has a clock of its own
//! and may be any node.

use crate::primary::{Change, Owner, Place, Seq};
use crate::{LEASE, MARGIN, Promise, Protocol, Rule, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Waiter {
    pub stage: Stage,
    /// The generation that its process has seen last, and for how long.
    pub generation: u8,
    pub seen_for: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Idle,
    /// Its transaction is open, or committed and not acknowledged. Without rule 13 a clock runs.
    Committing {
        place: Place,
        clock: u8,
    },
    Waiting {
        seq: Seq,
        clock: u8,
    },
    /// It has just answered.
    Answered(Why),
    Over,
    /// 503: it does not know.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    Acknowledged,
    Expired,
    /// It did not ask to wait.
    AtOnce,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// To revoke, and to wait for all.
    Revoke,
    /// To revoke what is revoked, and to wait for all.
    Repeat,
    /// To revoke.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Open,
    /// Finds the credential revoked, and remembers the head of the feed.
    Repeat,
    /// The commit is acknowledged.
    Acknowledged,
    /// The outcome of the commit is unknown.
    Fail,
    /// Reads the rows and the generation.
    Read,
    /// Finds that its clock has shown enough.
    Answer,
}

impl Waiter {
    pub fn new(generation: u8) -> Self {
        Self { stage: Stage::Idle, generation, seen_for: LEASE + MARGIN }
    }

    pub fn tick(&mut self) {
        let full = LEASE + MARGIN;
        self.seen_for = full.min(self.seen_for + 1);
        if let Stage::Committing { clock, .. } | Stage::Waiting { clock, .. } = &mut self.stage {
            *clock = full.min(*clock + 1);
        }
    }
}

/// What the waiter waits for by its clock.
fn enough(protocol: &Protocol) -> u8 {
    if protocol.keeps(Rule::Margin) { LEASE + MARGIN } else { LEASE }
}

/// Rule 14: the owners of the rows that speak against an answer.
fn unsettled(protocol: &Protocol, world: &World, seq: Seq) -> Option<Owner> {
    let rows = world.primary.data.rows.iter();
    let mut counted = rows.filter(|row| protocol.keeps(Rule::EveryRow) || row.age < LEASE);
    counted.find(|row| row.settled < seq).map(|row| row.owner)
}

pub fn steps(protocol: &Protocol, world: &World, steps: &mut Vec<Step>) {
    let primary = &world.primary;
    match world.waiter.stage {
        Stage::Idle => match protocol.scenario.asks {
            _ if !primary.open.is_empty() && protocol.keeps(Rule::GaplessFeed) => {}
            Asks::Repeat if primary.data.is_live() => {}
            Asks::Repeat => steps.push(Step::Repeat),
            Asks::Revoke | Asks::Plain => steps.push(Step::Open),
        },
        Stage::Committing { place, .. } => {
            let durable = primary.is_durable(place);
            if durable || (primary.data.has(place) && !protocol.keeps(Rule::DurableCommit)) {
                steps.push(Step::Acknowledged);
            }
            if !primary.data.has(place) && !primary.open.iter().any(|(seq, _)| *seq == place.seq) {
                steps.push(Step::Fail);
            }
        }
        Stage::Waiting { clock, .. } => {
            steps.push(Step::Read);
            if clock >= enough(protocol) {
                steps.push(Step::Answer);
            }
        }
        Stage::Answered(_) | Stage::Over | Stage::Failed => {}
    }
}

pub fn step(protocol: &Protocol, world: &mut World, step: Step) {
    let waiter = &mut world.waiter;
    match (step, waiter.stage) {
        (Step::Open, _) => {
            if let Some(place) = world.primary.open(protocol, Change::Revoke) {
                waiter.stage = Stage::Committing { place, clock: 0 };
            }
        }
        (Step::Repeat, _) => {
            let place = world.primary.data.head();
            if !protocol.keeps(Rule::RepeatWaits) {
                world.answer(Why::AtOnce, Promise::Everywhere);
            } else if protocol.keeps(Rule::RepeatIsDurable) {
                waiter.stage = Stage::Committing { place, clock: 0 };
            } else {
                waiter.stage = Stage::Waiting { seq: place.seq, clock: 0 };
            }
        }
        (Step::Acknowledged, Stage::Committing { place, clock }) => {
            if protocol.scenario.asks == Asks::Plain {
                let own = world.nodes.iter_mut().take(1);
                // Rule 3.
                let raised = own.filter(|_| protocol.keeps(Rule::OwnFloor));
                raised.for_each(|node| node.verifier.raise(Some(place.seq)));
                world.answer(Why::AtOnce, Promise::Here);
                return;
            }
            let clock = if protocol.keeps(Rule::ClockAfterCommit) { 0 } else { clock };
            waiter.stage = Stage::Waiting { seq: place.seq, clock };
        }
        (Step::Fail, _) => waiter.stage = Stage::Failed,
        (Step::Read, Stage::Waiting { seq, .. }) => {
            let generation = world.primary.data.generation;
            if waiter.generation != generation {
                waiter.generation = generation;
                waiter.seen_for = 0;
            }
            let known = waiter.seen_for >= enough(protocol);
            if (known || !protocol.keeps(Rule::GenerationSeen))
                && unsettled(protocol, world, seq).is_none()
            {
                world.answer(Why::Acknowledged, Promise::Everywhere);
            }
        }
        (Step::Answer, _) => world.answer(Why::Expired, Promise::Everywhere),
        (Step::Acknowledged | Step::Read, _) => {}
    }
}
