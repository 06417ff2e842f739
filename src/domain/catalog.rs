//! All resource types, and how each is a view of a kind of record. Everything here is read from the schema files.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::record::Kind;
use super::view::{Specs, View};
use crate::scim::resource_type::{Extension, ResourceType};
use crate::scim::schema::Schema;

const FILES: [&str; 22] = [
    include_str!("../scim/schemas/user.json"),
    include_str!("../scim/schemas/group.json"),
    include_str!("../scim/schemas/group_membership.json"),
    include_str!("../scim/schemas/enterprise_user.json"),
    include_str!("schemas/person.json"),
    include_str!("schemas/candidate.json"),
    include_str!("schemas/employee.json"),
    include_str!("schemas/customer.json"),
    include_str!("schemas/consent.json"),
    include_str!("schemas/identity.json"),
    include_str!("schemas/provenance.json"),
    include_str!("schemas/audit_event.json"),
    include_str!("schemas/organization.json"),
    include_str!("schemas/review.json"),
    include_str!("schemas/requisition.json"),
    include_str!("schemas/application.json"),
    include_str!("schemas/verification.json"),
    include_str!("schemas/interview.json"),
    include_str!("schemas/assessment.json"),
    include_str!("schemas/offer.json"),
    include_str!("schemas/opportunity.json"),
    include_str!("schemas/employment.json"),
];

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PERSON: &str = "urn:muster:scim:schemas:core:1.0:Person";
const ORGANIZATION: &str = "urn:muster:scim:schemas:core:1.0:Organization";
const REVIEW: &str = "urn:muster:scim:schemas:core:1.0:Review";
/// The roles that a person may hold, several at once, and where they come from.
const ROLES: [&str; 5] = [
    "urn:muster:scim:schemas:extension:1.0:Candidate",
    "urn:muster:scim:schemas:extension:1.0:Employee",
    "urn:muster:scim:schemas:extension:1.0:Customer",
    "urn:muster:scim:schemas:extension:1.0:Consent",
    "urn:muster:scim:schemas:extension:1.0:Provenance",
];
const IDENTITY: &str = "urn:muster:scim:schemas:extension:1.0:Identity";

/// Memberships are rows between records, not a view of any kind of record: they have no leaves, no sources, no index.
const MEMBERSHIP: Plan = Plan {
    name: "GroupMembership",
    endpoint: "/GroupMemberships",
    description: "One member of one group",
    core: "urn:ietf:params:scim:schemas:core:2.0:GroupMembership",
    extensions: &[],
    kind: Kind::Group,
    accounts_only: false,
};

/// The events of the log are rows of a table of their own.
const AUDIT_EVENT: Plan = Plan {
    name: "AuditEvent",
    endpoint: "/AuditEvents",
    description: "One event of the log",
    core: "urn:muster:scim:schemas:core:1.0:AuditEvent",
    extensions: &[],
    kind: Kind::Group,
    accounts_only: false,
};

/// A resource type to be.
struct Plan {
    name: &'static str,
    endpoint: &'static str,
    description: &'static str,
    core: &'static str,
    extensions: &'static [&'static str],
    kind: Kind,
    accounts_only: bool,
}

const TYPES: [Plan; 13] = [
    Plan {
        name: "User",
        endpoint: "/Users",
        description: "A person's account",
        core: USER,
        extensions: &[
            ENTERPRISE, ROLES[0], ROLES[1], ROLES[2], ROLES[3], ROLES[4], IDENTITY,
        ],
        kind: Kind::Person,
        accounts_only: true,
    },
    Plan {
        name: "Group",
        endpoint: "/Groups",
        description: "A group of people and groups",
        core: GROUP,
        extensions: &[],
        kind: Kind::Group,
        accounts_only: false,
    },
    Plan {
        name: "Person",
        endpoint: "/Persons",
        description: "One human being in every role",
        core: PERSON,
        extensions: &ROLES,
        kind: Kind::Person,
        accounts_only: false,
    },
    Plan {
        name: "Organization",
        endpoint: "/Organizations",
        description: "A company, a school, a customer's account",
        core: ORGANIZATION,
        extensions: &[ROLES[4]],
        kind: Kind::Organization,
        accounts_only: false,
    },
    Plan {
        name: "Review",
        endpoint: "/Reviews",
        description: "A question for a human",
        core: REVIEW,
        extensions: &[],
        kind: Kind::Review,
        accounts_only: false,
    },
    Plan {
        name: "Requisition",
        endpoint: "/Requisitions",
        description: "A position to be filled",
        core: "urn:muster:scim:schemas:core:1.0:Requisition",
        extensions: &[],
        kind: Kind::Requisition,
        accounts_only: false,
    },
    Plan {
        name: "Application",
        endpoint: "/Applications",
        description: "One person's way through one requisition",
        core: "urn:muster:scim:schemas:core:1.0:Application",
        extensions: &[],
        kind: Kind::Application,
        accounts_only: false,
    },
    Plan {
        name: "Verification",
        endpoint: "/Verifications",
        description: "A decision on who an applicant is",
        core: "urn:muster:scim:schemas:core:1.0:Verification",
        extensions: &[],
        kind: Kind::Verification,
        accounts_only: false,
    },
    Plan {
        name: "Interview",
        endpoint: "/Interviews",
        description: "A conversation with an applicant",
        core: "urn:muster:scim:schemas:core:1.0:Interview",
        extensions: &[],
        kind: Kind::Interview,
        accounts_only: false,
    },
    Plan {
        name: "Assessment",
        endpoint: "/Assessments",
        description: "The result of a test",
        core: "urn:muster:scim:schemas:core:1.0:Assessment",
        extensions: &[],
        kind: Kind::Assessment,
        accounts_only: false,
    },
    Plan {
        name: "Offer",
        endpoint: "/Offers",
        description: "What is offered to an applicant",
        core: "urn:muster:scim:schemas:core:1.0:Offer",
        extensions: &[],
        kind: Kind::Offer,
        accounts_only: false,
    },
    Plan {
        name: "Opportunity",
        endpoint: "/Opportunities",
        description: "A deal with a customer",
        core: "urn:muster:scim:schemas:core:1.0:Opportunity",
        extensions: &[],
        kind: Kind::Opportunity,
        accounts_only: false,
    },
    Plan {
        name: "Employment",
        endpoint: "/Employments",
        description: "A contract of work",
        core: "urn:muster:scim:schemas:core:1.0:Employment",
        extensions: &[],
        kind: Kind::Employment,
        accounts_only: false,
    },
];

