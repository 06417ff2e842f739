//! Databases of any size: the first thousand persons through the server itself, the others multiplied from them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::database::{Link, Place};
use super::http::Connection;
use super::load::{Pace, run};
use super::multiply::multiply;
use super::operations::{Operation, Target, compound, patch};
use super::people::{self, CONTRACTORS, MARKED, MEMBERS, WRITTEN};
use super::server::Server;
use super::{Failure, Plan};

/// Ids in memory, enough that no cache of the server's holds what they name.
const IDS: usize = 200_000;
/// Members in one PATCH.
const SOME: usize = 2_000;
const BASE: &str = "/scim/v2";

/// Makes the database of `size` persons at `place`, from a smaller one if there is one.
pub(crate) async fn seed(
    plan: &Plan,
    place: &Place,
    size: usize,
    smaller: Option<(&Place, usize)>,
) -> Result<(), Failure> {
    place.make(smaller.map(|(place, _)| place))?;
    let written = WRITTEN.min(size);
    if smaller.is_none() {
        let server = Server::muster(plan, place.folder(), &place.url())?;
        let target = Arc::new(server.target("seed", BASE, server.token().await?, written));
        target.next.store(0, Ordering::Relaxed);
        let outcome = run(&target, Operation::Create, Pace::Closed, 600.0, written).await?;
        if let Some(complaint) = outcome.complaint {
            return Err(format!("a person cannot be created: {complaint}").into());
        }
        server.stop()?;
    }
    let have = smaller.map_or(written, |(_, size)| size);
    if have < size {
        multiply(&mut Link::open(&place.url())?, have, size)?;
    }
    let server = Server::muster(plan, place.folder(), &place.url())?;
    let target = target(&server, place, size).await?;
    mark(&target).await?;
    join(&target).await?;
    check(&target, place).await?;
    server.stop()
}

/// A load's target: the server with the ids that its database holds.
pub(crate) async fn target(server: &Server, place: &Place, size: usize) -> Result<Target, Failure> {
    let token = server.token().await?;
    let mut target = server.target("muster", BASE, token, size);
    let mut link = Link::open(&place.url())?;
    let text = if link.is_postgres() {
        "NULL::text"
    } else {
        "NULL"
    };
    let ids = link.find(&format!(
        "SELECT id AS number, uuid AS bytes, {text} AS text FROM resource WHERE kind = 1 \
         AND (id * 7919) % {size} < {IDS} ORDER BY id LIMIT {IDS}"
    ))?;
    for found in ids {
        target
            .ids
            .push(uuid::Uuid::from_slice(&found.bytes.unwrap_or_default())?.to_string());
    }
    let groups = link.find(&format!(
        "SELECT id AS number, uuid AS bytes, {text} AS text FROM resource WHERE kind = 2"
    ))?;
    if let Some(group) = groups.into_iter().next() {
        target.group = uuid::Uuid::from_slice(&group.bytes.unwrap_or_default())?.to_string();
    }
    let config = ask(
        &target,
        &target.get(&format!("{BASE}/ServiceProviderConfig")),
    )
    .await?;
    target.bulk = config["bulk"]["supported"] == json!(true);
    if config["pagination"]["cursor"] == json!(true) {
        target.cursor = middle(&target).await?;
    }
    Ok(target)
}

/// A cursor in the middle of all persons: it is reached as a client would reach it, by the query that it is for.
async fn middle(target: &Target) -> Result<Option<String>, Failure> {
    let mut cursor = String::new();
    let mut seen = 0;
    let mut connection = Connection::to(target.port);
    while seen < target.size / 2 {
        let path = format!("{BASE}/Users?count=100&cursor={cursor}");
        let page = connection.call(&target.get(&path)).await?.json();
        let Some(next) = page["nextCursor"].as_str() else {
            break;
        };
        cursor = next.replace('+', "%2B").replace('=', "%3D");
        seen += page["Resources"].as_array().map_or(0, Vec::len);
    }
    Ok((!cursor.is_empty()).then_some(cursor))
}

/// Gives some of the first persons the title that the compound filter looks for.
async fn mark(target: &Target) -> Result<(), Failure> {
    let found = ask(target, &target.get(&compound(&format!("{BASE}/Users")))).await?;
    if found["totalResults"] == json!(MARKED - CONTRACTORS) {
        return Ok(());
    }
    for n in 0..MARKED {
        let id = id_of(target, n).await?;
        let kind = if n < CONTRACTORS {
            "Contractor"
        } else {
            "Employee"
        };
        let value = json!({ "title": people::TITLE, "userType": kind });
        let body = patch(&json!({ "op": "replace", "value": value }));
        ask(
            target,
            &target.send("PATCH", &format!("{BASE}/Users/{id}"), &body),
        )
        .await?;
    }
    Ok(())
}

