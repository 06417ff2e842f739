//! A client that writes what it sees in part learns nothing by it: of two people who look the same to it, a guess that is right of
//! one is answered as the same guess is of the other, whom it is wrong of.

use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{Answer, App, Client, on_both};

on_both!(a_right_guess_at_what_is_seen_in_part_is_answered_as_a_wrong_one_is);

const BORN: &str = "1815-12-10";
const PHONE: &str = "+44 20 7946 0123";
const ROW: &str = "  - { attributes: [addresses.locality], openTo: [payroll], otherwise: omit }\n";
const EMAILS: &str = "  - { attributes: [emails], openTo: [employment], otherwise: maskEmail }\n";

const AUTHORITY: &str = "authority:\n  - { domain: contact, master: hris, covers: [\"Person.phoneNumbers\", \"Person.nationalities\", \"Person.emails\", \"Person.birthDate\", \"Person.addresses\"], others: suggest }\n";
const UNION: &str = "survivorship:\n  - { attributes: [emails, phoneNumbers, nationalities, addresses], rule: union }\n";

/// The same but for what is hidden: of `right` the guesses below hit.
fn somebody(right: bool) -> Value {
    let (phone, nation, email, place) = if right {
        (PHONE, "GB", "ada@corp.example", "Ockham")
    } else {
        ("+33 14 0000 0123", "FR", "amy@corp.example", "Sarsden")
    };
    json!({
        "displayName": "A", "nationalities": [nation, "IT"], "birthDate": if right { BORN } else { "1852-11-27" },
        "phoneNumbers": [{"value": phone, "type": "work"}, {"value": "+1 212 555 7777", "type": "home"}],
        "emails": [{"value": email, "type": "work", "primary": true}],
        "addresses": [{"type": "home", "country": "GB", "locality": place}, {"type": "work", "country": "GB"}],
    })
}

/// What the client is told of somebody, without what names them.
async fn told(client: &Client, person: &Value) -> String {
    let id = person["id"].as_str().unwrap();
    let mut told = String::new();
    for path in [
        format!("/Persons/{id}"),
        format!(
            "/Persons/{id}?attributes=urn:muster:scim:schemas:extension:1.0:Provenance:attributes"
        ),
        format!("/Persons/{id}/lineage"),
        format!("/AuditEvents?filter=personId%20eq%20%22{id}%22"),
    ] {
        told += &answered(&client.get(&path).await.text, id);
    }
    for filter in [
        "phoneNumbers[type eq \"work\"]",
        "phoneNumbers.type eq \"home\"",
        "phoneNumbers.type eq \"mobile\"",
        "phoneNumbers.primary eq true",
        "addresses.country eq \"GB\"",
        "addresses[type eq \"work\" and country eq \"GB\"]",
    ] {
        let filter = format!("id eq \"{id}\" and {filter}");
        told += &answered(
            &client.list("/Persons", &[("filter", &filter)]).await.text,
            id,
        );
    }
    told
}

/// What a write is answered.
fn outcome(answer: &Answer, id: &str) -> String {
    let held_back = answer.header("muster-suggested");
    format!(
        "{} {held_back:?} {}",
        answer.status,
        answered(&answer.text, id)
    )
}

/// An answer without ids, times and versions.
fn answered(text: &str, id: &str) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(parts) => {
                for name in [
                    "id",
                    "eventId",
                    "meta",
                    "correlationId",
                    "recordedAt",
                    "saidAt",
                    "at",
                    "causationId",
                ] {
                    parts.remove(name);
                }
                parts.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value: Value = serde_json::from_str(text).unwrap_or_default();
    strip(&mut value);
    format!(
        "{}\n",
        serde_json::to_string_pretty(&value)
            .unwrap()
            .replace(id, "ID")
            .split("@corp.example")
            .map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()))
            .collect::<String>()
    )
}

async fn a_right_guess_at_what_is_seen_in_part_is_answered_as_a_wrong_one_is(app: &App) {
    let mut made = 10;
    for rules in ["", UNION, AUTHORITY] {
        for masked in [true, false] {
            let policy = POLICY
                .replace(
                    "\"emails[type eq \\\"home\\\"]\", \"addresses[type eq \\\"home\\\"]\"",
                    "preferredName",
                )
                .replacen(
                    "masking:\n",
                    &format!("{rules}masking:\n{ROW}{}", if masked { EMAILS } else { "" }),
                    1,
                )
                .replacen(
                    "system: idp, roles: [people]",
                    "system: idp, roles: [people, log]",
                    1,
                )
                .replacen(
                    "roles:\n",
                    "roles:\n  log: [{ types: [AuditEvent], rights: [read, search] }]\n",
                    1,
                );
            apply(app, &policy);
            guess(app, masked, &mut made).await;
        }
    }
}

