//! The server as a process: how it starts, refuses to start, stops, and is killed.

mod crash;
mod first_start;
mod settings;
mod starting;
mod stopping;
