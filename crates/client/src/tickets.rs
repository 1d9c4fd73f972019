//! Tickets: URLs for clients that cannot set headers.

use keystile_api::tickets::{NewTicket, Ticket};

use crate::{Answer, Change, Client, Result, operations};

/// The tickets of whoever calls.
#[derive(Clone, Debug)]
pub struct Tickets(pub(crate) Client);

impl Tickets {
    /// Makes a ticket: for one request, with one method to one path, for a short time.
    pub async fn create(&self, new: &NewTicket, change: &Change) -> Result<Answer<Ticket>> {
        self.0.call(operations::create_ticket, &[]).json(new).change(change).answer().await
    }
}
