//! A walk of everybody by cursor while others create and delete (RFC 9865): nobody who is there throughout is lost, and
//! nobody is listed twice.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::Failure;
use super::http::Connection;
use super::operations::{Operation, Target, Walk};
use super::seed::ask;

/// The most persons of whom everybody is walked.
pub(crate) const MOST: usize = 100_000;

/// The orders that are walked: that of creation, and by what nobody changes meanwhile.
const ORDERS: [&str; 2] = ["", "&sortBy=userName"];

/// Walks in each order beside writers, and fails if anybody was lost or repeated; says how it went.
pub(crate) async fn walk_beside_writers(target: &Arc<Target>) -> Result<String, Failure> {
    let mut said = Vec::new();
    for order in ORDERS {
        let before = everybody(target, order).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let writers = tokio::spawn(write(target.clone(), before.clone(), stop.clone()));
        let started = Instant::now();
        let found = everybody(target, order).await;
        stop.store(true, Ordering::Relaxed);
        let (created, deleted) = writers.await??;
        let found = found?;
        let seconds = started.elapsed().as_secs_f64();
        let listed: HashSet<&String> = found.iter().collect();
        let repeated = found.len() - listed.len();
        let lost = before
            .iter()
            .filter(|id| !deleted.contains(*id) && !listed.contains(id))
            .count();
        let what = format!(
            "walked {} persons{} by cursor in {seconds:.0} s while {created} were created and {} deleted: \
             {lost} lost, {repeated} repeated",
            found.len(),
            order.replace("&sortBy=", " in the order of "),
            deleted.len(),
        );
        if lost + repeated > 0 || created == 0 || deleted.is_empty() {
            return Err(what.into());
        }
        said.push(what);
    }
    Ok(said.join("\n"))
}

/// The ids of all Users, as a walk lists them.
async fn everybody(target: &Target, order: &str) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::with_capacity(target.size);
    let mut cursor = String::new();
    loop {
        let path = format!(
            "{}/Users?attributes=id&count=100{order}&cursor={cursor}",
            target.base
        );
        let page = ask(target, &target.get(&path)).await?;
        let resources = page["Resources"].as_array().into_iter().flatten();
        ids.extend(resources.filter_map(|one| one["id"].as_str().map(str::to_owned)));
        match page["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(ids),
        }
    }
}

/// Creates somebody and deletes somebody in turns, until told to stop; how many were created, and who was deleted.
async fn write(
    target: Arc<Target>,
    there: Vec<String>,
    stop: Arc<AtomicBool>,
) -> Result<(usize, HashSet<String>), Failure> {
    let mut connection = Connection::to(target.port);
    let (mut created, mut deleted) = (0, HashSet::new());
    // From all over the walk, never the same one again.
    let mut leavers = there.iter().step_by(7).cycle().step_by(11);
    while !stop.load(Ordering::Relaxed) {
        if let Some(request) = target.request(Operation::Create, &Walk::default()) {
            created += usize::from(connection.call(&request).await?.status == 201);
        }
        let Some(leaver) = leavers.next().filter(|id| !deleted.contains(*id)) else {
            continue;
        };
        let path = format!("{}/Users/{leaver}", target.base);
        let answer = connection.call(&target.bare("DELETE", &path)).await?;
        if answer.status == 204 {
            deleted.insert(leaver.clone());
        }
    }
    Ok((created, deleted))
}
