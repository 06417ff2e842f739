//! Cursor paging (RFC 9865).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use muster::domain::context::{Context, Right};
use muster::id::SeededIds;
use muster::scim::error::Kind;
use muster::scim::list::ListRequest;
use muster::scim::profile::Profile;
use muster::service::{Error, Muster, Page, Settings};
use serde_json::{Value, json};

use crate::crowd;
use crate::people::{NAMES, arrive, long, names};
use crate::support::{Answer, App, Client, on_both};

on_both!(
    cursors_lead_through_all_pages_and_end,
    a_walk_in_every_order_is_the_sorted_list,
    very_long_values_are_walked_in_their_order,
    a_search_by_post_takes_a_cursor,
    a_search_over_all_types_walks_one_after_the_other,
    what_must_stay_the_same_is_told_apart,
    a_count_of_nothing_tells_the_total_and_ends_no_walk,
    a_cursor_of_anything_else_is_invalid,
    an_old_cursor_has_expired,
    another_process_goes_on_and_other_rights_do_not,
    a_walk_loses_and_repeats_nobody_who_was_there_throughout,
);

/// Turns pages by cursor until there are no more.
async fn walk(client: &Client, endpoint: &str, query: &[(&str, &str)]) -> Vec<Value> {
    let mut gathered = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut query = query.to_vec();
        query.push(("cursor", &cursor));
        let answer = client.list(endpoint, &query).await;
        gathered.extend_from_slice(answer.clone_ok().0.as_slice());
        match answer.body["nextCursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return gathered,
        }
    }
}

impl Answer {
    fn clone_ok(&self) -> (Vec<Value>, u64) {
        let found = self.ok(200);
        let size = found["itemsPerPage"].as_u64().unwrap();
        assert_eq!(size, self.resources().len() as u64);
        (self.resources().to_vec(), size)
    }
}

async fn cursors_lead_through_all_pages_and_end(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    // RFC 9865 §2: without a value as in its example, and with an empty one.
    let first = idp.get("/Users?cursor&count=5").await;
    let list = first.ok(200);
    assert_eq!(list["itemsPerPage"], 5);
    assert_eq!(list["totalResults"], 12);
    assert!(list.get("startIndex").is_none());
    assert_eq!(names(first.resources()), NAMES[..5]);
    let cursor = list["nextCursor"].as_str().unwrap();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    assert!(cursor.bytes().all(unreserved), "{cursor}");
    let second = idp.get(&format!("/Users?cursor={cursor}&count=5")).await;
    assert_eq!(names(second.resources()), NAMES[5..10]);
    let cursor = second.body["nextCursor"].as_str().unwrap();
    // A client that leaves the count out goes on with the same.
    let last = idp.get(&format!("/Users?cursor={cursor}")).await;
    assert_eq!(names(last.resources()), NAMES[10..]);
    assert!(last.body.get("nextCursor").is_none());
    // A page that is exactly full is the last one too.
    for count in ["12", "13", "6", "99999999999999999999"] {
        let all = walk(&idp, "/Users", &[("count", count)]).await;
        assert_eq!(names(&all), NAMES, "{count}");
    }
    // The filter's matches are not counted for each page.
    let some = idp
        .list("/Users", &[("filter", "title pr"), ("cursor", "")])
        .await;
    assert!(some.ok(200).get("totalResults").is_none());
    assert_eq!(some.body["itemsPerPage"], 5);
    let nobody = idp
        .list("/Users", &[("filter", "title eq \"x\""), ("cursor", "")])
        .await;
    assert_eq!(nobody.ok(200)["Resources"], json!([]));
    assert!(nobody.body.get("nextCursor").is_none());
    // Index stays the default.
    let plain = idp.get("/Users?count=5").await;
    assert_eq!(plain.ok(200)["startIndex"], 1);
    assert!(plain.body.get("nextCursor").is_none());
}