type Schemas = HashMap<String, Arc<Schema>>;

impl Plan {
    fn resource_type(&self, schemas: &Schemas) -> Result<ResourceType, String> {
        let schema = |urn: &str| {
            schemas
                .get(urn)
                .cloned()
                .ok_or_else(|| format!("there is no schema {urn}"))
        };
        let extension = |urn: &&str| {
            Ok(Extension {
                schema: schema(urn)?,
                required: false,
            })
        };
        Ok(ResourceType {
            id: self.name.into(),
            name: self.name.into(),
            endpoint: self.endpoint.into(),
            description: self.description.into(),
            schema: schema(self.core)?,
            extensions: self
                .extensions
                .iter()
                .map(extension)
                .collect::<Result<_, String>>()?,
        })
    }
}

/// All views, and what the canonical paths mean.
#[derive(Debug)]
pub struct Catalog {
    views: Vec<Arc<View>>,
    membership: Arc<ResourceType>,
    audit_event: Arc<ResourceType>,
    specs: BTreeMap<Kind, Specs>,
}

impl Catalog {
    /// Reads the schema files that are built in.
    pub fn load() -> Result<Self, String> {
        let mut schemas = Schemas::new();
        for file in FILES {
            let schema = Schema::parse(file).map_err(|error| format!("a schema file: {error}"))?;
            schemas.insert(schema.id.to_string(), Arc::new(schema));
        }
        let aliases = aliases(&schemas);
        let mut catalog = Self {
            views: Vec::new(),
            membership: Arc::new(MEMBERSHIP.resource_type(&schemas)?),
            audit_event: Arc::new(AUDIT_EVENT.resource_type(&schemas)?),
            specs: BTreeMap::new(),
        };
        for plan in &TYPES {
            let specs = catalog.specs.entry(plan.kind).or_default();
            let resource_type = plan.resource_type(&schemas)?;
            let view = View::new(
                resource_type,
                plan.kind,
                plan.accounts_only,
                &aliases,
                specs,
            );
            catalog.views.push(Arc::new(view));
        }
        Ok(catalog)
    }

    /// The view served at an endpoint (`/Users`), whatever its case.
    #[must_use]
    pub fn at(&self, endpoint: &str) -> Option<&Arc<View>> {
        self.views
            .iter()
            .find(|view| view.resource_type.endpoint == endpoint)
    }

    /// All views, in order of discovery.
    #[must_use]
    pub fn views(&self) -> &[Arc<View>] {
        &self.views
    }

    /// The type of memberships, which is a view of no record.
    #[must_use]
    pub fn membership(&self) -> &Arc<ResourceType> {
        &self.membership
    }

    /// The type of the log's events, which are no records.
    #[must_use]
    pub fn audit_event(&self) -> &Arc<ResourceType> {
        &self.audit_event
    }

    /// All resource types, in order of discovery.
    pub fn resource_types(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        let views = self.views.iter().map(|view| &view.resource_type);
        views.chain([&self.membership, &self.audit_event])
    }

    /// What the canonical paths of a kind mean.
    #[must_use]
    pub fn specs(&self, kind: Kind) -> &Specs {
        static NONE: Specs = Specs::new();
        self.specs.get(&kind).unwrap_or(&NONE)
    }

    /// The endpoint of a resource type (`User` is at `/Users`), for references.
    #[must_use]
    pub fn endpoint(&self, resource_type: &str) -> Option<&str> {
        endpoint(resource_type)
    }
}

/// The endpoint of a resource type (`User` is at `/Users`), for references.
#[must_use]
pub fn endpoint(resource_type: &str) -> Option<&'static str> {
    let plan = TYPES.iter().find(|plan| plan.name == resource_type)?;
    Some(plan.endpoint)
}

/// From the full path of each alias to the canonical path of the leaf that owns the value.
fn aliases(schemas: &Schemas) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for schema in schemas.values() {
        let owner = |path: &str| {
            if is_core(&schema.id) {
                path.to_owned()
            } else {
                format!("{}:{path}", schema.id)
            }
        };
        for attribute in &schema.attributes {
            for alias in &attribute.aliases {
                found.insert(alias.clone(), owner(&attribute.name));
            }
            for sub in &attribute.sub_attributes {
                for alias in &sub.aliases {
                    found.insert(
                        alias.clone(),
                        owner(&format!("{}.{}", attribute.name, sub.name)),
                    );
                }
            }
        }
    }
    found
}

fn is_core(urn: &str) -> bool {
    TYPES.iter().any(|plan| plan.core == urn)
}
