//! Who a newcomer is: each candidate scored, guarded and explained (matching.md; ).

use serde::{Deserialize, Serialize};

use super::apart::Said;
use super::level::{
    Area, Attribute, Birth, Email, Employment, Family, Given, Legal, Levels, Middle, Phone, Street,
    Suffix, best_names, compare,
};
use super::model::{Frequencies, Scorer};
use super::profile::Profile;

/// What decides beside the people.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// How many people there are.
    pub population: f64,
    /// More than this is one person, from 0 to 1.
    pub merge_above: f64,
    /// From this on a human looks, from 0 to 1.
    pub review_from: f64,
    /// Whether a merge needs strong evidence: a population without contact data and birth dates may do without.
    pub needs_strong_evidence: bool,
    /// Whether the newcomer is an account, which an e-mail address that nobody vouches for must not attach.
    pub guards_account: bool,
}

/// Somebody who may be the newcomer.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a, T> {
    /// Who.
    pub id: T,
    /// What is known of them.
    pub profile: &'a Profile,
    /// Whether the newcomer's own system speaks of them already: a system rarely knows a person twice without knowing it.
    pub same_system: bool,
    /// What a human has said of the two.
    pub said: Said,
}

/// Why two people are not merged without a human, however alike they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Guard {
    /// Their legal identifiers differ: never.
    LegalIdentifiersDiffer,
    /// A human has said so: never.
    KnownApart,
    /// A human has said that they are two, and something has become known since.
    NewEvidence,
    /// Their birth dates clearly differ.
    BirthDatesDiffer,
    /// One is Jr, the other Sr.
    SuffixesDiffer,
    /// Their given names clearly differ: twins, spouses, a shared mailbox.
    GivenNamesDiffer,
    /// Their middle names differ, and no equal birth date speaks for them.
    MiddleNamesDiffer,
    /// Nothing but names, or one thing beside, agrees.
    WeakEvidence,
    /// Another candidate is as good.
    SeveralCandidates,
    /// The same system speaks of both.
    SameSystem,
    /// The e-mail address is not vouched for, and it would attach an account.
    UnverifiedEmail,
}

impl Guard {
    /// Whether it forbids that they are one, not only that nobody looks.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::LegalIdentifiersDiffer | Self::KnownApart)
    }
}

/// How alike two people are in one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The attribute.
    pub attribute: String,
    /// The canonical path of the values, whose masking holds of them.
    pub path: String,
    /// The newcomer's, as it is compared.
    pub left: String,
    /// The candidate's.
    pub right: String,
    /// How alike they are.
    pub level: String,
    /// What that says, in bits.
    pub bits: f64,
}

/// Why somebody is or is not the newcomer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Each attribute that both have.
    pub comparisons: Vec<Comparison>,
    /// The bits of the population: how unlikely anybody in particular is.
    pub prior: f64,
    /// The sum of the comparisons' bits and the prior.
    pub score: f64,
    /// The calibrated chance that they are one, alone.
    pub probability: f64,
    /// The same among all candidates: only one of them can be it.
    pub among: f64,
    /// What kept it from being merged.
    pub guard: Option<Guard>,
    /// The model.
    pub model: String,
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The newcomer is the first of the candidates that are told of.
    Merge,
    /// A human looks.
    Review,
    /// The newcomer is new.
    New,
}

/// What is decided, and why: the candidates with the likeliest first.
#[derive(Clone, Debug)]
pub struct Decision<T> {
    /// What is decided.
    pub outcome: Outcome,
    /// The candidates; of a review those from the line on.
    pub candidates: Vec<(T, Trace)>,
}