/// Tries each guess on somebody whom it is right of, and on somebody whom it is not.
async fn guess(app: &App, masked: bool, made: &mut usize) {
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let mut guesses = patches();
    if !masked {
        // Its own word on somebody whom it has not yet spoken of, by an address that it sees.
        guesses = ["work", "mobile"].map(|ty| json!({
            "displayName": "A", "phoneNumbers": [{"value": PHONE, "type": ty}], "nationalities": ["GB"],
        })).to_vec();
    }
    for guess in guesses {
        let mut answers = Vec::new();
        for right in [true, false] {
            let mut person = somebody(right);
            let address = format!("a{made:02}@corp.example");
            *made += 1;
            if !masked {
                person["emails"][0]["value"] = address.clone().into();
            }
            let person = hris.create("/Persons", person).await;
            let id = person["id"].as_str().unwrap();
            let path = format!("/Persons/{id}");
            let answer = if guess.is_array() {
                idp.patch(&path, guess.clone()).await
            } else {
                let mut guess = guess.clone();
                guess["emails"] = json!([{"value": address, "type": "work"}]);
                let answer = idp.post("/Persons", guess).await;
                assert_eq!(answer.ok(201)["id"], id);
                answer
            };
            let mut said = outcome(&answer, id);
            said += &told(&idp, &person).await;
            // What is shown comes back with one more.
            let mut shown = idp.get(&path).await.ok(200).clone();
            shown["phoneNumbers"].as_array_mut().unwrap().extend([
                json!({"value": PHONE, "type": "fax"}),
                json!({"value": PHONE, "type": "work"}),
            ]);
            shown["addresses"]
                .as_array_mut()
                .unwrap()
                .push(json!({"type": "home", "country": "GB", "locality": "Ockham"}));
            let answer = idp.put(&path, shown).await;
            said += &outcome(&answer, id);
            answers.push(said + &told(&idp, &person).await);
        }
        let [right, wrong] =
            [&answers[0], &answers[1]].map(|answer| answer.lines().collect::<Vec<_>>());
        let same = right
            .iter()
            .zip(&wrong)
            .take_while(|(one, other)| one == other)
            .count();
        let around =
            |lines: &[&str]| lines[same.saturating_sub(12)..lines.len().min(same + 8)].join("\n");
        assert!(
            right == wrong,
            "{guess}:\n{}\nwrong:\n{}",
            around(&right),
            around(&wrong)
        );
    }
}

fn patches() -> Vec<Value> {
    let element = |ty: &str| json!([{"value": PHONE, "type": ty}]);
    let home = || json!({"type": "home", "country": "GB", "locality": "Ockham"});
    vec![
        json!([{"op": "add", "path": "addresses", "value": [home()]}]),
        json!([{"op": "add", "path": "addresses", "value": [home()]}, {"op": "replace", "path": "addresses[type eq \"home\"].country", "value": "FR"}]),
        json!([{"op": "replace", "path": "addresses", "value": [home()]}]),
        json!([{"op": "replace", "path": "addresses", "value": [home(), {"type": "home", "country": "GB"}]}]),
        json!([{"op": "replace", "path": "addresses[type eq \"home\"].locality", "value": "Ockham"}]),
        json!([{"op": "replace", "path": "addresses[type eq \"home\"]", "value": home()}]),
        json!([{"op": "remove", "path": "addresses", "value": [home()]}]),
        json!([{"op": "remove", "path": "addresses[type eq \"home\"].locality"}]),
        json!([{"op": "add", "path": "addresses", "value": [{"type": "work", "country": "GB", "locality": "Ockham"}]}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": element("work")}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": element("mobile")}]),
        json!([{"op": "replace", "path": "phoneNumbers", "value": element("mobile")}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": [{"value": PHONE, "type": "work", "primary": true}]}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": element("mobile")}, {"op": "replace", "path": "phoneNumbers[type eq \"work\"].type", "value": "other"}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": element("mobile")}, {"op": "remove", "path": "phoneNumbers[type eq \"mobile\"]"}]),
        json!([{"op": "remove", "path": format!("phoneNumbers[value eq \"{PHONE}\"]")}]),
        json!([{"op": "replace", "path": format!("phoneNumbers[value eq \"{PHONE}\"].type"), "value": "pager"}]),
        json!([{"op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": PHONE}]),
        json!([{"op": "add", "path": "nationalities", "value": ["GB"]}]),
        json!([{"op": "replace", "path": "nationalities", "value": ["GB", "IT"]}]),
        json!([{"op": "remove", "path": "nationalities[value eq \"GB\"]"}]),
        json!([{"op": "add", "path": "phoneNumbers", "value": element("work")}, {"op": "replace", "path": "phoneNumbers[type eq \"work\"].type", "value": "other"}]),
        json!([{"op": "replace", "path": "birthDate", "value": BORN}]),
        json!([{"op": "remove", "path": "birthDate"}]),
        json!([{"op": "add", "path": "emails", "value": [{"value": "ada@corp.example", "type": "work"}]}]),
        json!([{"op": "add", "path": "emails", "value": [{"value": "ada@corp.example", "type": "other"}]}]),
        json!([{"op": "remove", "path": "emails[value eq \"ada@corp.example\"]"}]),
    ]
}
