//! What must never happen, as matrices over the routes of the running server: which operations
//! there are, and what their bodies look like, is asked of the server itself, so that a route that
//! is added tomorrow is held to the same rules.
//!
//! `world` is the server and the things in it, `operations` what it can be asked, `needs` by whom,
//! `holders` who there is, `wire` how to ask what no client would; `problem` is the shape of every
//! refusal. The other modules are the rules.

mod holders;
mod needs;
mod operations;
mod problem;
mod wire;
mod world;

mod ambiguous;
mod answers;
mod bodies;
mod bytes;
mod canary;
mod columns;
mod deadlines;
mod disguises;
mod ended;
mod lists;
mod naughty;
mod near_misses;
mod objects;
mod outage;
mod parity;
mod permitted;
mod protocol;
mod unauthenticated;
