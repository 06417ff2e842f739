//! The real service over a fresh database.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use muster::domain::access::Clearance;
use muster::domain::context::{Client, Context, Grant, Right};
use muster::domain::sealing::Key;
use muster::id::{SeededIds, TenantId};
use muster::scim::Map;
use muster::scim::attribute_path::AttributePath;
use muster::scim::document::values;
use muster::scim::error::Kind as ErrorKind;
use muster::scim::filter::parse;
use muster::scim::list::ListRequest;
use muster::scim::profile::Profile;
use muster::scim::projection::Projection;
use muster::scim::resource_type::ResourceType;
use muster::service::{Error, Muster, Settings, System};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::documents::{Body, resource_type};

const BASE: &str = "https://people.example.com/scim/v2";

/// A database of its own for one test.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres { server: String, name: String },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let folder = std::env::temp_dir().join(format!("muster-evaluator-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self::Sqlite(folder)
    }

    pub(crate) fn postgres() -> Self {
        let server = std::env::var("MUSTER_TEST_POSTGRES").expect(
            "MUSTER_TEST_POSTGRES must hold the URL of a PostgreSQL server, as tests/run sets it",
        );
        let name = format!("muster_evaluator_{}", std::process::id());
        let mut connection = PgConnection::establish(&server).unwrap();
        connection
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .unwrap();
        Self::Postgres { server, name }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.join("muster.db").display()),
            Self::Postgres { server, name } => {
                let (server, _) = server.rsplit_once('/').unwrap();
                format!("{server}/{name}")
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match self {
            Self::Sqlite(folder) => drop(std::fs::remove_dir_all(folder)),
            Self::Postgres { server, name } => {
                if let Ok(mut connection) = PgConnection::establish(server) {
                    let drop_it = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    drop(connection.batch_execute(&drop_it));
                }
            }
        }
    }
}

/// A tenant with what was written there.
pub(crate) struct Tenant {
    reader: Context,
    writers: HashMap<&'static str, Context>,
    ids: RefCell<Vec<(&'static str, String)>>,
}

impl Tenant {
    /// The filter with ids that there are in the places of `ID-n`, and in the place of `FROM path n how` a value, or a
    /// piece of one, that stands at that path of the documents.
    pub(crate) fn meant(&self, question: &str, ty: &ResourceType, all: &[Map]) -> String {
        let mut meant = String::new();
        let mut rest = question;
        while let Some((before, after)) = rest.split_once("\"FROM ") {
            let (place, after) = after.split_once('"').unwrap();
            meant += before;
            meant += &taken(place, ty, all);
            rest = after;
        }
        let question = meant + rest;
        let mut question = question.replace("BASE/", &format!("{BASE}/"));
        for (n, (_, id)) in self.ids.borrow().iter().enumerate() {
            question = question.replace(&format!("ID-{n}\""), &format!("{id}\""));
        }
        question
    }
}

/// The service, and a runtime to call it in.
pub(crate) struct House {
    pub muster: Muster,
    tenants: Cell<u32>,
    runtime: actix_web::rt::SystemRunner,
}

impl House {
    pub(crate) fn open(database: &Database) -> Self {
        let settings = Settings {
            database_url: database.url(),
            connections: 2,
            systems: vec![System {
                name: "hris".into(),
                verifies_email: false,
            }],
            max_page: 1000,
            file_key: None,
            keys: vec![Key::new([1; 32])],
        };
        Self {
            muster: Muster::open(&settings, Arc::new(SeededIds::new(7))).unwrap(),
            tenants: Cell::new(0),
            runtime: actix_web::rt::System::new(),
        }
    }

    /// An empty tenant.
    pub(crate) fn tenant(&self) -> Tenant {
        self.tenants.set(self.tenants.get() + 1);
        let number = self
            .muster
            .tenant(&format!("t{}", self.tenants.get()))
            .unwrap();
        let writers = ["hris", "idp"].map(|system| (system, context(number, system)));
        Tenant {
            reader: context(number, "hris"),
            writers: writers.into_iter().collect(),
            ids: RefCell::default(),
        }
    }

    /// Writes what can be written; a value that is taken already is refused, and that is no matter here.
    pub(crate) fn write(&self, tenant: &Tenant, bodies: &[Body]) {
        for (n, body) in bodies.iter().enumerate() {
            let mut context = tenant.writers[body.system].clone();
            context.now += TimeDelta::milliseconds(i64::try_from(n).unwrap() * 997);
            let projection = Projection::default();
            let first = Self::filled(tenant, body, &body.first, n);
            let created = self.runtime.block_on(self.muster.create(
                &context,
                body.endpoint,
                first,
                &projection,
            ));
            let Some(written) = allowed(created) else {
                continue;
            };
            let id = written.resource.seen().id.to_string();
            tenant.ids.borrow_mut().push((body.endpoint, id.clone()));
            let Some(then) = &body.then else { continue };
            context.now += TimeDelta::microseconds(1);
            let then = Self::filled(tenant, body, then, n);
            allowed(self.runtime.block_on(self.muster.replace(
                &context,
                body.endpoint,
                &id,
                None,
                then,
                &projection,
            )));
        }
    }

