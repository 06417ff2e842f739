//! What every SCIM operation begins with: the caller, the resource type, the id, the query.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use serde_json::Value;

use crate::domain::context::{Context, PatchAnswer};
use crate::http::answer;
use crate::http::caller::{Caller, door};
use crate::http::error::Failure;
use crate::http::prefer::Wanted;
use crate::http::stream::Reader;
use crate::http::{Door, body, query};
use crate::scim::Map;
use crate::scim::projection::{Projection, unknown_names};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Storage;
use crate::service::{Account, Muster};

/// An admitted call.
pub(super) struct Call {
    door: web::Data<Door>,
    pub(super) request: HttpRequest,
    pub(super) context: Context,
    pub(super) resource_type: Arc<ResourceType>,
    /// The endpoint of the resource type (`/Users`).
    pub(super) endpoint: String,
    id: String,
    /// The account that the token is of; why it is of none, which at other places than `/Me` nobody asks.
    pub(super) account: Result<Account, Cow<'static, str>>,
    /// The query string's pairs.
    pub(super) query: Vec<(String, String)>,
}

impl Call {
    /// What every handler shares.
    pub(super) fn door(&self) -> &Door {
        &self.door
    }

    /// The use cases.
    pub(super) fn service(&self) -> &Muster {
        &self.door.service
    }

    /// Whom the answer is for.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            service: &self.door.service,
            context: &self.context,
        }
    }

    /// The most bytes that a resource of this type, or a change of one, may have.
    pub(super) fn body_limit(&self) -> usize {
        let mut attributes = self.resource_type.attributes();
        if attributes.any(|found| found.attribute.storage == Storage::Rows) {
            body::MEMBERS_LIMIT
        } else {
            body::LIMIT
        }
    }

    /// The id, mostly from the path; empty where the route has none.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Where the resource is, by whatever name it was asked for.
    pub(super) fn location(&self) -> String {
        format!("{}{}/{}", self.context.base_url, self.endpoint, self.id)
    }

    /// The same call about the resource of that id.
    pub(super) fn about(self, id: String) -> Self {
        Self { id, ..self }
    }

    /// `attributes` and `excludedAttributes` (RFC 7644 §3.9).
    pub(super) fn projection(&self) -> Result<Projection, Failure> {
        let attributes = query::single(&self.query, "attributes")?;
        let excluded = query::single(&self.query, "excludedAttributes")?;
        Ok(Projection::parse(
            &self.resource_type,
            attributes,
            excluded,
        )?)
    }

    /// What the answer to a write shall hold.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted::of(self.request.headers())
    }

    /// The same for a PATCH, whose answer also depends on what the client looks at (RFC 7644 §3.5.2).
    pub(super) fn wanted_of_patch(&self) -> Wanted {
        let client = &self.context.client;
        match (self.wanted(), client.patch_answer(&self.resource_type.name)) {
            (Wanted::Unsaid, PatchAnswer::Nothing) => Wanted::Silence,
            (wanted, _) => wanted,
        }
    }

    /// The same for an answer that may have no body: then nothing is loaded for it.
    pub(super) fn projection_for(&self, wanted: Wanted) -> Result<Projection, Failure> {
        let projection = self.projection()?;
        Ok(match wanted {
            Wanted::Minimal | Wanted::Silence => Projection::minimal(),
            Wanted::Representation | Wanted::Unsaid => projection,
        })
    }

    /// `If-Match`, several headers joined to one list (RFC 9110 §5.3). What is no text matches nothing.
    pub(super) fn if_match(&self) -> Option<String> {
        let values: Vec<_> = self
            .request
            .headers()
            .get_all(header::IF_MATCH)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Token first, so that strangers learn nothing; then the endpoint, then the query.
    async fn admit(request: HttpRequest) -> Result<Self, Failure> {
        let door = door(&request)?.clone();
        let Caller { context, account } = Caller::admit(&request, &door).await?;
        let part = |name: &str| {
            request
                .match_info()
                .get(name)
                .unwrap_or_default()
                .to_owned()
        };
        // Me is a User (RFC 7644 §3.11).
        let endpoint = match request.match_info().get("endpoint") {
            None => "/Users".to_owned(),
            Some(endpoint) => format!("/{endpoint}"),
        };
        let id = part("id");
        let resource_type = door.service.resource_type(&endpoint).ok_or_else(|| {
            Failure::not_found("there is no such endpoint; /ResourceTypes lists those there are")
        })?;
        let clearance = context.client.clearance.on(&resource_type.name);
        let resource_type = clearance.known(&resource_type).clone();
        let query = query::parse(request.query_string())?;
        for (_, names) in query.iter().filter(|(name, _)| is_attribute_list(name)) {
            let unknown = unknown_names(&resource_type, names, context.client.profile)?;
            answer::leave_out(&request, unknown);
        }
        Ok(Self {
            door,
            request,
            context,
            resource_type,
            endpoint,
            id,
            account,
            query,
        })
    }
}

/// The attributes that a search's body lists (RFC 7644 §3.4.3), as a query would.
pub(super) fn listed_attributes(body: &Map) -> String {
    let lists = body.iter().filter(|(name, _)| is_attribute_list(name));
    let names = lists.flat_map(|(_, list)| match list {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::String(names) => vec![names.as_str()],
        _ => Vec::new(),
    });
    names.collect::<Vec<_>>().join(",")
}

/// The parameters that list attributes (RFC 7644 §3.9).
fn is_attribute_list(parameter: &str) -> bool {
    matches!(parameter, "attributes" | "excludedAttributes")
}

impl FromRequest for Call {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Box::pin(Self::admit(request.clone()))
    }
}
