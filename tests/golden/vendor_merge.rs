//! A vendor's own merge message is honored as any other: it names persons as it knows them.

use serde_json::{Value, json};

use crate::resolution::matching;
use crate::support::policy::apply;
use crate::support::{App, on_both};
use crate::survivorship::at;

on_both!(
    a_vendor_names_the_persons_that_it_merges_by_its_own_identifiers,
    whom_a_vendor_may_not_know_of_it_does_not_merge
);

fn contact(name: &str, id: &str) -> Value {
    let identifier = json!({"system": "crm", "field": "contact_id", "value": id});
    json!({"externalId": id, "displayName": name, "externalIdentifiers": [identifier]})
}

/// With a vendor that may settle who is who.
fn policy() -> String {
    matching().replace(
        "system: crm, roles: [people]",
        "system: crm, roles: [people, steward]",
    )
}

async fn a_vendor_names_the_persons_that_it_merges_by_its_own_identifiers(app: &App) {
    apply(app, &policy());
    let (crm, hris) = (app.client("crm").await, app.client("hris").await);
    let one = crm.create("/Persons", contact("Ada", "c:1")).await;
    let other = crm.create("/Persons", contact("Augusta", "c2")).await;
    let order = json!({"with": "crm:externalId:c2", "reason": "merged in the CRM"});
    let merged = crm
        .order("/Persons/crm:contact_id:c:1/merge", order.clone())
        .await;
    assert_eq!(merged.ok(200)["id"], one["id"]);
    assert_eq!(hris.get(&at(&other)).await.status, 308);
    let id = one["id"].as_str().unwrap();
    let told = hris
        .find(
            "/AuditEvents",
            &format!("resourceId eq \"{id}\" and type eq \"person.merged\""),
        )
        .await;
    assert_eq!(
        (&told[0]["actor"], &told[0]["reasonCode"]),
        (&json!("crm"), &json!("merged in the CRM"))
    );
    // The same message again is of one person now; one that names nobody is told so.
    let again = crm.order("/Persons/crm:externalId:c:1/merge", order).await;
    again.refused(400, "invalidValue");
    let nobody = json!({"with": "crm:contact_id:c9", "reason": "x"});
    let refusal = crm.order(&format!("{}/merge", at(&one)), nobody).await;
    assert!(refusal.refused(404, "").contains("crm:contact_id:c9"));
}

/// What is beyond the vendor's role is nobody, by whatever name.
async fn whom_a_vendor_may_not_know_of_it_does_not_merge(app: &App) {
    let bounded = policy()
        .replace(
            "  steward:",
            "  vendor: [{ types: [Person], rights: [read, write, delete], where: 'displayName sw \"A\"' }, { types: [Review], rights: [write] }]\n  steward:",
        )
        .replace("system: crm, roles: [people, steward]", "system: crm, roles: [vendor]");
    apply(app, &bounded);
    let (crm, hris) = (app.client("crm").await, app.client("hris").await);
    let one = crm.create("/Persons", contact("Ada", "c1")).await;
    hris.create("/Persons", contact("Byron", "c2")).await;
    let order = json!({"with": "crm:contact_id:c2", "reason": "merged in the CRM"});
    let refusal = crm.order(&format!("{}/merge", at(&one)), order).await;
    let told = refusal.refused(404, "").to_owned();
    let nobody = json!({"with": "crm:contact_id:c3", "reason": "merged in the CRM"});
    let refusal = crm.order(&format!("{}/merge", at(&one)), nobody).await;
    assert_eq!(
        told.replace("c2", "c3"),
        refusal.refused(404, ""),
        "as if there were nobody"
    );
}