/// Decides who `newcomer` is. The order of the candidates does not matter.
#[must_use]
pub fn decide<T: Clone + Ord>(
    newcomer: &Profile,
    candidates: &[Candidate<'_, T>],
    context: &Context,
    scorer: &Scorer,
    frequencies: &dyn Frequencies,
) -> Decision<T> {
    let prior = scorer.prior(context.population);
    let mut scored: Vec<Scored<'_, T>> = candidates
        .iter()
        .map(|candidate| {
            let levels = compare(newcomer, candidate.profile);
            let score = prior
                + scorer.sum(&levels)
                + rarity(newcomer, candidate.profile, &levels, scorer, frequencies);
            let guard = guard(candidate, &levels, context);
            let never = guard.is_some_and(Guard::is_final);
            let odds = if never { 0.0 } else { scorer.odds(score) };
            Scored {
                candidate,
                levels,
                odds,
                guard,
            }
        })
        .collect();
    let all: f64 = 1.0 + scored.iter().map(|one| one.odds).sum::<f64>();
    scored.sort_by(|a, b| {
        b.odds
            .total_cmp(&a.odds)
            .then_with(|| a.candidate.id.cmp(&b.candidate.id))
    });
    let chance = |one: &Scored<'_, T>| one.odds / (1.0 + one.odds);
    let above = scored
        .iter()
        .filter(|one| chance(one) >= context.review_from)
        .count();
    let sure = |one: &Scored<'_, T>| chance(one) > context.merge_above;
    // One whom a guard keeps from being merged anyway, such as a twin, makes nobody else doubtful.
    let rivals = |one: &Scored<'_, T>| sure(one) && one.guard.is_none();
    if scored.iter().filter(|one| rivals(one)).count() > 1 {
        for one in scored.iter_mut().filter(|one| rivals(one)) {
            one.guard = Some(Guard::SeveralCandidates);
        }
    }
    let outcome = match scored.first() {
        Some(best) if best.odds / all > context.merge_above && best.guard.is_none() => {
            Outcome::Merge
        }
        _ if above > 0 => Outcome::Review,
        _ => Outcome::New,
    };
    let told = match outcome {
        Outcome::Review => above,
        _ => scored.len(),
    };
    let explain = |one: &Scored<'_, T>| {
        let trace = explain(newcomer, one, (prior, all), scorer, frequencies);
        (one.candidate.id.clone(), trace)
    };
    Decision {
        outcome,
        candidates: scored.iter().take(told).map(explain).collect(),
    }
}

/// A candidate, scored.
struct Scored<'a, T> {
    candidate: &'a Candidate<'a, T>,
    levels: Levels,
    odds: f64,
    guard: Option<Guard>,
}

/// What the rarity of equal names adds to their bits.
pub(super) fn rarity(
    a: &Profile,
    b: &Profile,
    levels: &Levels,
    scorer: &Scorer,
    frequencies: &dyn Frequencies,
) -> f64 {
    let Some((name, _)) = best_names(a, b) else {
        return 0.0;
    };
    let of = |attribute: Attribute, value: &str| {
        let equal = levels[attribute as usize] == Some(0);
        let share = frequencies.share(attribute, value).filter(|_| equal);
        share.map_or(0.0, |share| {
            scorer.bits_of_share(attribute, share) - scorer.bits(attribute, 0)
        })
    };
    of(Attribute::Given, &name.given) + of(Attribute::Family, &name.family)
}

/// What keeps two people from being merged, the graver first.
fn guard<T>(candidate: &Candidate<'_, T>, levels: &Levels, context: &Context) -> Option<Guard> {
    if candidate.said == Said::Apart {
        return Some(Guard::KnownApart);
    }
    conflict(levels).or_else(|| {
        if candidate.said == Said::ApartBefore {
            Some(Guard::NewEvidence)
        } else if context.needs_strong_evidence && !is_strong(levels) {
            Some(Guard::WeakEvidence)
        } else if candidate.same_system {
            Some(Guard::SameSystem)
        } else if context.guards_account
            && is(levels, Attribute::Email, Email::Equal)
            && !is_strong_without_mail(levels)
        {
            Some(Guard::UnverifiedEmail)
        } else {
            None
        }
    })
}

/// What of two people contradicts that they are one.
pub(super) fn conflict(levels: &Levels) -> Option<Guard> {
    if is(levels, Attribute::Legal, Legal::Other) {
        return Some(Guard::LegalIdentifiersDiffer);
    }
    if is(levels, Attribute::Birth, Birth::Other) || is(levels, Attribute::Birth, Birth::Rough) {
        return Some(Guard::BirthDatesDiffer);
    }
    if is(levels, Attribute::Suffix, Suffix::Other) {
        return Some(Guard::SuffixesDiffer);
    }
    if is(levels, Attribute::Given, Given::Other) {
        return Some(Guard::GivenNamesDiffer);
    }
    let same_day = is(levels, Attribute::Birth, Birth::Exact);
    (is(levels, Attribute::Middle, Middle::Other) && !same_day).then_some(Guard::MiddleNamesDiffer)
}

fn is<L: Into<u8>>(levels: &Levels, attribute: Attribute, level: L) -> bool {
    levels[attribute as usize] == Some(level.into())
}

fn within<L: Into<u8>>(levels: &Levels, attribute: Attribute, worst: L) -> bool {
    levels[attribute as usize].is_some_and(|level| level <= worst.into())
}

