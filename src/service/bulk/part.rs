//! One operation of a bulk request, or a circle of them, on its way through the transaction.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Known, Outcome};
use crate::domain::context::Context;
use crate::id::ResourceId;
use crate::scim::bulk::{Cut, Method, Operation, Target, cut, resolve};
use crate::scim::patch::PATCH_URN;
use crate::scim::projection::Projection;
use crate::service::create::Create;
use crate::service::delete::Delete;
use crate::service::membership::{Join, Leave};
use crate::service::patch::Change;
use crate::service::replace::Replace;
use crate::service::{Came, Error, Muster, Written};
use crate::store::{self, Tx};

/// Who acts, and what of a resource the answer holds.
pub(super) struct Scene<'s> {
    pub(super) muster: &'s Muster,
    pub(super) context: &'s Context,
    pub(super) projection: &'s Projection,
}

/// An operation as far as it can be prepared before the transaction.
pub(super) struct Part {
    /// Its index in the request.
    pub(super) index: usize,
    /// The name of what it makes.
    pub(super) makes: Option<String>,
    method: Option<Method>,
    endpoint: String,
    target: Target,
    version: Option<String>,
    references: BTreeSet<String>,
    work: Work,
}

/// What the transaction has to do.
enum Work {
    /// Nothing: it fails.
    Refused(Error),
    /// What was found right so far.
    Ready(Ready),
    /// All of it: it refers to what the same transaction makes.
    Late(Map<String, Value>),
}

enum Ready {
    Create(Box<Create>),
    Replace(Box<Replace>),
    Patch(Box<Change>),
    Delete(Delete),
    Join(Join),
    Leave(Leave),
}

impl Part {
    /// Prepares an operation, as far as the names it refers to are known.
    pub(super) fn new(
        scene: &Scene<'_>,
        index: usize,
        operation: &Operation<'_>,
        known: &Known,
        circular: bool,
    ) -> Self {
        let mut part = Self {
            index,
            makes: operation.bulk_id.clone().filter(|_| operation.makes()),
            method: operation.method,
            endpoint: operation.endpoint.clone(),
            target: operation.target.clone(),
            version: operation.version.clone(),
            references: operation.references.clone(),
            work: Work::Late(Map::new()),
        };
        let whole = part.references.iter().all(|name| known.has(name));
        let work = match (operation.fault.clone(), operation.data()) {
            (Some(fault), _) | (None, Err(fault)) => Err(fault.into()),
            (None, Ok(data)) if circular || !whole => Ok(Work::Late(data)),
            (None, Ok(data)) => part.prepare(scene, data, known).map(Work::Ready),
        };
        part.work = work.unwrap_or_else(Work::Refused);
        part
    }

    /// The id of the resource that it changes, if that is known from the start.
    pub(super) fn id(&self) -> Option<ResourceId> {
        match (&self.target, &self.work) {
            (Target::Id(id), Work::Ready(_) | Work::Late(_)) => id.parse().ok(),
            _ => None,
        }
    }

    /// Does it in a savepoint of its own. The outer error is one of the whole transaction.
    pub(super) fn alone(
        &self,
        scene: &Scene<'_>,
        tx: &mut Tx<'_>,
        known: &Known,
    ) -> Result<Result<Option<Written>, Error>, Error> {
        if let Work::Refused(error) = &self.work {
            return Ok(Err(error.clone()));
        }
        whole(tx.savepoint(|tx| self.perform(scene, tx, known))?)
    }

    fn perform(
        &self,
        scene: &Scene<'_>,
        tx: &mut Tx<'_>,
        known: &Known,
    ) -> Result<Option<Written>, Error> {
        match &self.work {
            Work::Refused(error) => Err(error.clone()),
            Work::Ready(ready) => ready.perform(scene, tx),
            Work::Late(data) => self.prepare(scene, data.clone(), known)?.perform(scene, tx),
        }
    }

