//! A bulk request with a key that was not brought to its end: what has been done is told as it stands now, the rest is done.

use super::{Attempted, Known, attempted};
use crate::domain::context::{Context, Right};
use crate::domain::idempotency::{Progress, Step};
use crate::scim::bulk::{Bulk, Operation};
use crate::scim::projection::Projection;
use crate::service::{Asked, Came, Error, Muster, Written};

/// What is noted of an operation that is done.
pub(super) fn settled(
    index: usize,
    outcome: &Result<Option<Written>, Error>,
) -> Option<(usize, Option<Step>)> {
    let written = outcome.as_ref().ok()?.as_ref();
    let step = |written: &Written| {
        let location = written.resource.seen().location.rsplit('/').next();
        let id = location.unwrap_or_default().to_owned();
        (id, written.came.number())
    };
    Some((index, written.map(step)))
}

impl Muster {
    /// Fills in what an earlier attempt has done, and answers it.
    pub(super) async fn resume(
        &self,
        context: &Context,
        bulk: &Bulk<'_>,
        projection: &Projection,
        (known, outcomes): (&mut Known, &mut [Option<Attempted>]),
    ) -> Result<Progress, Error> {
        let done = context.attempt.as_ref();
        let Some(done) = done.and_then(|attempt| attempt.done.as_ref()) else {
            return Ok(Progress::new());
        };
        for (index, operation) in bulk.operations.iter().enumerate() {
            let outcome = match done.progress.get(&index) {
                Some(None) => Ok(None),
                Some(Some(step)) => self.written(context, operation, step, projection).await,
                None if done.is_answered => Err(Error::Conflict(
                    "this operation failed when the request was carried out, and why is not kept any more".into(),
                )),
                None => continue,
            };
            known.learn(operation, &outcome);
            outcomes[index] = Some(attempted(context, (index, operation), known, outcome));
        }
        Ok(done.progress.clone())
    }

    /// What an operation has written, as it stands now.
    async fn written(
        &self,
        context: &Context,
        operation: &Operation<'_>,
        step: &Step,
        projection: &Projection,
    ) -> Result<Option<Written>, Error> {
        let endpoint = operation.endpoint.as_str();
        if self.0.renderer.catalog().membership().endpoint == endpoint {
            let resource = self.get_membership(context, &step.0, projection).await?;
            return Ok(Some(Written {
                resource,
                ignored: Vec::new(),
                suggested: Vec::new(),
                came: Came::default(),
            }));
        }
        let view = self.view(context, endpoint, Right::Write)?;
        let (muster, context, step) = (self.clone(), context.clone(), step.clone());
        let asked = Asked::from(projection);
        let read = move |tx: &mut crate::store::Tx<'_>| {
            muster.as_it_is(tx, &context, (&view, &asked), &step)
        };
        self.0.store.read(read).await.map(Some)
    }
}
