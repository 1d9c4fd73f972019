//! A follower: a verifier inside somebody's service, which follows a node as the node follows the
//! primary (rules 16 to 19).

use crate::node::Node;
use crate::primary::{Data, Place};
use crate::verifier::Verifier;
use crate::{LEASE, Protocol, Rule, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Follower {
    pub verifier: Verifier,
    pub ask: Option<Ask>,
}

/// A lease asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    /// How long ago the follower read its clock for it; a lease ago or more is all the same.
    pub age: u8,
    /// The position at which it asked.
    pub position: Place,
    /// The node's position, and what is left of the node's own lease.
    pub given: Option<(Place, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reads the clock and asks.
    Ask,
    /// The node notes the follower and answers.
    Reach,
    /// Somebody else, who has seen everything, asks with the same lease id.
    Forge,
    /// The stream brings the events that the node has applied.
    Push,
    /// The answer has come, and everything up to its position is applied.
    Trust,
    /// The answer is lost.
    Lose,
}

impl Follower {
    pub fn new(data: &Data) -> Self {
        Self { verifier: Verifier::new(data.head(), data.generation), ask: None }
    }

    pub fn tick(&mut self) {
        self.verifier.tick();
        if let Some(ask) = &mut self.ask {
            ask.age = LEASE.min(ask.age + 1);
        }
    }
}

/// What a node gives to a follower that asks.
fn left(protocol: &Protocol, node: &Node) -> u8 {
    match node.verifier.lease {
        0 if protocol.keeps(Rule::OwnLeaseToGive) => 0,
        0 => LEASE,
        left if protocol.keeps(Rule::TimeLeft) => left,
        _ => LEASE,
    }
}

pub fn steps(protocol: &Protocol, world: &World, follower: &Follower, steps: &mut Vec<Step>) {
    let verifier = &follower.verifier;
    match follower.ask {
        None => steps.push(Step::Ask),
        Some(Ask { given: None, .. }) => steps.extend([Step::Reach, Step::Lose]),
        Some(Ask { given: Some((place, _)), .. }) => {
            // Rule 17.
            if verifier.position.seq >= place.seq || !protocol.keeps(Rule::AppliedFirst) {
                steps.push(Step::Trust);
            }
            steps.push(Step::Lose);
        }
    }
    if !protocol.keeps(Rule::LeaseIds) {
        steps.push(Step::Forge);
    }
    let pushes = world.nodes.first().is_some_and(|node| {
        node.verifier.position.seq > verifier.position.seq
            || node.verifier.generation != verifier.generation
    });
    if pushes || !protocol.keeps(Rule::PushExtendsNothing) {
        steps.push(Step::Push);
    }
}

pub fn step(protocol: &Protocol, world: &mut World, step: Step) {
    let World { nodes, follower, primary, .. } = world;
    let (Some(node), Some(follower)) = (nodes.first_mut(), follower) else { return };
    let verifier = &mut follower.verifier;
    match step {
        Step::Ask => {
            follower.ask = Some(Ask { age: 0, position: verifier.position, given: None });
        }
        Step::Reach => {
            let Some(ask) = &mut follower.ask else { return };
            if verifier.generation != node.verifier.generation {
                follower.ask = None;
                return;
            }
            let left = left(protocol, node);
            if protocol.keeps(Rule::NotedFirst) {
                node.note(protocol, ask.position.seq, left);
            }
            ask.given = Some((node.verifier.position, left));
        }
        Step::Forge => node.note(protocol, node.verifier.position.seq, 0),
        Step::Push => {
            let to = node.verifier.position;
            if verifier.generation != node.verifier.generation {
                if protocol.sees_generations() {
                    verifier.forget();
                    verifier.lease = 0;
                }
                follower.ask = None;
                verifier.generation = node.verifier.generation;
            }
            verifier.raise(primary.data.touched(protocol, verifier.position.seq, to.seq));
            verifier.position = to;
            if !protocol.keeps(Rule::PushExtendsNothing) {
                verifier.extend(protocol, LEASE);
            }
        }
        Step::Trust => {
            if let Some(Ask { age, given: Some((_, left)), .. }) = follower.ask.take() {
                verifier.extend(protocol, left.saturating_sub(age));
            }
        }
        Step::Lose => follower.ask = None,
    }
}
