//! GET one (RFC 7644 §3.4.1).

use super::change::find;
use super::{Asked, Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::masked::{Masked, Resource};
use crate::scim::projection::Projection;

impl Muster {
    /// The resource of that id.
    pub async fn get(
        &self,
        context: &Context,
        endpoint: &str,
        id: &str,
        projection: &Projection,
    ) -> Result<Masked<Resource>, Error> {
        let view = self.view(context, endpoint, Right::Read)?;
        let (muster, context, id) = (self.clone(), context.clone(), id.to_owned());
        let asked = Asked {
            projection: projection.clone(),
            if_match: None,
        };
        let read = move |tx: &mut crate::store::Tx<'_>| {
            let found = find(tx, &context, &view, &id)?;
            muster.show_one(tx, &context, &view, &found, &asked)
        };
        self.0.store.read(read).await
    }
}