async fn a_walk_in_every_order_is_the_sorted_list(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let orders = [
        "userName",
        "title",
        "active",
        "emails",
        "emails.type",
        "nickName",
        "meta.created",
        "meta.lastModified",
        "id",
        "externalId",
        "name.familyName",
        "timezone",
    ];
    for filter in [
        None,
        Some("not (userName eq \"fay\")"),
        Some("userName gt \"b\""),
    ] {
        for by in orders {
            for order in ["ascending", "descending"] {
                let mut query = vec![("sortBy", by), ("sortOrder", order)];
                query.extend(filter.map(|filter| ("filter", filter)));
                let whole = idp.list("/Users", &query).await;
                query.push(("count", "5"));
                let walked = walk(&idp, "/Users", &query).await;
                assert_eq!(names(&walked), names(whole.resources()), "{query:?}");
                for (start, expected) in [("4", 3), ("9", 8)] {
                    let mut query = query.clone();
                    query.push(("startIndex", start));
                    let page = idp.list("/Users", &query).await;
                    let expected = names(whole.resources()).into_iter().skip(expected).take(5);
                    let expected: Vec<_> = expected.collect();
                    assert_eq!(names(page.resources()), expected, "{query:?}");
                }
            }
        }
    }
}

/// The index has them by 256 bytes and a hash, cut between characters; the order is of their texts.
async fn very_long_values_are_walked_in_their_order(app: &App) {
    let idp = app.client("idp").await;
    let mut texts = vec![String::from("a"), "zz".into(), long('a'), long('b')];
    for length in 247..260 {
        for tail in ["", "!", "y", "é", "😀", "😀b", "😀a"] {
            texts.push("x".repeat(length) + tail);
        }
    }
    for (n, text) in texts.iter().enumerate() {
        idp.create(
            "/Users",
            json!({"userName": format!("u{n}"), "nickName": text}),
        )
        .await;
    }
    texts.sort_unstable();
    for (order, size) in [("ascending", "7"), ("descending", "10")] {
        let query = [
            ("sortBy", "nickName"),
            ("sortOrder", order),
            ("count", size),
        ];
        let walked = walk(&idp, "/Users", &query).await;
        let found: Vec<&str> = walked
            .iter()
            .map(|user| user["nickName"].as_str().unwrap())
            .collect();
        assert!(found == texts, "{order}");
        texts.reverse();
    }
}

async fn a_search_by_post_takes_a_cursor(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let request = json!({"filter": "userName pr", "count": 7, "sortBy": "userName", "cursor": ""});
    let first = idp.search("/Users", request.clone()).await;
    assert_eq!(names(first.resources()), NAMES[..7]);
    let mut next = request;
    next["cursor"] = first.body["nextCursor"].clone();
    let second = idp.search("/Users", next.clone()).await;
    assert_eq!(names(second.resources()), NAMES[7..]);
    assert!(second.body.get("nextCursor").is_none());
    // The same walk may go on by GET: the query is the same.
    let cursor = next["cursor"].as_str().unwrap();
    let query = [
        ("filter", "userName pr"),
        ("count", "7"),
        ("sortBy", "userName"),
        ("cursor", cursor),
    ];
    let by_get = idp.list("/Users", &query).await;
    assert_eq!(by_get.resources(), second.resources());
    idp.search("/Users", json!({"cursor": 5}))
        .await
        .refused(400, "invalidValue");
}

async fn a_search_over_all_types_walks_one_after_the_other(app: &App) {
    arrive(app).await;
    let hris = app.client("hris").await;
    for name in ["Apes", "Bees", "Cats"] {
        hris.create("/Groups", json!({"displayName": name})).await;
    }
    for name in ["Una", "Vic"] {
        hris.create("/Persons", json!({"name": {"givenName": name}}))
            .await;
    }
    let whole = hris.search("", json!({"count": 100})).await;
    assert_eq!(whole.ok(200)["totalResults"], 17);
    for size in [1, 3, 5, 12, 15, 17] {
        let (mut gathered, mut cursor) = (Vec::new(), json!(""));
        loop {
            let page = hris
                .search("", json!({"count": size, "cursor": cursor}))
                .await;
            assert_eq!(page.ok(200)["totalResults"], 17);
            gathered.extend_from_slice(page.resources());
            match page.body.get("nextCursor") {
                Some(next) => cursor = next.clone(),
                None => break,
            }
        }
        assert_eq!(gathered, whole.resources(), "size {size}");
        let mut gathered = Vec::new();
        while gathered.len() < 17 {
            let start = gathered.len() + 1;
            let page = hris
                .search("", json!({"count": size, "startIndex": start}))
                .await;
            assert!(!page.resources().is_empty(), "{start} of size {size}");
            gathered.extend_from_slice(page.resources());
        }
        assert_eq!(gathered, whole.resources(), "size {size}");
    }
}

