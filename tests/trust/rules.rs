//! The policies that these tests apply.

#[allow(unused_imports, reason = "each suite uses its own part")]
pub(crate) use crate::support::policy::{apply, folded, try_apply};

/// Who sees what in most of these tests: `hris` has the purposes, `idp` and `crm` have none, and `crm` reaches customers
/// alone. ISSUER stands for the issuer's URL.
pub(crate) const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
  - { name: idp, kind: idp, owner: IT, verifiesEmail: true }
  - { name: crm, kind: crm, owner: Sales }
  - { name: ats, kind: ats, owner: Recruiting }
roles:
  people: [{ types: [User, Person, Group, GroupMembership], rights: [read, search, write, delete] }]
  sales: [{ types: [Person], rights: [read, search, write], where: 'urn:muster:scim:schemas:extension:1.0:Customer:status pr' }]
  directory: [{ types: [Person], rights: [read, search], attributes: [name, displayName, emails.value] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [people], purposes: [payroll, employment] }
  - { name: idp, issuer: "ISSUER", match: { claim: azp, equals: idp }, tenant: default, system: idp, roles: [people] }
  - { name: crm, issuer: "ISSUER", match: { claim: azp, equals: crm }, tenant: default, system: crm, roles: [sales] }
  - { name: ats, issuer: "ISSUER", match: { claim: azp, equals: ats }, tenant: default, system: ats, roles: [people], purposes: [recruiting] }
  - { name: verifier, issuer: "ISSUER", match: { claim: azp, equals: verifier }, tenant: default, system: ats, roles: [directory] }
masking:
  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }
  - { attributes: [nationalities], openTo: [payroll], otherwise: redact }
  - { attributes: ["emails[type eq \"home\"]", "addresses[type eq \"home\"]"], openTo: [employment], otherwise: omit }
  - { attributes: [phoneNumbers], openTo: [employment, recruiting], otherwise: lastFour }
  - { attributes: [preferredLanguage], openTo: [employment], otherwise: hash }
  - { attributes: [legalName], openTo: [employment, recruiting], needsConsent: Hiring, otherwise: omit }
"#;
