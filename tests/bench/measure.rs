//! The plan: which server does what at which size, in turns, so that a busy moment of the machine hits all alike.

use std::sync::Arc;
use std::time::Instant;

use super::database::Place;
use super::load::{Outcome, Pace, as_number, run};
use super::operations::{Operation, Target};
use super::people::WRITTEN;
use super::report::{Figure, Growth, Report};
use super::sealing::sealing;
use super::seed::{seed, target};
use super::server::Server;
use super::walk;
use super::{Failure, Plan};

/// The smaller size of the growth that is looked at, where larger ones are measured.
const BASELINE: usize = 10_000;

/// Runs everything, and prints as it goes.
pub(crate) async fn run_all(plan: &Plan) -> Result<(), Failure> {
    let mut report = Report::default();
    peers(plan, &mut report).await?;
    let engines = [("SQLite", None), ("PostgreSQL", plan.postgres.as_deref())];
    for (engine, url) in engines {
        if engine == "PostgreSQL" && url.is_none() {
            continue;
        }
        sealing(plan, engine, url, &mut report).await?;
        one_engine(plan, engine, url, &mut report).await?;
        report.write(&plan.json)?;
    }
    println!("\n{}", report.markdown());
    report.write(&plan.json)
}

async fn one_engine(
    plan: &Plan,
    engine: &'static str,
    url: Option<&str>,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut places: Vec<(usize, Place)> = Vec::new();
    for &size in &plan.sizes {
        let place = Place::new(
            &plan.work,
            url,
            &format!("seed-{engine}-{size}").to_lowercase(),
        )?;
        let started = Instant::now();
        let smaller = places.last().map(|(size, place)| (place, *size));
        seed(plan, &place, size, smaller).await?;
        let each = as_number(usize::try_from(place.bytes()?)?) / as_number(size);
        eprintln!(
            "{engine}: {size} persons seeded in {:.0} s, {each:.0} bytes each",
            started.elapsed().as_secs_f64()
        );
        report.bytes.push((engine, size, each));
        places.push((size, place));
    }
    for (size, place) in &places {
        // What writes does so in a copy; the largest has served its purpose and is used up.
        let largest = plan.sizes.last() == Some(size) && plan.sizes.len() > 1;
        let used = if largest && plan.no_growth {
            place.clone()
        } else {
            let copy = Place::new(
                &plan.work,
                url,
                &format!("run-{engine}-{size}").to_lowercase(),
            )?;
            copy.make(Some(place))?;
            copy
        };
        closed_loop(plan, engine, &used, *size, report).await?;
        if used.url() != place.url() {
            used.remove();
        }
        report.write(&plan.json)?;
    }
    if !plan.no_growth {
        growth(plan, engine, &places, report).await?;
        memory(plan, engine, &places, report).await?;
    }
    for (_, place) in &places {
        place.remove();
    }
    Ok(())
}

/// Every operation in a closed loop: Muster, and the bare handler where it can do the same.
async fn closed_loop(
    plan: &Plan,
    engine: &'static str,
    place: &Place,
    size: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let server = Server::muster(plan, place.folder(), &place.url())?;
    let muster = Arc::new(target(&server, place, size).await?);
    let bare_server = (!plan.no_bare)
        .then(|| Server::bare(&place.url()))
        .transpose()?;
    let bare = bare_server.as_ref().map(|server| {
        let mut bare = server.target("bare", "/bare", String::new(), size);
        bare.ids.clone_from(&muster.ids);
        Arc::new(bare)
    });
    for operation in Operation::ALL
        .into_iter()
        .filter(|operation| operation.name().contains(&plan.only))
    {
        let simple = matches!(operation, Operation::Get | Operation::Create);
        let mut targets = vec![muster.clone()];
        targets.extend(bare.clone().filter(|_| simple));
        turns(plan, (engine, size), operation, &targets, report).await?;
    }
    if size <= walk::MOST && "walk".contains(&plan.only) {
        let said = walk::walk_beside_writers(&muster).await?;
        eprintln!(
            "{engine} {size}: {}",
            said.replace('\n', &format!("\n{engine} {size}: "))
        );
    }
    Ok(())
}

/// Interleaved runs of one operation.
async fn turns(
    plan: &Plan,
    (engine, size): (&'static str, usize),
    operation: Operation,
    targets: &[Arc<Target>],
    report: &mut Report,
) -> Result<(), Failure> {
    let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); targets.len()];
    for _ in 0..plan.rounds {
        for (target, outcomes) in targets.iter().zip(&mut outcomes) {
            if !target.can(operation) {
                continue;
            }
            if operation == Operation::Member {
                supply(target).await?;
            }
            // A moment to warm up, which is not counted.
            run(
                target,
                operation,
                Pace::Closed,
                plan.seconds / 10.0,
                usize::MAX,
            )
            .await?;
            outcomes.push(run(target, operation, Pace::Closed, plan.seconds, usize::MAX).await?);
        }
    }
    for (target, outcomes) in targets.iter().zip(&outcomes) {
        if outcomes.is_empty() {
            eprintln!(
                "{engine} {size}: {} cannot {}",
                target.name,
                operation.name()
            );
            continue;
        }
        let figure = Figure::of(engine, size, &target.name, operation, outcomes);
        eprintln!("{figure}");
        report.figures.push(figure);
    }
    Ok(())
}