    /// Puts ids in the place of names, and checks what can be checked without the database.
    fn prepare(
        &self,
        scene: &Scene<'_>,
        mut data: Map<String, Value>,
        known: &Known,
    ) -> Result<Ready, Error> {
        if let Some(name) = known.failed(&self.references) {
            return Err(lost_reference(name));
        }
        resolve(self.method == Some(Method::Patch), &mut data, &|name| {
            known.id(name)
        });
        let (muster, context, projection) = (scene.muster, scene.context, scene.projection);
        let id = match &self.target {
            Target::New => String::new(),
            Target::Id(id) => id.clone(),
            Target::Made(name) => known.id(name).ok_or_else(|| lost_reference(name))?,
        };
        let at = (self.endpoint.as_str(), id.as_str());
        let version = self.version.as_deref();
        if muster.0.renderer.catalog().membership().endpoint == at.0 {
            return match self.method {
                Some(Method::Post) => {
                    Ok(Ready::Join(muster.prepare_join(context, data, projection)?))
                }
                Some(Method::Delete) => {
                    Ok(Ready::Leave(muster.prepare_leave(context, at.1, version)?))
                }
                _ => Err(Error::Scim(crate::scim::Error::mutability(
                    "a membership is made by POST and ended by DELETE, never changed",
                ))),
            };
        }
        Ok(match self.method {
            Some(Method::Post) => Ready::Create(Box::new(
                muster.prepare_create(context, at.0, data, projection)?,
            )),
            Some(Method::Put) => Ready::Replace(Box::new(
                muster.prepare_replace(context, at, version, data, projection)?,
            )),
            Some(Method::Patch) => Ready::Patch(Box::new(
                muster.prepare_patch(context, at, version, data, projection)?,
            )),
            Some(Method::Delete) => Ready::Delete(muster.prepare_delete(context, at, version)?),
            None => return Err(Error::Internal("an operation has no method".into())),
        })
    }

    /// Makes the resource without what refers to names not known yet; that is handed back.
    fn begin(
        &self,
        scene: &Scene<'_>,
        tx: &mut Tx<'_>,
        known: &Known,
    ) -> Result<(Option<Written>, Vec<Cut>), Error> {
        let Work::Late(data) = &self.work else {
            return Ok((self.perform(scene, tx, known)?, Vec::new()));
        };
        let mut data = data.clone();
        let cuts = cut(&mut data, &|name| known.has(name));
        let done = self
            .prepare(scene, data, known)
            .and_then(|ready| ready.perform(scene, tx));
        match done {
            Ok(written) => Ok((written, cuts)),
            Err(Error::Scim(error)) if !cuts.is_empty() => {
                let paths: Vec<_> = cuts.iter().map(|cut| cut.path.as_str()).collect();
                Err(Error::Scim(error.within(format_args!(
                    "made without {}, whose reference is circular",
                    paths.join(", ")
                ))))
            }
            Err(error) => Err(error),
        }
    }

    /// Adds what had to wait.
    fn complete(
        &self,
        scene: &Scene<'_>,
        tx: &mut Tx<'_>,
        (id, cuts): (&str, &[Cut]),
        known: &Known,
    ) -> Result<Written, Error> {
        let add = |cut: &Cut| json!({ "op": "add", "path": cut.path, "value": cut.value });
        let operations: Vec<Value> = cuts.iter().map(add).collect();
        let mut body = Map::new();
        body.insert("schemas".into(), json!([PATCH_URN]));
        body.insert("Operations".into(), operations.into());
        resolve(true, &mut body, &|name| known.id(name));
        let at = (self.endpoint.as_str(), id);
        scene
            .muster
            .prepare_patch(scene.context, at, None, body, scene.projection)?
            .perform(scene.muster, scene.context, tx)
    }
}

