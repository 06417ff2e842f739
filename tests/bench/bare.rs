//! actix and diesel with nothing around them: a row by its key, answered as it is, and a person's rows inserted in group
//! commits that reach the disk. What Muster is measured against.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use actix_web::web::{Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::{PgConnection, SqliteConnection};
use tokio::sync::oneshot;

use super::Failure;
use super::bare_rows::{Rows, resource};
use super::people;

/// The most persons in one commit: as many as Muster lets share one.
const GROUP: usize = 64;

enum Readers {
    /// A connection a thread, asked inline.
    Sqlite(String),
    /// A pool, asked on threads for blocking work.
    Postgres(Pool<ConnectionManager<PgConnection>>),
}

struct Shared {
    readers: Readers,
    writer: SyncSender<oneshot::Sender<bool>>,
}

/// Serves until it is killed.
pub(crate) fn serve(url: &str, port: u16) -> Result<(), Failure> {
    let (writer, waiting) = sync_channel(4096);
    let readers = if let Some(path) = url.strip_prefix("sqlite:") {
        let mut link = sqlite(path)?;
        let rows = Rows::load_sqlite(&mut link)?;
        std::thread::spawn(move || {
            write(&waiting, "BEGIN IMMEDIATE", &mut link, |link, token| {
                rows.put_sqlite(link, token)
            });
        });
        Readers::Sqlite(path.to_owned())
    } else {
        let mut link = PgConnection::establish(url)?;
        let rows = Rows::load_postgres(&mut link)?;
        std::thread::spawn(move || {
            write(&waiting, "BEGIN", &mut link, |link, token| {
                rows.put_postgres(link, token)
            });
        });
        Readers::Postgres(
            Pool::builder()
                .max_size(6)
                .build(ConnectionManager::new(url))?,
        )
    };
    let shared = Arc::new(Shared { readers, writer });
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(Data::from(shared.clone()))
                .route("/bare/Users/{id}", web::get().to(get))
                .route("/bare/Users", web::post().to(create))
        })
        .workers(2)
        .bind(("127.0.0.1", port))?
        .run()
        .await
    })?;
    Ok(())
}

fn sqlite(path: &str) -> Result<SqliteConnection, Failure> {
    let mut link = SqliteConnection::establish(path)?;
    link.batch_execute(
        "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -64000; \
         PRAGMA wal_autocheckpoint = 8000;",
    )?;
    Ok(link)
}

thread_local! {
    static LINK: RefCell<Option<SqliteConnection>> = const { RefCell::new(None) };
}

/// The document of the row, as it stands there.
async fn get(shared: Data<Shared>, id: Path<String>) -> actix_web::Result<HttpResponse> {
    let key = uuid::Uuid::try_parse(&id).map_err(actix_web::error::ErrorNotFound)?;
    let document = match &shared.readers {
        Readers::Sqlite(path) => LINK.with_borrow_mut(|link| -> Result<String, Failure> {
            if link.is_none() {
                *link = Some(sqlite(path)?);
            }
            let link = link.as_mut().ok_or("a connection")?;
            Ok(by_key(key).first(link)?)
        }),
        Readers::Postgres(pool) => {
            let pool = pool.clone();
            let found = web::block(move || -> Result<String, Failure> {
                Ok(by_key(key).first(&mut pool.get()?)?)
            });
            found.await?
        }
    };
    let document =
        document.map_err(|error| actix_web::error::ErrorInternalServerError(error.to_string()))?;
    Ok(HttpResponse::Ok()
        .content_type("application/scim+json")
        .body(document))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn by_key(key: uuid::Uuid) -> _ {
    let bytes: Vec<u8> = key.as_bytes().to_vec();
    resource::table
        .filter(resource::tenant.eq(1_i32))
        .filter(resource::uuid.eq(bytes))
        .select(resource::document)
}

/// Reads the body, and inserts the rows of one more person.
async fn create(shared: Data<Shared>, body: Bytes) -> actix_web::Result<HttpResponse> {
    let (reply, answer) = oneshot::channel();
    let refused = || actix_web::error::ErrorServiceUnavailable("the writer is busy");
    shared.writer.try_send(reply).map_err(|_| refused())?;
    match answer.await {
        Ok(true) => Ok(HttpResponse::Created()
            .content_type("application/scim+json")
            .body(body)),
        _ => Err(refused()),
    }
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

fn write<C: SimpleConnection>(
    waiting: &Receiver<oneshot::Sender<bool>>,
    begin: &str,
    link: &mut C,
    put: impl Fn(&mut C, &str) -> Result<(), Failure>,
) {
    // Newcomers' tokens are this process's own.
    let first = usize::try_from(std::process::id()).unwrap_or(0) % 99 * 100_000;
    while let Ok(reply) = waiting.recv() {
        let mut group = vec![reply];
        group.extend(waiting.try_iter().take(GROUP - 1));
        let outcome = (|| -> Result<(), Failure> {
            link.batch_execute(begin)?;
            for _ in &group {
                let n = first + NEXT.fetch_add(1, Ordering::Relaxed);
                put(link, &people::token(n).replace('p', "q"))?;
            }
            Ok(link.batch_execute("COMMIT")?)
        })();
        if let Err(error) = &outcome {
            eprintln!("bare: {error}");
            drop(link.batch_execute("ROLLBACK"));
        }
        for reply in group {
            // A caller that has gone away no longer wants to know.
            _ = reply.send(outcome.is_ok());
        }
    }
}
