//! A node: it registers, looks at the primary, applies what it sees and so renews its lease
//! (rules 4 to 8). It stalls between any two steps, for as long as the world likes.

use crate::primary::{Data, Owner, Place, Row, Seq};
use crate::verifier::{Told, Verifier};
use crate::{LEASE, MARGIN, Protocol, Rule, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub owner: Owner,
    pub standing: Standing,
    pub verifier: Verifier,
    pub look: Option<Look>,
    /// What it knows of its follower.
    pub note: Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It remembers nothing and has no place in the feed.
    Fresh,
    /// Its row is gone.
    Gone,
    Registered,
}

/// A look under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// How long ago the node read its clock for it; a lease ago or more is all the same.
    pub age: u8,
    pub answer: Option<Answer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The row is gone.
    Gone,
    /// The event at the node's position is another one.
    Forked,
    Events {
        to: Place,
        touched: Option<Seq>,
        /// It was not cut by a limit.
        whole: bool,
        generation: u8,
    },
}

/// A follower as its node sees it (rule 16).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Note {
    pub acknowledged: Seq,
    /// The rest of its lease and of the margin after it.
    pub left: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Register,
    /// Reads the clock for a look.
    Ask,
    /// The primary executes the look.
    Execute,
    /// The answer has come, and all of it is applied.
    Apply,
    /// The look fails.
    Lose,
    /// The process dies, and another one starts.
    Crash,
    /// The process takes its row away and ends, and another one starts.
    Leave,
}

impl Node {
    pub fn new(owner: Owner, data: &Data) -> Self {
        Self {
            owner,
            standing: Standing::Fresh,
            verifier: Verifier::new(data.head(), data.generation),
            look: None,
            note: Note::default(),
        }
    }

    /// Rule 16.
    pub fn settled(&self, protocol: &Protocol) -> Seq {
        let own = self.verifier.position.seq;
        let counts = self.note.left > 0 && protocol.keeps(Rule::FollowersCount);
        if counts { own.min(self.note.acknowledged) } else { own }
    }

    /// What it says to a follower that reads: what it remembers, or else what the primary says.
    pub fn told(&self, data: &Data) -> Told {
        let Verifier { lease, entry, position, .. } = self.verifier;
        match entry {
            Some(entry) if lease > 0 && self.verifier.is_good(entry) => {
                Told { live: true, position: entry }
            }
            _ => Told { live: data.is_live(), position: position.seq },
        }
    }

    /// Notes that its follower is there and may trust for so long (rules 16 and 17).
    pub fn note(&mut self, protocol: &Protocol, acknowledged: Seq, left: u8) {
        let margin = if protocol.keeps(Rule::Margin) { MARGIN } else { 0 };
        let left = if left > 0 { left + margin } else { 0 };
        self.note.left = self.note.left.max(left);
        if self.note.left > 0 {
            self.note.acknowledged = acknowledged;
        }
    }

    pub fn tick(&mut self) {
        self.verifier.tick();
        if let Some(look) = &mut self.look {
            look.age = LEASE.min(look.age + 1);
        }
        self.note.left = self.note.left.saturating_sub(1);
        if self.note.left == 0 {
            self.note = Note::default();
        }
    }

    /// Its row, as it is at the start (rule 4).
    pub fn row(&self, protocol: &Protocol) -> Row {
        Row { owner: self.owner, beat: 0, settled: self.settled(protocol), age: 0 }
    }

    fn lease(&self, protocol: &Protocol) -> u8 {
        if protocol.keeps(Rule::OneLease) { LEASE } else { LEASE + MARGIN + 1 }
    }

    fn register(&mut self, protocol: &Protocol, data: &mut Data) {
        if self.standing == Standing::Fresh {
            self.verifier.begin_anew(data.head(), data.generation);
        }
        if !protocol.keeps(Rule::OwnRowOnly) {
            data.rows.clear();
        }
        self.standing = Standing::Registered;
        data.rows.push(self.row(protocol));
    }

    /// Rule 5: one statement.
    fn execute(&self, protocol: &Protocol, data: &mut Data) -> Answer {
        let Verifier { position, .. } = self.verifier;
        let settled = self.settled(protocol);
        let forks = protocol.keeps(Rule::ForkForgets);
        if forks && !data.has(position) {
            return Answer::Forked;
        }
        match data.row(self.owner) {
            Some(row) => {
                *row = Row { beat: row.beat + protocol.beats(), settled, age: 0, ..*row };
            }
            None if protocol.keeps(Rule::LookNeedsRow) => return Answer::Gone,
            None => {}
        }
        let head = data.head();
        let limit = position.seq + protocol.scenario.limit;
        let to = data.place(head.seq.min(limit)).unwrap_or(head);
        Answer::Events {
            to,
            touched: data.touched(protocol, position.seq, to.seq),
            whole: to == head,
            generation: data.generation,
        }
    }

    fn apply(&mut self, protocol: &Protocol, look: Look) {
        let verifier = &mut self.verifier;
        match look.answer {
            None => {}
            Some(Answer::Gone) => {
                verifier.lease = 0;
                self.standing = Standing::Gone;
            }
            Some(Answer::Forked) => {
                verifier.lease = 0;
                verifier.forget();
                self.standing = Standing::Fresh;
            }
            Some(Answer::Events { to, touched, whole, generation }) => {
                verifier.raise(touched);
                verifier.position = to;
                if verifier.generation != generation && protocol.sees_generations() {
                    verifier.forget();
                }
                verifier.generation = generation;
                if whole || !protocol.keeps(Rule::WholeAnswer) {
                    let lease = self.lease(protocol);
                    let since = if protocol.keeps(Rule::AskedBefore) { look.age } else { 0 };
                    self.verifier.extend(protocol, lease.saturating_sub(since));
                }
            }
        }
    }
}

pub fn steps(protocol: &Protocol, world: &World, node: &Node, steps: &mut Vec<Step>) {
    match (node.standing, node.look) {
        (Standing::Fresh | Standing::Gone, _) => steps.push(Step::Register),
        (Standing::Registered, None) => steps.push(Step::Ask),
        (Standing::Registered, Some(look)) => {
            steps.push(if look.answer.is_some() { Step::Apply } else { Step::Execute });
            steps.push(Step::Lose);
        }
    }
    if world.budget.crashes > 0 {
        steps.push(Step::Crash);
        if node.note.left == 0 || !protocol.keeps(Rule::LastToLeave) {
            steps.push(Step::Leave);
        }
    }
}

pub fn step(protocol: &Protocol, world: &mut World, index: usize, step: Step) {
    let Some(node) = world.nodes.get_mut(index) else { return };
    let data = &mut world.primary.data;
    match step {
        Step::Register => node.register(protocol, data),
        Step::Ask => node.look = Some(Look { age: 0, answer: None }),
        Step::Execute => {
            let answer = node.execute(protocol, data);
            if let Some(look) = &mut node.look {
                look.answer = Some(answer);
            }
        }
        Step::Apply => {
            if let Some(look) = node.look.take() {
                node.apply(protocol, look);
            }
        }
        Step::Lose => node.look = None,
        Step::Crash | Step::Leave => {
            if step == Step::Leave {
                data.rows.retain(|row| row.owner != node.owner);
            }
            let owner = Owner { incarnation: node.owner.incarnation + 1, ..node.owner };
            *node = Node::new(owner, data);
            world.budget.crashes -= 1;
        }
    }
}