    fn filled(tenant: &Tenant, body: &Body, document: &Value, n: usize) -> Map {
        let mut document = document.as_object().unwrap().clone();
        if body.endpoint == "/Groups" {
            let ids = tenant.ids.borrow();
            let members = ids
                .iter()
                .enumerate()
                .filter(|(place, _)| body.members & (1 << (place % 16)) != 0)
                .map(|(_, (_, id))| json!({ "value": id }));
            document.insert("members".into(), members.collect());
        }
        for name in ["userName", "displayName"] {
            // Required and not empty; made unique often enough that most are taken.
            if let Some(Value::String(text)) = document.get_mut(name)
                && (text.is_empty() || n.is_multiple_of(2))
            {
                text.push_str(&n.to_string());
            }
        }
        document
    }

    /// The ids that a filter finds; none if SCIM refuses the filter on grounds that are known.
    pub(crate) fn ask(
        &self,
        tenant: &Tenant,
        endpoint: &str,
        question: &str,
    ) -> Result<Option<BTreeSet<String>>, TestCaseError> {
        let condition =
            match parse(question).and_then(|filter| filter.check(resource_type(endpoint))) {
                Ok(condition) => condition,
                // A value path on simple values takes one comparison, or several joined by `or`.
                Err(error) if error.detail.contains("are simple") => return Ok(None),
                Err(error) => return Err(TestCaseError::fail(format!("{question}: {error}"))),
            };
        let request = request(endpoint, Some(condition));
        let context = &tenant.reader;
        match self
            .runtime
            .block_on(self.muster.list(context, endpoint, request))
        {
            Ok(page) => {
                let ids: BTreeSet<String> = page
                    .resources
                    .iter()
                    .map(|resource| resource.seen().id.to_string())
                    .collect();
                assert_eq!(page.total, Some(ids.len() as u64), "{question}");
                Ok(Some(ids))
            }
            Err(Error::Scim(error)) if error.detail.contains("computed for each reader") => {
                Ok(None)
            }
            Err(error) => Err(TestCaseError::fail(format!("{question}: {error}"))),
        }
    }

    /// Everything there is of a type, with every attribute.
    pub(crate) fn all(&self, tenant: &Tenant, endpoint: &str) -> Vec<Map> {
        self.page(tenant, endpoint, request(endpoint, None))
    }

    /// The ids in the order that was asked for.
    pub(crate) fn sorted(
        &self,
        tenant: &Tenant,
        endpoint: &str,
        request: ListRequest,
    ) -> Vec<String> {
        let page = self.page(tenant, endpoint, request);
        page.iter().map(super::id).collect()
    }

    fn page(&self, tenant: &Tenant, endpoint: &str, request: ListRequest) -> Vec<Map> {
        let context = &tenant.reader;
        let page = self
            .runtime
            .block_on(self.muster.list(context, endpoint, request))
            .unwrap();
        page.resources
            .iter()
            .map(|resource| resource.seen().document.clone())
            .collect()
    }
}

/// A literal made of a value there is.
fn taken(place: &str, ty: &ResourceType, all: &[Map]) -> String {
    let [path, n, how] = place.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{place}")
    };
    let path = AttributePath::parse(path, ErrorKind::InvalidFilter).unwrap();
    let location = ty.resolve(&path).unwrap().location;
    let texts: Vec<&str> = all
        .iter()
        .flat_map(|document| values(document, &location).filter_map(Value::as_str))
        .collect();
    let n: usize = n.parse().unwrap();
    let text: Vec<char> = match texts.get(n % texts.len().max(1)) {
        Some(text) => text.chars().collect(),
        None => Vec::new(),
    };
    let half = text.len() / 2;
    let piece: String = match how {
        "1" => text[..half].iter().collect(),
        "2" => text[half..].iter().collect(),
        "3" => text[half / 2..half].iter().collect(),
        "4" => text.iter().collect::<String>().to_uppercase(),
        _ => text.iter().collect(),
    };
    Value::from(piece).to_string()
}

/// All attributes, those too that must be asked for.
fn request(endpoint: &str, filter: Option<muster::scim::filter::Condition>) -> ListRequest {
    let ty = resource_type(endpoint);
    let names: Vec<String> = ty
        .leaves()
        .filter(|found| &*found.location.attribute != "sources")
        .map(|found| found.location.to_string())
        .collect();
    ListRequest {
        filter,
        sort: None,
        start_index: 1,
        cursor: None,
        count: Some(1000),
        projection: Projection::parse(ty, Some(&names.join(",")), None).unwrap(),
    }
}

fn allowed<T>(result: Result<T, Error>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Error::Scim(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

fn context(tenant: TenantId, system: &str) -> Context {
    let client = Client {
        name: system.to_owned(),
        tenant,
        system: system.to_owned(),
        clearance: Clearance::of_grants(&[Grant {
            types: vec!["*".into()],
            rights: vec![Right::Read, Right::Search, Right::Write, Right::Delete],
        }]),
        purposes: Vec::new(),
        profile: Profile::Rfc,
        patch_answer: None,
    };
    let now: DateTime<Utc> = "2026-11-22T14:59:13Z".parse().unwrap();
    Context {
        client: Arc::new(client),
        correlation: "evaluator".into(),
        base_url: BASE.into(),
        now,
        said_at: None,
        by_human: false,
        attempt: None,
    }
}