impl Ready {
    fn perform(&self, scene: &Scene<'_>, tx: &mut Tx<'_>) -> Result<Option<Written>, Error> {
        let (muster, context) = (scene.muster, scene.context);
        match self {
            Self::Create(create) => create.perform(muster, context, tx).map(Some),
            Self::Replace(replace) => replace.perform(muster, context, tx).map(Some),
            Self::Patch(patch) => patch.perform(muster, context, tx).map(Some),
            Self::Delete(delete) => delete.perform(muster, context, tx).map(|()| None),
            Self::Join(join) => join.perform(muster, context, tx).map(Some),
            Self::Leave(leave) => leave.perform(muster, context, tx).map(|()| None),
        }
    }
}

/// Who of a circle failed, and why.
struct Broken(Option<usize>, Error);

impl From<store::Error> for Broken {
    fn from(error: store::Error) -> Self {
        Self(None, error.into())
    }
}

/// Makes all the resources of a circle and then completes them (RFC 7644 §3.7.1), or none of them: whoever refers to what
/// could not be made has failed too.
pub(super) fn circle(
    parts: &[Part],
    scene: &Scene<'_>,
    tx: &mut Tx<'_>,
    known: &Known,
) -> Result<Vec<Outcome>, Error> {
    let done = tx
        .savepoint(|tx| whole_circle(parts, scene, tx, known))
        .map_err(|Broken(_, error)| error)?;
    match done {
        Ok(written) => Ok(parts
            .iter()
            .zip(written)
            .map(|(part, written)| (part.index, Ok(written)))
            .collect()),
        Err(Broken(at, error)) => {
            let error = whole::<()>(Err(error))?.err();
            let culprit = parts.iter().find(|part| Some(part.index) == at);
            let name = culprit.and_then(|part| part.makes.as_deref());
            let outcome = |part: &Part| match (&error, name) {
                (Some(error), _) if culprit.is_none_or(|culprit| culprit.index == part.index) => {
                    error.clone()
                }
                (_, name) => lost_reference(name.unwrap_or_default()),
            };
            Ok(parts
                .iter()
                .map(|part| (part.index, Err(outcome(part))))
                .collect())
        }
    }
}

fn whole_circle(
    parts: &[Part],
    scene: &Scene<'_>,
    tx: &mut Tx<'_>,
    known: &Known,
) -> Result<Vec<Option<Written>>, Broken> {
    let mut known = known.clone();
    let mut made = Vec::with_capacity(parts.len());
    for part in parts {
        let at = |error| Broken(Some(part.index), error);
        let (written, cuts) = part.begin(scene, tx, &known).map_err(at)?;
        if let (Some(name), Some(written)) = (&part.makes, &written) {
            known.set(name, Some(written));
        }
        made.push((written, cuts));
    }
    let mut whole = Vec::with_capacity(parts.len());
    for (part, (written, cuts)) in parts.iter().zip(made) {
        let at = |error| Broken(Some(part.index), error);
        match written {
            Some(begun) if !cuts.is_empty() => {
                let id = begun.resource.seen().id.to_string();
                let done = part.complete(scene, tx, (&id, &cuts), &known).map_err(at)?;
                let ignored = [begun.ignored, done.ignored].concat();
                let suggested = [begun.suggested, done.suggested].concat();
                whole.push(Some(Written {
                    ignored,
                    suggested,
                    came: Came::default(),
                    ..done
                }));
            }
            written => whole.push(written),
        }
    }
    Ok(whole)
}

/// An operation's failure is its own, but that of the database is everybody's.
fn whole<T>(outcome: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match outcome {
        Err(error @ Error::Unavailable { .. }) => Err(error),
        outcome => Ok(outcome),
    }
}

/// 409 for a reference to what was not made (RFC 7644 §3.7.1).
fn lost_reference(name: &str) -> Error {
    Error::Conflict(format!(
        "'bulkId:{name}' cannot be resolved: the operation with this bulkId failed"
    ))
}
