//! The protocol as stateright sees it: where the world begins, what may happen, and what must never
//! be.

use stateright::{Model, Property};

use crate::waiter::{Asks, Why};
use crate::world::Action;
use crate::{Rule, Scenario, World};

#[derive(Clone, Debug)]
pub struct Protocol {
    pub scenario: Scenario,
    /// The rule that is left out.
    pub dropped: Option<Rule>,
}

impl Protocol {
    pub fn keeps(&self, rule: Rule) -> bool {
        self.dropped != Some(rule)
    }

    /// Whether verifiers forget when they see another generation. Nothing tells a fork at all if not
    /// even that does.
    pub fn sees_generations(&self) -> bool {
        self.keeps(Rule::GenerationForgets) && self.keeps(Rule::ForkForgets)
    }

    /// By how much a look raises the beat: where nobody compares beats, not at all.
    pub fn beats(&self) -> u8 {
        u8::from(self.scenario.reaper)
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.actions(self, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.step(self, action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(PROMISE, |_, world: &World| !world.has_broken_its_promise()),
            Property::sometimes("a check is answered from memory", |_, world: &World| {
                world.remembers_what_lives()
            }),
        ];
        match self.scenario.asks {
            Asks::Plain => {
                properties
                    .push(Property::sometimes("the answer does not wait", |_, world: &World| {
                        world.has_answered(Why::AtOnce)
                    }));
            }
            Asks::Repeat | Asks::Revoke => properties.extend([
                Property::sometimes("all have acknowledged", |_, world: &World| {
                    world.has_answered(Why::Acknowledged)
                }),
                Property::sometimes("all leases have expired", |_, world: &World| {
                    world.has_answered(Why::Expired)
                }),
            ]),
        }
        properties
    }
}

/// What must never be otherwise.
pub const PROMISE: &str = "nobody accepts what was answered to be revoked";
