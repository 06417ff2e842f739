//! `/admin/kpis`: figures of how the house is run, as JSON. Who may read all of `AuditEvent` may ask.

use actix_web::{HttpRequest, web};
use chrono::{DateTime, Utc};

use super::answer::{self, Answer};
use super::caller::{Caller, door};
use super::error::Failure;
use super::query::{parse, single};
use crate::domain::kpi::{Period, read_time};

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/kpis")
            .route(web::get().to(kpis))
            .default_service(web::to(answer::read_only)),
    );
}

/// `?from=&to=`, each a day (UTC) or an instant; without them the last ninety days.
async fn kpis(request: HttpRequest, caller: Caller) -> Answer {
    let pairs = parse(request.query_string())?;
    let at = |name: &str| {
        single(&pairs, name)?
            .map(|text| read(name, text))
            .transpose()
    };
    let period = Period::between(at("from")?, at("to")?, caller.context.now);
    let period = period.ok_or_else(|| Failure::invalid_value("'from' must come before 'to'"))?;
    let service = &door(&request)?.service;
    let told = service.kpis(&caller.context, period).await?;
    Ok(answer::unstored(&told))
}

fn read(name: &str, text: &str) -> Result<DateTime<Utc>, Failure> {
    read_time(text).ok_or_else(|| {
        Failure::invalid_value(format!(
            "{name} '{text}' is no time: write it as 2031-03-01 or 2031-03-01T12:00:00Z"
        ))
    })
}