/// Brings everybody, or a hundred thousand of them, into the group.
async fn join(target: &Target) -> Result<(), Failure> {
    let mut group = target.group.clone();
    if group.is_empty() {
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody" });
        let made = ask(
            target,
            &target.send("POST", &format!("{BASE}/Groups"), &body),
        )
        .await?;
        made["id"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut group);
    }
    let path = format!("{BASE}/Groups/{group}?excludedAttributes=members");
    for some in target.ids[..target.ids.len().min(MEMBERS)].chunks(SOME) {
        let members: Vec<Value> = some.iter().map(|id| json!({ "value": id })).collect();
        let body = patch(&json!({ "op": "add", "path": "members", "value": members }));
        ask(target, &target.send("PATCH", &path, &body)).await?;
    }
    Ok(())
}

/// What was multiplied has to be what the server would have written: so many in all, the same fifty, and the rows of one
/// of them like those of a person who is written now.
async fn check(target: &Target, place: &Place) -> Result<(), Failure> {
    let all = ask(target, &target.get(&format!("{BASE}/Users?count=0"))).await?;
    if all["totalResults"] != json!(target.size) {
        return Err(format!(
            "{} persons were seeded, and there are {}",
            target.size, all["totalResults"]
        )
        .into());
    }
    let found = ask(target, &target.get(&compound(&format!("{BASE}/Users")))).await?;
    if found["totalResults"] != json!(MARKED - CONTRACTORS) {
        return Err(format!("the compound filter finds {}", found["totalResults"]).into());
    }
    if target.size <= WRITTEN {
        return Ok(());
    }
    let copied = target.size - 1;
    let id = id_of(target, copied).await?;
    let shown = ask(target, &target.get(&format!("{BASE}/Users/{id}"))).await?;
    let mut body = shown.clone();
    for name in ["id", "meta", "groups"] {
        body.as_object_mut().map(|body| body.remove(name));
    }
    let (old, new) = (people::token(copied), people::token(9_999_999));
    let body: Value = serde_json::from_str(&body.to_string().replace(&old, &new))?;
    let made = ask(
        target,
        &target.send("POST", &format!("{BASE}/Users"), &body),
    )
    .await?;
    let made = made["id"].as_str().unwrap_or_default().to_owned();
    let mut link = Link::open(&place.url())?;
    let (copied, written) = (rows(&mut link, &id, &old)?, rows(&mut link, &made, &new)?);
    let away = target
        .get(&format!("{BASE}/Users/{made}"))
        .strip_prefix(b"GET")
        .map(|rest| [b"DELETE", rest].concat());
    ask(target, &away.unwrap_or_default()).await?;
    if copied == written && !copied.is_empty() {
        return Ok(());
    }
    Err(
        format!("a multiplied person has the rows\n{copied:#?}\nand a written one\n{written:#?}")
            .into(),
    )
}

/// All index rows and unique values of a person, without what is the person's own.
fn rows(link: &mut Link, id: &str, token: &str) -> Result<Vec<String>, Failure> {
    let hex = id.replace('-', "");
    let (id, none) = if link.is_postgres() {
        (format!("'\\x{hex}'::bytea"), "NULL::bytea")
    } else {
        (format!("x'{hex}'"), "NULL")
    };
    let number = format!("SELECT id FROM resource WHERE uuid = {id}");
    let mut rows = Vec::new();
    for sql in [
        format!(
            "SELECT path AS number, {none} AS bytes, value AS text FROM attribute_index WHERE resource = ({number})"
        ),
        format!(
            "SELECT path AS number, {none} AS bytes, value AS text FROM unique_value WHERE resource = ({number})"
        ),
        format!(
            "SELECT version AS number, {none} AS bytes, document AS text FROM resource WHERE uuid = {id}"
        ),
    ] {
        let sql = if link.is_postgres() {
            sql.replace("path AS", "path::bigint AS")
        } else {
            sql
        };
        for row in link.find(&sql)? {
            rows.push(format!(
                "{} {}",
                row.number,
                row.text.unwrap_or_default().replace(token, "TOKEN")
            ));
        }
    }
    rows.sort();
    Ok(rows)
}

async fn id_of(target: &Target, n: usize) -> Result<String, Failure> {
    let path = format!(
        "{BASE}/Users?filter=userName%20eq%20%22{}%22&attributes=id",
        people::address(n)
    );
    let found = ask(target, &target.get(&path)).await?;
    let id = found["Resources"][0]["id"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| format!("person {n} is not found: {found}").into())
}

/// One request that has to succeed.
pub(crate) async fn ask(target: &Target, request: &[u8]) -> Result<Value, Failure> {
    let answer = Connection::to(target.port).call(request).await?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.json());
    }
    let request = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
    Err(format!(
        "{request}\n{} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    )
    .into())
}
