//! What has not been through the policy cannot be serialized, and nobody outside the domain can say that it has.

use muster::domain::masked::{Masked, Resource};
use muster::domain::record::Folded;

fn record(found: &Folded) -> serde_json::Result<String> {
    serde_json::to_string(found)
}

fn resource(found: &Resource) -> serde_json::Result<String> {
    serde_json::to_string(found)
}

fn sealed(found: Resource) -> Masked<Resource> {
    Masked::seal(found)
}

fn made(found: Resource) -> Masked<Resource> {
    Masked(found)
}

fn main() {
    let _ = (record, resource, sealed, made);
}
