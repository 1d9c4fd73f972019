//! What a node and a follower have in common: a lease, a memory, and decisions (rules 9 to 12).
//!
//! The memory is of one credential, and of nothing but that it lives: that it ended is never
//! accepted by mistake. Only decisions that began after the answer are followed step by step;
//! those before it are seen in the reads that they begin.

use crate::primary::{Data, Place, Seq};
use crate::{Protocol, Rule};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verifier {
    /// How much is left of the lease.
    pub lease: u8,
    /// Without rule 9: what a timer says of it.
    pub flag: bool,
    pub position: Place,
    pub generation: u8,
    /// The last change that touched the credential, as far as it was seen.
    pub floor: Seq,
    /// The position of an entry that says that the credential lives.
    pub entry: Option<Seq>,
    pub flight: Option<Read>,
    pub decision: Option<Decision>,
}

/// A read that others may join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Read {
    /// The verifier's when the read began.
    pub position: Place,
    pub from: Source,
    /// The position of an answer under way, which says that the credential lives.
    pub told: Option<Seq>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Primary,
    Replica,
}

/// A decision that began after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It found the lease valid.
    Trusting,
    /// It waits for the read in flight.
    Joined,
    /// It found the lease over, and reads for itself.
    Alone,
    /// It accepted: the promise is broken.
    Accepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// An earlier decision misses and begins a read.
    Fetch(Source),
    /// The read is executed.
    Execute,
    /// Its answer arrives.
    Deliver,
    /// A decision begins: it reads the clock.
    Begin,
    /// It looks at the memory.
    LookUp,
    /// Its own read is executed and answered.
    ReadAlone,
    /// The timer of the lease fires.
    Timer,
}

/// What a source says when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub live: bool,
    pub position: Seq,
}

impl Verifier {
    pub fn new(place: Place, generation: u8) -> Self {
        Self {
            lease: 0,
            flag: false,
            position: place,
            generation,
            floor: 0,
            entry: None,
            flight: None,
            decision: None,
        }
    }

    /// Rule 10.
    pub fn is_good(&self, position: Seq) -> bool {
        position >= self.floor
    }

    pub fn raise(&mut self, touched: Option<Seq>) {
        self.floor = self.floor.max(touched.unwrap_or(0));
    }

    pub fn extend(&mut self, protocol: &Protocol, left: u8) {
        self.lease = self.lease.max(left);
        self.flag = !protocol.keeps(Rule::ClockNow) && self.lease > 0;
    }

    /// Forgets everything, and goes on at a place of another history.
    pub fn begin_anew(&mut self, place: Place, generation: u8) {
        self.forget();
        self.floor = 0;
        self.position = place;
        self.generation = generation;
    }

    /// Drops entry and reads in flight, and the decisions that wait for those.
    pub fn forget(&mut self) {
        self.entry = None;
        self.drop_flight();
    }

    pub fn tick(&mut self) {
        self.lease = self.lease.saturating_sub(1);
    }

    /// Rule 12: what a replica says counts at or above the position, in the same generation.
    pub fn told_by_replica(&self, protocol: &Protocol, replica: &Data) -> Option<Told> {
        let begun = self.flight.map_or(self.position, |read| read.position);
        let ahead = replica.head().seq >= begun.seq || !protocol.keeps(Rule::ReplicaNotBehind);
        let same =
            replica.generation == self.generation || !protocol.keeps(Rule::ReplicaOfGeneration);
        let told = Told { live: replica.is_live(), position: replica.head().seq };
        (ahead && same).then_some(told)
    }

    fn drop_flight(&mut self) {
        self.flight = None;
        self.decision.take_if(|decision| *decision == Decision::Joined);
    }

    fn fetch(&mut self, from: Source) {
        self.flight = Some(Read { position: self.position, from, told: None });
    }

    fn is_trusting(&self, protocol: &Protocol) -> bool {
        if protocol.keeps(Rule::ClockNow) { self.lease > 0 } else { self.flag }
    }

    fn look_up(&self, protocol: &Protocol) -> Found {
        if let Some(position) = self.entry
            && (self.is_good(position) || !protocol.keeps(Rule::Floors))
        {
            return Found::Entry;
        }
        match self.flight {
            Some(read) if self.is_good(read.position.seq) || !protocol.keeps(Rule::JoinByFloor) => {
                Found::Flight
            }
            _ => Found::Nothing,
        }
    }
}

enum Found {
    Entry,
    Flight,
    Nothing,
}

pub fn steps(
    protocol: &Protocol,
    verifier: &Verifier,
    reads: bool,
    promised: bool,
    steps: &mut Vec<Step>,
) {
    match verifier.flight {
        None if reads => {
            steps.push(Step::Fetch(Source::Primary));
            if protocol.scenario.replica {
                steps.push(Step::Fetch(Source::Replica));
            }
        }
        None => {}
        Some(Read { told: None, .. }) => steps.push(Step::Execute),
        Some(Read { told: Some(_), .. }) => steps.push(Step::Deliver),
    }
    match verifier.decision {
        None if promised => steps.push(Step::Begin),
        Some(Decision::Trusting) => steps.push(Step::LookUp),
        Some(Decision::Alone) => steps.push(Step::ReadAlone),
        None | Some(Decision::Joined | Decision::Accepted) => {}
    }
    if verifier.flag && verifier.lease == 0 {
        steps.push(Step::Timer);
    }
}

/// Takes a step, for which the source of the read says what it says now; `None`: the source may not
/// be used.
pub fn step(protocol: &Protocol, verifier: &mut Verifier, step: Step, told: Option<Told>) {
    match step {
        Step::Fetch(from) => verifier.fetch(from),
        Step::Execute => match told {
            Some(told) if told.live => {
                if let Some(read) = &mut verifier.flight {
                    read.told = Some(told.position.min(read.position.seq));
                }
            }
            _ => verifier.drop_flight(),
        },
        Step::Deliver => {
            let Some(read) = verifier.flight.take() else { return };
            // Rule 11.
            let begun = protocol.keeps(Rule::PositionAtBegin);
            verifier.entry = if begun { read.told } else { Some(verifier.position.seq) };
            if verifier.decision == Some(Decision::Joined) {
                verifier.decision = Some(Decision::Accepted);
            }
        }
        Step::Begin => {
            let shared = !protocol.keeps(Rule::ReadAlone) && verifier.flight.is_some();
            verifier.decision = Some(match verifier.is_trusting(protocol) {
                true => Decision::Trusting,
                false if shared => Decision::Joined,
                false => Decision::Alone,
            });
        }
        Step::LookUp => {
            verifier.decision = Some(match verifier.look_up(protocol) {
                Found::Entry => Decision::Accepted,
                Found::Flight => Decision::Joined,
                Found::Nothing => {
                    verifier.fetch(Source::Primary);
                    Decision::Joined
                }
            });
        }
        Step::ReadAlone => {
            let live = told.is_some_and(|told| told.live);
            verifier.decision = live.then_some(Decision::Accepted);
        }
        Step::Timer => verifier.flag = false,
    }
}
