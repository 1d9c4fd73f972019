//! New peppers and new master keys, under servers that run.

mod master_key;
mod pepper;