async fn what_must_stay_the_same_is_told_apart(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let base = [
        ("count", "3"),
        ("filter", "userName pr"),
        ("sortBy", "title"),
    ];
    let first = idp
        .list("/Users", &[&base[..], &[("cursor", "")]].concat())
        .await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let then = async |change: &[(&str, &str)]| {
        let mut query: Vec<_> = base
            .iter()
            .filter(|(name, _)| change.iter().all(|(other, _)| name != other))
            .copied()
            .collect();
        query.push(("cursor", cursor));
        query.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        idp.list("/Users", &query).await
    };
    then(&[]).await.ok(200);
    // A projection may change: no resource is lost by it.
    then(&[("attributes", "userName")]).await.ok(200);
    let detail = then(&[("count", "4")]).await;
    assert!(detail.refused(400, "invalidCount").contains('3'));
    for change in [
        ("filter", "userName sw \"a\""),
        ("filter", ""),
        ("sortBy", "userName"),
        ("sortBy", ""),
        ("sortOrder", "descending"),
    ] {
        let answer = then(&[change]).await;
        assert!(
            answer
                .refused(400, "invalidCursor")
                .contains("another query"),
            "{change:?}"
        );
    }
    let answer = idp
        .list("/Persons", &[("count", "3"), ("cursor", cursor)])
        .await;
    answer.refused(400, "invalidCursor");
    let both = idp.get("/Users?cursor&startIndex=1").await;
    let detail = both.refused(400, "invalidValue");
    assert!(detail.contains("startIndex") && detail.contains("cursor"));
    idp.get("/Users?cursor&cursor=")
        .await
        .refused(400, "invalidValue");
}

/// RFC 9865 §2: a negative count is 0, which asks for the total alone.
async fn a_count_of_nothing_tells_the_total_and_ends_no_walk(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let list = async |count: &str, cursor: &str| {
        let query = [
            ("filter", "userName pr"),
            ("count", count),
            ("cursor", cursor),
        ];
        idp.list("/Users", &query).await
    };
    let first = list("3", "").await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    for count in ["0", "-1"] {
        for cursor in ["", cursor] {
            let answer = list(count, cursor).await;
            let told = answer.ok(200);
            assert_eq!(told["totalResults"], 12);
            assert_eq!(told["itemsPerPage"], 0);
            assert!(told.get("nextCursor").is_none() && answer.resources().is_empty());
        }
        list(count, "none").await.refused(400, "invalidCursor");
    }
    assert_eq!(names(list("3", cursor).await.resources()), NAMES[3..6]);
}

async fn a_cursor_of_anything_else_is_invalid(app: &App) {
    arrive(app).await;
    let idp = app.client("idp").await;
    let first = idp.get("/Users?cursor&count=3").await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let (head, tail) = cursor.split_at(cursor.len() / 2);
    let other = if tail.starts_with('A') { "B" } else { "A" };
    let long = "A".repeat(20_000);
    for wrong in [
        "x",
        "12",
        "%20",
        &format!("{head}{other}{}", &tail[1..]),
        &format!("{cursor}A"),
        head,
        tail,
        &long,
    ] {
        let answer = idp.get(&format!("/Users?cursor={wrong}&count=3")).await;
        assert!(
            answer.refused(400, "invalidCursor").contains("cursor"),
            "{wrong}"
        );
    }
    // Another client's, though it may see the same.
    let hris = app.client("hris").await;
    let answer = hris.get(&format!("/Users?cursor={cursor}&count=3")).await;
    answer.refused(400, "invalidCursor");
}

async fn an_old_cursor_has_expired(app: &App) {
    arrive(app).await;
    let config = app.stranger().get("/ServiceProviderConfig").await;
    let pagination = &config.ok(200)["pagination"];
    assert_eq!(pagination["cursor"], true);
    assert_eq!(pagination["index"], true);
    assert_eq!(pagination["defaultPaginationMethod"], "index");
    assert_eq!(pagination["defaultPageSize"], 100);
    assert_eq!(
        pagination["maxPageSize"],
        config.body["filter"]["maxResults"]
    );
    let timeout = pagination["cursorTimeout"].as_i64().unwrap();
    // The walk itself, not the service: a token of this clock would be too old as well.
    let context = crowd::context(app, "walker", &crowd::grants());
    let first = page(app.service(), &context, "cursor&count=3")
        .await
        .unwrap();
    let query = format!("cursor={}&count=3", first.next_cursor.unwrap());
    for (seconds, good) in [(timeout - 60, true), (timeout + 60, false)] {
        let later = Context {
            now: context.now + TimeDelta::seconds(seconds),
            ..context.clone()
        };
        match page(app.service(), &later, &query).await {
            Ok(page) => assert!(good && page.resources.len() == 3),
            Err(error) => assert_eq!((good, kind(&error)), (false, Kind::ExpiredCursor)),
        }
    }
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Scim(error) => error.kind,
        other => panic!("{other}"),
    }
}