/// Whether a contact or legal identifier agrees, or two independent weaker things do.
pub(super) fn is_strong(levels: &Levels) -> bool {
    let mail = within(levels, Attribute::Email, Email::Local) && !is_shared_mail(levels);
    mail || is_strong_without_mail(levels)
}

/// Whether a mailbox looks like a family's or like one that was given to another: the given names are not the same, and
/// neither phone nor employer is.
fn is_shared_mail(levels: &Levels) -> bool {
    let named = within(levels, Attribute::Given, Given::Nickname);
    !named
        && is(levels, Attribute::Phone, Phone::Other)
        && is(levels, Attribute::Employment, Employment::Other)
}

fn is_strong_without_mail(levels: &Levels) -> bool {
    let identifier =
        is(levels, Attribute::Legal, Legal::Equal) || within(levels, Attribute::Phone, Phone::Slip);
    let day = within(levels, Attribute::Birth, Birth::Slip);
    let address = within(levels, Attribute::Street, Street::Fuzzy);
    let place = address || within(levels, Attribute::Area, Area::City);
    let work = within(levels, Attribute::Employment, Employment::One);
    let middle = within(levels, Attribute::Middle, Middle::Initial);
    let names = within(levels, Attribute::Given, Given::Near)
        && within(levels, Attribute::Family, Family::Near);
    let named =
        levels[Attribute::Given as usize].is_some() || is(levels, Attribute::Legal, Legal::Equal);
    named && identifier || day && (place || work || middle) || names && address && work
}

fn explain<T>(
    newcomer: &Profile,
    one: &Scored<'_, T>,
    (prior, all): (f64, f64),
    scorer: &Scorer,
    frequencies: &dyn Frequencies,
) -> Trace {
    let other = one.candidate.profile;
    let names = best_names(newcomer, other);
    let mut comparisons = Vec::new();
    for attribute in Attribute::ALL {
        let Some(level) = one.levels[*attribute as usize] else {
            continue;
        };
        let mut bits = scorer.bits(*attribute, level);
        let (left, right) = forms(*attribute, (newcomer, other), names);
        let named = matches!(attribute, Attribute::Given | Attribute::Family) && level == 0;
        if let Some(share) = frequencies.share(*attribute, &left).filter(|_| named) {
            bits = scorer.bits_of_share(*attribute, share);
        }
        comparisons.push(Comparison {
            attribute: attribute.word().to_owned(),
            path: attribute.path().to_owned(),
            left,
            right,
            level: attribute.levels()[usize::from(level)].to_owned(),
            bits,
        });
    }
    let score = comparisons.iter().map(|one| one.bits).sum::<f64>() + prior;
    Trace {
        comparisons,
        prior,
        score,
        probability: one.odds / (1.0 + one.odds),
        among: one.odds / all,
        guard: one.guard,
        model: scorer.model.version.clone(),
    }
}

/// What of two people was compared, as text.
fn forms(
    attribute: Attribute,
    (a, b): (&Profile, &Profile),
    names: Option<(&super::profile::Name, &super::profile::Name)>,
) -> (String, String) {
    use super::profile::{Name, Place};
    let of_names = |part: fn(&Name) -> &String| {
        names.map_or_else(Default::default, |(x, y)| {
            (part(x).clone(), part(y).clone())
        })
    };
    let places = |part: fn(&Place) -> String| {
        let told = |profile: &Profile| {
            profile
                .places
                .iter()
                .map(part)
                .collect::<Vec<_>>()
                .join("; ")
        };
        (told(a), told(b))
    };
    match attribute {
        Attribute::Given => of_names(|name| &name.given),
        Attribute::Family => of_names(|name| &name.family),
        Attribute::Middle => of_names(|name| &name.middle),
        Attribute::Suffix => of_names(|name| &name.suffix),
        Attribute::Birth => (a.births.join("; "), b.births.join("; ")),
        Attribute::Email => (a.emails.join("; "), b.emails.join("; ")),
        Attribute::Phone => (a.phones.join("; "), b.phones.join("; ")),
        Attribute::Street => places(|place| format!("{} {}", place.street, place.house)),
        Attribute::Area => places(|place| format!("{} {}", place.postcode, place.city)),
        Attribute::Employment => (a.employers.join("; "), b.employers.join("; ")),
        // Legal identifiers are told by nobody.
        Attribute::Legal => ("(secret)".into(), "(secret)".into()),
    }
}
