//! GET one (RFC 7644 §3.4.1), by its id or by another name that it alone has.

use super::change::{find, missing};
use super::provenance::asks_for_more;
use super::{Asked, Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::masked::{Masked, Resource};
use crate::domain::name::Name;
use crate::domain::record::Kind;
use crate::domain::view::View;
use crate::scim::projection::Projection;
use crate::store::seek::seek;

/// What one statement told of a name.
pub(super) enum Sought {
    /// Who it is.
    Found(Box<Masked<Resource>>),
    /// Nobody whom the view shows.
    Nobody,
    /// There is more to be read than one statement does.
    Unclear,
}

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
        let asked = Asked::from(projection);
        let name = Name::Id(id.parse().map_err(|_| missing(&view, id))?);
        match self.seek(context, &view, name, &asked).await? {
            Sought::Found(found) => return self.disclosed(context, &view, *found).await,
            // An id that has been merged into another is a name of that one.
            Sought::Nobody | Sought::Unclear => {}
        }
        let (muster, reader, id) = (self.clone(), context.clone(), id.to_owned());
        let shown = view.clone();
        let read = move |tx: &mut crate::store::Tx<'_>| {
            let (context, view) = (&reader, &shown);
            let found = find(tx, context, view, &id)?;
            if !muster.reaches(context, view, &found.leaves, Right::Read) {
                return Err(missing(view, &id));
            }
            muster.show_one(tx, context, view, found, &asked)
        };
        let found = self.0.store.read(read).await?;
        self.disclosed(context, &view, found).await
    }

    /// A resource whose reading is logged.
    async fn disclosed(
        &self,
        context: &Context,
        view: &View,
        found: Masked<Resource>,
    ) -> Result<Masked<Resource>, Error> {
        let name = &view.resource_type.name;
        let one = std::iter::once(&found);
        self.disclose(context, name, one, Vec::new()).await?;
        Ok(found)
    }

    /// A person by a name, in one statement.
    pub(super) async fn seek(
        &self,
        context: &Context,
        view: &View,
        name: Name,
        asked: &Asked,
    ) -> Result<Sought, Error> {
        if view.kind != Kind::Person || asks_for_more(view, asked) {
            return Ok(Sought::Unclear);
        }
        let tenant = context.tenant();
        let found = self.0.store.read_at_once(move |tx| seek(tx, tenant, &name));
        let Some(found) = found.await? else {
            return Ok(Sought::Nobody);
        };
        let hidden = || !self.reaches(context, view, &found.folded.leaves, Right::Read);
        if !view.holds(&found.folded) || hidden() {
            return Ok(Sought::Nobody);
        }
        let Some(groups) = found.groups else {
            return Ok(Sought::Unclear);
        };
        let groups = Self::shown_groups(&groups, context).map(|groups| ("groups", groups));
        let rows = groups.into_iter().collect();
        let shown = self.render(context, view, found.folded, (rows, Vec::new()), asked);
        Ok(Sought::Found(Box::new(shown)))
    }
}