pub(crate) async fn page(service: &Muster, context: &Context, query: &str) -> Result<Page, Error> {
    let ty = service.resource_type("/Users").unwrap();
    let pairs: Vec<(String, String)> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let request = ListRequest::from_query(&ty, &pairs, Profile::Rfc).unwrap();
    service.list(context, "/Users", request).await
}

/// No state of the server's: whoever has the database has what it takes. What a client may see belongs to its cursors.
async fn another_process_goes_on_and_other_rights_do_not(app: &App) {
    arrive(app).await;
    let settings = Settings {
        database_url: app.database.url().to_owned(),
        connections: 2,
        systems: Vec::new(),
        max_page: 1000,
        file_key: None,
        keys: app.database.keys(),
    };
    // Opening waits, which an event loop must not.
    let open = || Muster::open(&settings, Arc::new(SeededIds::new(1))).unwrap();
    let other = std::thread::scope(|scope| scope.spawn(open).join().unwrap());
    let context = crowd::context(app, "walker", &crowd::grants());
    let first = page(app.service(), &context, "cursor&count=5")
        .await
        .unwrap();
    let query = format!("cursor={}&count=5", first.next_cursor.unwrap());
    let second = page(&other, &context, &query).await.unwrap();
    assert_eq!(second.resources.len(), 5);
    let mut fewer = crowd::grants();
    fewer[0].rights.retain(|right| *right != Right::Delete);
    let changed = crowd::context(app, "walker", &fewer);
    let error = page(&other, &changed, &query).await.unwrap_err();
    assert_eq!(kind(&error), Kind::ExpiredCursor);
    other.close();
}

/// In the order of creation and by an attribute that nobody changes, by cursor and by index, while others come and go before,
/// at and behind the walk.
async fn a_walk_loses_and_repeats_nobody_who_was_there_throughout(app: &App) {
    const STAY: usize = 1200;
    let service = app.service();
    let context = crowd::context(app, "walker", &crowd::grants());
    let ids = crowd::create(service, &context, (0..STAY).map(crowd::member)).await;
    // One in eight leaves at some time.
    let mut leaving: Vec<String> = ids.iter().step_by(8).cloned().collect();
    let staying: BTreeSet<&String> = ids.iter().filter(|id| !leaving.contains(id)).collect();
    let mut fresh = STAY;
    let (mut seed, mut gone) = (0x2545_f491_4f6c_dd1d_u64, 0);
    for (size, how) in [
        (37, "cursor&count=37"),
        (41, "cursor&count=41&sortBy=userName"),
        (43, "cursor&count=43&sortBy=title&sortOrder=descending"),
        (60, "count=60"),
        (61, "count=61&sortBy=emails"),
    ] {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let (mut query, mut start) = (how.to_owned(), 1);
        loop {
            let found = page(service, &context, &query).await.unwrap();
            for resource in &found.resources {
                *seen.entry(resource.seen().id.to_string()).or_default() += 1;
            }
            start += found.resources.len();
            query = match (&found.next_cursor, found.start_index) {
                (Some(next), _) => how.replacen("cursor", &format!("cursor={next}"), 1),
                (None, Some(_)) if found.resources.len() == size => {
                    format!("{how}&startIndex={start}")
                }
                _ => break,
            };
            // Some come and some go, here and there.
            let newcomers = (0..2).map(|n| crowd::member(fresh + n));
            crowd::create(service, &context, newcomers).await;
            fresh += 2;
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            if !leaving.is_empty() {
                let at = usize::try_from(seed % leaving.len() as u64).unwrap();
                let id = leaving.swap_remove(at);
                gone += 1;
                service.delete(&context, "/Users", &id, None).await.unwrap();
            }
        }
        let lost = staying.iter().filter(|id| !seen.contains_key(**id)).count();
        let repeated = seen.values().filter(|times| **times > 1).count();
        assert_eq!((lost, repeated), (0, 0), "{how}");
    }
    assert!(gone > 50, "{gone}");
}
