//! People sign in and out. What the browser holds is a secret; the database has its hash alone.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::event::Event;
use crate::domain::session::{IDLE, Session};
use crate::id::TenantId;
use crate::store::{self, Tx};

impl Muster {
    /// Signs somebody in as the context's client; answers the secret by which the session is found again. Sessions that
    /// have been over for long are forgotten on the way.
    pub async fn open_session(
        &self,
        context: &Context,
        session: &Session,
    ) -> Result<Vec<u8>, Error> {
        let secret = self.0.ids.secret();
        let (hash, tenant, now) = (hash(&secret), context.tenant(), context.now);
        let id = self.0.ids.event(now);
        let event = Event::of_session(context, id, session, true);
        let session = session.clone();
        let work = move |tx: &mut Tx<'_>| {
            store::session::delete_unseen_since(tx, now - IDLE)?;
            store::session::insert(tx, &hash, (tenant, &session), event.clone())?;
            Ok::<_, Error>(())
        };
        self.0.store.write(work).await?;
        Ok(secret)
    }

    /// The session of that secret, with its tenant, if it is not over at `now`. That it is in use is noted.
    pub async fn session(
        &self,
        secret: &[u8],
        now: DateTime<Utc>,
    ) -> Result<Option<(TenantId, Session)>, Error> {
        let hash = hash(secret);
        let find = move |tx: &mut Tx<'_>| Ok::<_, Error>(store::session::find(tx, &hash)?);
        let found = self.0.store.read(find).await?;
        let Some((tenant, session)) = found.filter(|(_, session)| !session.is_over(now)) else {
            return Ok(None);
        };
        if session.is_to_be_noted(now) {
            let note =
                move |tx: &mut Tx<'_>| Ok::<_, Error>(store::session::update_seen(tx, &hash, now)?);
            self.0.store.write(note).await?;
        }
        Ok(Some((tenant, session)))
    }

    /// Signs somebody out.
    pub async fn close_session(
        &self,
        context: &Context,
        secret: &[u8],
        session: &Session,
    ) -> Result<(), Error> {
        let hash = hash(secret);
        let id = self.0.ids.event(context.now);
        let event = Event::of_session(context, id, session, false);
        let work = move |tx: &mut Tx<'_>| {
            Ok::<_, Error>(store::session::delete(tx, &hash, event.clone())?)
        };
        self.0.store.write(work).await
    }
}

fn hash(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
