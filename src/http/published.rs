//! What is published of the resource types to whoever asks, without a token: made when it is first asked for, and anew when a policy
//! makes other attributes confidential. Nothing else of it changes while the server runs.

use std::sync::{Arc, OnceLock, PoisonError};

use actix_web::web;

use super::Door;
use crate::domain::access::Confidential;
use crate::domain::contract::{self, Contract};
use crate::scim::resource_type::ResourceType;

/// What is published while the same is confidential.
#[derive(Default)]
pub(super) struct Published {
    /// What strangers may not know of.
    pub(super) hidden: Confidential,
    /// The resource types without it.
    pub(super) types: Vec<Arc<ResourceType>>,
    /// What `/openapi.json` answers.
    pub(super) openapi: OnceLock<web::Bytes>,
    contracts: OnceLock<Vec<Contract>>,
}

impl Published {
    /// What `/schemas` answers.
    pub(super) fn contracts(&self) -> &[Contract] {
        self.contracts.get_or_init(|| contract::all(&self.types))
    }

    /// The current version of a contract.
    pub(super) fn contract(&self, name: &str) -> Option<&Contract> {
        self.contracts().iter().find(|one| one.name == name)
    }
}

impl Door {
    /// What is published now.
    pub(super) fn published(&self) -> Arc<Published> {
        let hidden = self.service.confidential();
        let known = self
            .published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if known.hidden == hidden && !known.types.is_empty() {
            return known;
        }
        let types = self.service.resource_types().into_iter();
        let types = types.map(|ty| match hidden.get(&ty.name) {
            Some(hidden) => Arc::new(ty.without(hidden)),
            None => ty,
        });
        let fresh = Arc::new(Published {
            types: types.collect(),
            hidden,
            ..Published::default()
        });
        let mut published = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *published = fresh.clone();
        fresh
    }
}