/// Sees to it that there are persons who are in no group yet.
async fn supply(target: &Arc<Target>) -> Result<(), Failure> {
    let there = target.fresh.lock().map_or(0, |fresh| fresh.len());
    let wanted: usize = 5_000;
    if there < wanted {
        run(
            target,
            Operation::Create,
            Pace::Closed,
            60.0,
            wanted - there,
        )
        .await?;
    }
    Ok(())
}

/// Other servers, with a thousand users each.
async fn peers(plan: &Plan, report: &mut Report) -> Result<(), Failure> {
    let mut servers = Vec::new();
    for peer in &plan.peer {
        let mut words = peer.splitn(3, ' ');
        let (Some(name), Some(base), Some(command)) = (words.next(), words.next(), words.next())
        else {
            return Err(format!("'{peer}' is not NAME BASE-PATH COMMAND").into());
        };
        let server = Server::peer(command)?;
        let target = Arc::new(server.target(name, base, "bench".into(), WRITTEN));
        target.next.store(0, std::sync::atomic::Ordering::Relaxed);
        let outcome = run(&target, Operation::Create, Pace::Closed, 600.0, WRITTEN).await?;
        if let Some(complaint) = outcome.complaint {
            return Err(format!("{name} refuses a user: {complaint}").into());
        }
        let mut full = server.target(name, base, "bench".into(), WRITTEN);
        full.ids = std::mem::take(&mut *target.fresh.lock().map_err(|_| "a poisoned lock")?);
        servers.push((server, Arc::new(full)));
    }
    let targets: Vec<Arc<Target>> = servers.iter().map(|(_, target)| target.clone()).collect();
    for operation in [
        Operation::Get,
        Operation::UserName,
        Operation::FirstPage,
        Operation::Create,
    ] {
        if operation.name().contains(&plan.only) {
            turns(plan, ("memory", WRITTEN), operation, &targets, report).await?;
        }
    }
    Ok(())
}

/// Latencies at a fixed rate, at ten thousand persons and at more, in turns.
async fn growth(
    plan: &Plan,
    engine: &'static str,
    places: &[(usize, Place)],
    report: &mut Report,
) -> Result<(), Failure> {
    let largest = places.last().map_or(0, |(size, _)| *size);
    let mut servers = Vec::new();
    for (size, place) in places
        .iter()
        .filter(|(size, _)| *size >= BASELINE || largest <= BASELINE)
    {
        let server = Server::muster(plan, place.folder(), &place.url())?;
        let target = Arc::new(target(&server, place, *size).await?);
        supply(&target).await?;
        servers.push((*size, server, target));
    }
    if servers.len() < 2 {
        return Ok(());
    }
    for operation in Operation::ALL
        .into_iter()
        .filter(|operation| operation.name().contains(&plan.only))
    {
        let mut outcomes: Vec<Vec<Outcome>> = vec![Vec::new(); servers.len()];
        for _ in 0..plan.rounds.max(3) {
            for ((_, _, target), outcomes) in servers.iter().zip(&mut outcomes) {
                if target.can(operation) {
                    let pace = Pace::Open(operation.rate());
                    outcomes
                        .push(run(target, operation, pace, plan.seconds * 2.0, usize::MAX).await?);
                }
            }
        }
        for ((size, _, _), outcomes) in servers
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcomes)| !outcomes.is_empty())
        {
            let figure = Figure::of(engine, *size, "muster", operation, outcomes);
            eprintln!("open loop, {} a second: {figure}", operation.rate());
            report.growth.push(Growth {
                rate: operation.rate(),
                figure,
            });
        }
    }
    Ok(())
}

/// Anonymous memory after a mixed load on the largest database.
async fn memory(
    plan: &Plan,
    engine: &'static str,
    places: &[(usize, Place)],
    report: &mut Report,
) -> Result<(), Failure> {
    let Some((size, place)) = places.last() else {
        return Ok(());
    };
    let server = Server::muster(plan, place.folder(), &place.url())?;
    let at_start = server.anonymous_memory().unwrap_or(f64::NAN);
    let until = Instant::now() + std::time::Duration::from_secs_f64(plan.mixed);
    let mut requests = 0.0;
    let mut most: f64 = 0.0;
    while Instant::now() < until {
        let mut target = target(&server, place, *size).await?;
        target.ids.shrink_to_fit();
        let target = Arc::new(target);
        let mut tasks = Vec::new();
        for operation in Operation::ALL
            .into_iter()
            .filter(|operation| target.can(*operation))
        {
            let (target, seconds) = (target.clone(), plan.mixed.min(15.0));
            tasks.push(tokio::spawn(async move {
                run(
                    &target,
                    operation,
                    Pace::Open(operation.rate()),
                    seconds,
                    usize::MAX,
                )
                .await
            }));
        }
        for task in tasks {
            let outcome = task.await??;
            requests += outcome.rate() * plan.mixed.min(15.0);
            if let Some(complaint) = outcome.complaint.filter(|_| outcome.failed > 0) {
                eprintln!(
                    "mixed load: {} refused, as {complaint:.300}",
                    outcome.failed
                );
            }
        }
        most = most.max(server.anonymous_memory().unwrap_or(f64::NAN));
    }
    let after = server.anonymous_memory().unwrap_or(f64::NAN);
    eprintln!(
        "{engine} {size}: {at_start:.0} MB anonymous at the start, {after:.0} MB after {requests:.0} requests, {most:.0} MB at most"
    );
    report.memory.push((engine, *size, at_start, after, most));
    Ok(())
}
