//! A resource in another form than SCIM's, by `?format=` or by `Accept`.

use std::cmp::Ordering;

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap};

use super::call::Call;
use crate::domain::masked::{Masked, Resource};
use crate::domain::rendering::Form;
use crate::http::answer::{self, Answer};
use crate::http::contracts;
use crate::http::error::Failure;
use crate::http::query;

/// The form that is asked for; none is SCIM's. A query counts more than a header.
pub(super) fn wanted(call: &Call) -> Result<Option<Form>, Failure> {
    let name = query::single(&call.query, "format")?;
    match name {
        None => Ok(accepted(call.request.headers())),
        Some("scim" | "json") => Ok(None),
        Some(name) => match Form::ALL.into_iter().find(|form| form.name() == name) {
            Some(form) => Ok(Some(form)),
            None => Err(Failure::invalid_value(format!(
                "there is no format '{name}'; there are scim, {} and {}",
                Form::Contract.name(),
                Form::HrOpen.name()
            ))),
        },
    }
}

/// The form whose media type the client would rather have than SCIM's or any (RFC 9110 §12.5.1).
fn accepted(headers: &HeaderMap) -> Option<Form> {
    let values = headers.get_all(header::ACCEPT);
    let values = values.filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(',')).map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        (
            media,
            weight.and_then(|q| q.parse().ok()).unwrap_or(1.0_f32),
        )
    });
    let mut best: (Option<Form>, f32) = (None, 0.0);
    for (media, weight) in ranges.filter(|(_, weight)| *weight > 0.0) {
        let form = Form::ALL
            .into_iter()
            .find(|form| form.media_type().eq_ignore_ascii_case(media));
        // Of equal weights the more specific range counts: a form names itself, SCIM may also be meant by `*/*`.
        let is_better = match weight.total_cmp(&best.1) {
            Ordering::Greater => true,
            Ordering::Equal => best.0.is_none() && form.is_some(),
            Ordering::Less => false,
        };
        if is_better {
            best = (form, weight);
        }
    }
    best.0
}

/// 200 with the resource in that form, or 406 where it has none.
pub(super) fn answer(call: &Call, found: &Masked<Resource>, form: Form) -> Answer {
    let rendered = form.render(&call.resource_type, found);
    let (contract, body) = rendered.ok_or_else(|| {
        Failure::not_acceptable(format!(
            "this {} has no form '{}'; ask for it as SCIM",
            call.resource_type.name,
            form.name()
        ))
    })?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::VARY, "Accept"));
    let location = contract.and_then(|name| contracts::location(call.door(), name));
    if let Some(location) = location {
        answer.insert_header((header::LINK, format!("<{location}>; rel=\"describedby\"")));
    }
    let mut answer = answer::json(answer, &body)?;
    let media = header::HeaderValue::from_static(form.media_type());
    answer.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_chosen_by_its_weight() {
        let chosen = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, header::HeaderValue::from_static(accept));
            accepted(&headers)
        };
        let hropen = Some(Form::HrOpen);
        assert_eq!(chosen("application/vnd.hropen+json"), hropen);
        assert_eq!(chosen("*/*, Application/VND.HROpen+json"), hropen);
        assert_eq!(
            chosen("application/scim+json;q=0.5, application/vnd.hropen+json; q=0.6"),
            hropen
        );
        assert_eq!(
            chosen("application/scim+json, application/vnd.hropen+json;q=0.9"),
            None
        );
        assert_eq!(chosen("application/vnd.hropen+json;q=0, */*;q=0.1"), None);
        assert_eq!(
            chosen("application/vnd.muster.contract+json"),
            Some(Form::Contract)
        );
        assert_eq!(chosen("application/scim+json"), None);
        assert_eq!(chosen("application/vnd.hropen+json;q=0"), None);
        assert_eq!(accepted(&HeaderMap::new()), None);
    }
}
