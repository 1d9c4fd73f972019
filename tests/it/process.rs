//! The server as a process: how it starts, refuses to start, stops, and is killed.

mod crash;
mod first_start;
mod logging;
mod settings;
mod starting;
mod stopping;
