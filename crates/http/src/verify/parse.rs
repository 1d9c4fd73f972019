//! From the members of a question to what the use case takes.

use std::net::{AddrParseError, IpAddr};

use keystile_api::verify::{Permissions, VerifyRequest};
use keystile_domain::{
    Carrier, Cost, Endpoint, IdError, PermissionQuery, PermissionQueryError, Transport,
};
use keystile_service::ServiceError;
use keystile_service::verify::Question;

use crate::fields::Fields;
use crate::lookups::shown;

/// A question, at this place of the body.
pub(super) fn question(asked: VerifyRequest, at: &str) -> Result<Question, ServiceError> {
    let mut fields = Fields::below(at);
    let permission = asked.permissions.and_then(|asked| permissions(&mut fields, asked));
    let carrier = asked.source.and_then(|text| {
        // A ticket is worth something to us alone.
        let carrier = text.parse().ok().filter(|carrier| *carrier != Carrier::Ticket);
        fields.read("/source", carrier.ok_or("must be header, bearer or query"))
    });
    let transport = asked.transport.and_then(|text| {
        let rule = |_: IdError| "must be secure or insecure";
        fields.read("/transport", text.parse::<Transport>().map_err(rule))
    });
    let address = asked.ip.and_then(|text| {
        let rule = |_: AddrParseError| "must be an IP address";
        fields.read("/ip", text.parse::<IpAddr>().map_err(rule))
    });
    let shown = shown(&mut fields, asked.fingerprint, asked.credential);
    let cost = fields.optional("/cost", asked.cost, Cost::try_from);
    fields.finish(shown.map(|shown| Question {
        shown,
        permission,
        endpoint: asked.endpoint.map(|asked| Endpoint::new(&asked.method, &asked.path)),
        carrier,
        transport,
        address,
        cost: cost.unwrap_or(Cost::ONE),
        explain: asked.explain,
    }))
}

fn permissions(fields: &mut Fields, asked: Permissions) -> Option<PermissionQuery> {
    match asked {
        Permissions::Expression(text) => {
            fields.read("/permissions", text.parse::<PermissionQuery>())
        }
        Permissions::All(texts) => {
            let parsed = fields.list("/permissions", texts, |text: String| {
                text.parse().map_err(PermissionQueryError::from)
            });
            Some(PermissionQuery::all(parsed))
        }
    }
}
