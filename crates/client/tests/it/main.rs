//! The client in front of servers that do what a real one rarely does: break, stall, refuse, and
//! answer what nobody asked. What it does with a real one is in the acceptance tests.

#![cfg(test)]

mod answers;
mod broken;
mod lists;
mod repeats;
mod stub;
mod tls;
