//! How alike two people are in one attribute: a level each, equality first because it is cheapest (matching.md).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::normal::{PHONE_END, alike, halves, is_free_mail, is_slip, words};
use super::profile::{Name, Place, Profile};

/// Names that stand for each other, a group a line.
const NICKNAMES: &str = include_str!("nicknames.txt");

static GROUPS: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    let lines = NICKNAMES.lines().filter(|line| !line.starts_with('#'));
    for (n, line) in lines.enumerate() {
        for name in line.split_whitespace() {
            groups.entry(words(name)).or_default().push(n);
        }
    }
    groups
});

macro_rules! levels {
    ($($(#[$doc:meta])* $name:ident $attribute:literal $path:literal { $($level:ident $word:literal,)+ })+) => {
        /// An attribute that is compared.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Attribute {
            $($(#[$doc])* $name,)+
        }

        impl Attribute {
            /// All of them, in the order of a trace.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in models and traces.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $attribute,)+ }
            }

            /// The canonical path of what it compares, whose masking holds of it.
            #[must_use]
            pub fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)+ }
            }

            /// The words of its levels, the most alike first.
            #[must_use]
            pub fn levels(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($word),+],)+ }
            }
        }

        $(
            /// How alike two people are in it, the most alike first.
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
            pub(super) enum $name { $($level,)+ }

            impl From<$name> for u8 {
                fn from(level: $name) -> Self { level as u8 }
            }
        )+
    };
}

levels! {
    /// The given name.
    Given "givenName" "name.givenName" { Exact "exact", Nickname "nickname", Close "close", Near "near", Initial "initial", Swapped "swapped", Other "other", }
    /// The family name.
    Family "familyName" "name.familyName" { Exact "exact", Subset "subset", Close "close", Near "near", Swapped "swapped", Other "other", }
    /// The middle name.
    Middle "middleName" "name.middleName" { Exact "exact", Initial "initial", Other "other", }
    /// The suffix.
    Suffix "honorificSuffix" "name.honorificSuffix" { Equal "equal", Other "other", }
    /// The day of birth.
    Birth "birthDate" "birthDate" { Exact "exact", Slip "slip", Rough "rough", Other "other", }
    /// E-mail addresses.
    Email "emails" "emails" { Equal "equal", Slip "slip", Local "localPart", Colleague "differentSameEmployer", Personal "differentPersonal", Work "differentWork", }
    /// Phone numbers.
    Phone "phoneNumbers" "phoneNumbers" { Equal "equal", Slip "slip", Other "other", }
    /// Street and house.
    Street "streetAddress" "addresses" { House "streetAndHouse", Fuzzy "fuzzyStreetAndHouse", Name "street", Number "house", Other "other", }
    /// City and postal code.
    Area "area" "addresses" { Whole "postcodeAndCity", Postcode "postcode", City "city", Slip "postcodeSlip", Region "region", Other "other", }
    /// Employers.
    Employment "employment" "employmentHistory" { Two "twoInCommon", Current "sameCurrent", One "oneInCommon", Fuzzy "fuzzyCurrent", Other "other", }
    /// Legal identifiers.
    Legal "legalIdentifiers" "legalIdentifiers" { Equal "equal", Other "other", }
}

/// How many attributes there are.
pub const ATTRIBUTES: usize = Attribute::ALL.len();

/// The level of each attribute; none where either does not have it.
pub type Levels = [Option<u8>; ATTRIBUTES];

/// Compares two people. It does not matter which is which.
#[must_use]
pub fn compare(a: &Profile, b: &Profile) -> Levels {
    let names = best_names(a, b);
    let birth = best(&a.births, &b.births, |x, y| birth(x, y));
    let (given, family) = names.map_or((None, None), |(x, y)| name(x, y));
    let (street, area) = place(a, b, given, birth);
    // A mailbox at an employer is no evidence of that employer besides.
    let is_mailbox = |email: &String| b.emails.contains(email) && !is_free_mail(halves(email).1);
    let employment = (!a.emails.iter().any(is_mailbox)).then(|| employment(a, b));
    let mut levels: Levels = [None; ATTRIBUTES];
    levels[Attribute::Given as usize] = given.map(u8::from);
    levels[Attribute::Family as usize] = family.map(u8::from);
    levels[Attribute::Middle as usize] = names.and_then(|(x, y)| middle(x, y)).map(u8::from);
    levels[Attribute::Suffix as usize] = suffix(a, b).map(u8::from);
    levels[Attribute::Birth as usize] = birth.map(u8::from);
    levels[Attribute::Email as usize] = email(a, b).map(u8::from);
    levels[Attribute::Phone as usize] =
        best(&a.phones, &b.phones, |x, y| phone(x, y)).map(u8::from);
    levels[Attribute::Street as usize] = street.map(u8::from);
    levels[Attribute::Area as usize] = area.map(u8::from);
    levels[Attribute::Employment as usize] = employment.flatten().map(u8::from);
    levels[Attribute::Legal as usize] =
        best_known(&a.legal, &b.legal, |x, y| legal(x, y)).map(u8::from);
    levels
}

/// The levels of the addresses. Two of one household share theirs: with another given name, and no birth date that says
/// otherwise, it speaks for no more than the household.
fn place(
    a: &Profile,
    b: &Profile,
    given: Option<Given>,
    birth: Option<Birth>,
) -> (Option<Street>, Option<Area>) {
    let area = best_known(&a.places, &b.places, area);
    let same_day = birth.is_some_and(|level| level <= Birth::Slip);
    if given == Some(Given::Other) && !same_day {
        return (None, area.map(|level| level.max(Area::City)));
    }
    (best_known(&a.places, &b.places, street), area)
}

fn best<T, L: Ord>(a: &[T], b: &[T], level: impl Fn(&T, &T) -> L) -> Option<L> {
    a.iter()
        .flat_map(|x| b.iter().map(move |y| (x, y)))
        .map(|(x, y)| level(x, y))
        .min()
}

fn best_known<T, L: Ord>(a: &[T], b: &[T], level: impl Fn(&T, &T) -> Option<L>) -> Option<L> {
    a.iter()
        .flat_map(|x| b.iter().map(move |y| (x, y)))
        .filter_map(|(x, y)| level(x, y))
        .min()
}

/// The two names that are most alike.
pub(super) fn best_names<'p>(a: &'p Profile, b: &'p Profile) -> Option<(&'p Name, &'p Name)> {
    let pairs = a
        .names
        .iter()
        .flat_map(|x| b.names.iter().map(move |y| (x, y)));
    pairs.min_by_key(|(x, y)| {
        let (given, family) = name(x, y);
        let far = |level: Option<u8>| level.unwrap_or(3);
        (
            far(given.map(u8::from)) + far(family.map(u8::from)),
            middle(x, y),
            // Of two pairs that are as much alike it does not matter whose names come first.
            (*x).min(*y),
            (*x).max(*y),
        )
    })
}

/// The levels of given and family name.
fn name(a: &Name, b: &Name) -> (Option<Given>, Option<Family>) {
    let known = |x: &str, y: &str| !x.is_empty() && !y.is_empty();
    let given = known(&a.given, &b.given).then(|| given(&a.given, &b.given));
    let family = known(&a.family, &b.family).then(|| family(&a.family, &b.family));
    let far = matches!(given, Some(Given::Other)) && matches!(family, Some(Family::Other));
    if far && is_swapped(a, b) {
        return (Some(Given::Swapped), Some(Family::Swapped));
    }
    (given, family)
}

/// Whether each one's given name is the other's family name; one of them may be misspelled.
fn is_swapped(a: &Name, b: &Name) -> bool {
    let crossed = [alike(&a.given, &b.family), alike(&a.family, &b.given)];
    crossed[0].max(crossed[1]) >= 0.92 && crossed[0].min(crossed[1]) >= 0.75
}

fn given(a: &str, b: &str) -> Given {
    if a == b {
        return Given::Exact;
    }
    let (first, other) = (
        a.split(' ').next().unwrap_or(a),
        b.split(' ').next().unwrap_or(b),
    );
    if first.len() == 1 || other.len() == 1 {
        let same = first.as_bytes().first() == other.as_bytes().first();
        return if same { Given::Initial } else { Given::Other };
    }
    if first == other {
        return Given::Close;
    }
    if is_nickname(first, other) {
        return Given::Nickname;
    }
    match alike(a, b).max(alike(first, other)) {
        close if close >= 0.92 => Given::Close,
        near if near >= 0.85 => Given::Near,
        _ => Given::Other,
    }
}

/// Whether two given names may be one person's.
#[must_use]
pub fn is_nickname(a: &str, b: &str) -> bool {
    match (GROUPS.get(a), GROUPS.get(b)) {
        (Some(a), Some(b)) => a.iter().any(|group| b.contains(group)),
        _ => false,
    }
}

fn family(a: &str, b: &str) -> Family {
    if a == b {
        return Family::Exact;
    }
    if is_part(a, b) || is_part(b, a) {
        return Family::Subset;
    }
    match alike(a, b) {
        close if close >= 0.92 => Family::Close,
        near if near >= 0.85 => Family::Near,
        _ => Family::Other,
    }
}

/// Whether all words of `part` are in `whole`.
fn is_part(whole: &str, part: &str) -> bool {
    let has = |word: &str| whole.split(' ').any(|known| known == word);
    part.len() > 2 && part.split(' ').all(has)
}

fn middle(a: &Name, b: &Name) -> Option<Middle> {
    let (a, b) = (a.middle.as_str(), b.middle.as_str());
    if a.is_empty() || b.is_empty() {
        return None;
    }
    Some(if a == b && a.len() > 1 {
        Middle::Exact
    } else if a.as_bytes().first() == b.as_bytes().first()
        && (a.len() == 1 || b.len() == 1 || alike(a, b) >= 0.85)
    {
        Middle::Initial
    } else {
        Middle::Other
    })
}

fn suffix(a: &Profile, b: &Profile) -> Option<Suffix> {
    let known = |profile: &Profile| -> Vec<String> {
        let names = profile.names.iter();
        names
            .map(|name| name.suffix.clone())
            .filter(|suffix| !suffix.is_empty())
            .collect()
    };
    best(&known(a), &known(b), |x, y| {
        if x == y { Suffix::Equal } else { Suffix::Other }
    })
}

fn birth(a: &str, b: &str) -> Birth {
    if a == b {
        return Birth::Exact;
    }
    let turned = |day: &str| {
        day.get(..4)
            .zip(day.get(4..6))
            .zip(day.get(6..8))
            .map(|((y, m), d)| format!("{y}{d}{m}"))
    };
    let distance = strsim::osa_distance(a, b);
    if distance == 1 || turned(a).as_deref() == Some(b) {
        Birth::Slip
    } else if distance == 2 || a.get(..4) == b.get(..4) {
        Birth::Rough
    } else {
        Birth::Other
    }
}

/// The local part of an address often repeats the name, so that it is no evidence of its own: it counts only if it holds two
/// digits or no piece of the name.
fn email(a: &Profile, b: &Profile) -> Option<Email> {
    if a.emails.is_empty() || b.emails.is_empty() {
        return None;
    }
    let pieces: Vec<&str> = a.name_words().into_iter().chain(b.name_words()).collect();
    let tells = |local: &str| {
        let folded = words(local);
        let digits = local.chars().filter(char::is_ascii_digit).count();
        local.len() >= 6 && (digits >= 2 || !pieces.iter().any(|piece| folded.contains(piece)))
    };
    best(&a.emails, &b.emails, |x, y| {
        if x == y {
            return Email::Equal;
        }
        let ((local, domain), (other, elsewhere)) = (halves(x), halves(y));
        if local == other && domain != elsewhere {
            if tells(local) {
                return Email::Local;
            }
        } else if is_slip(x, y) && digits(x) == digits(y) && tells(local) && tells(other) {
            return Email::Slip;
        }
        if is_free_mail(domain) && is_free_mail(elsewhere) {
            Email::Personal
        } else if domain == elsewhere {
            Email::Colleague
        } else {
            Email::Work
        }
    })
}

/// The digits of a text: those of two people with one name tell their mailboxes apart.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn phone(a: &str, b: &str) -> Phone {
    // What a country puts before a number is often left out or doubled.
    let end = |number: &str| {
        number
            .get(number.len().saturating_sub(PHONE_END)..)
            .map(str::to_owned)
    };
    let (x, y) = (end(a), end(b));
    if a == b || a.len().min(b.len()) >= PHONE_END && x == y {
        Phone::Equal
    } else if a.len() == b.len() && strsim::osa_distance(a, b) == 1 {
        Phone::Slip
    } else {
        Phone::Other
    }
}

/// Identifiers of two kinds, such as a passport and a tax number, say nothing of each other.
fn legal(a: &str, b: &str) -> Option<Legal> {
    let kind = |identifier: &str| identifier.split_once(':').map(|(kind, _)| kind.to_owned());
    if a == b {
        return Some(Legal::Equal);
    }
    (kind(a) == kind(b)).then_some(Legal::Other)
}

fn street(a: &Place, b: &Place) -> Option<Street> {
    if a.street.is_empty() || b.street.is_empty() {
        return None;
    }
    let houses = !a.house.is_empty() && a.house == b.house;
    let apart = !a.house.is_empty() && !b.house.is_empty() && a.house != b.house;
    let (x, y) = (a.street.as_str(), b.street.as_str());
    let near = alike(x, y).max(if is_part(x, y) || is_part(y, x) {
        0.9
    } else {
        0.0
    });
    Some(match (near >= 1.0, near >= 0.88) {
        (true, _) if houses => Street::House,
        (_, true) if houses => Street::Fuzzy,
        (true, _) => {
            if apart {
                Street::Name
            } else {
                Street::Fuzzy
            }
        }
        // A house's number is misspelled as easily as a street's name.
        (_, true) => Street::Name,
        _ if houses => Street::Number,
        _ => Street::Other,
    })
}

fn area(a: &Place, b: &Place) -> Option<Area> {
    let known = |x: &str, y: &str| !x.is_empty() && !y.is_empty();
    let same = |x: &str, y: &str| known(x, y) && x == y;
    if !(known(&a.postcode, &b.postcode) || known(&a.city, &b.city) || known(&a.region, &b.region))
    {
        return None;
    }
    let city = known(&a.city, &b.city) && alike(&a.city, &b.city) >= 0.92;
    Some(if same(&a.postcode, &b.postcode) {
        if city { Area::Whole } else { Area::Postcode }
    } else if city {
        Area::City
    } else if known(&a.postcode, &b.postcode) && is_slip(&a.postcode, &b.postcode) {
        Area::Slip
    } else if same(&a.region, &b.region) {
        Area::Region
    } else {
        Area::Other
    })
}

fn employment(a: &Profile, b: &Profile) -> Option<Employment> {
    let shared_domain = a.domains.iter().any(|domain| b.domains.contains(domain));
    if a.employers.is_empty() || b.employers.is_empty() {
        return shared_domain.then_some(Employment::Current);
    }
    let common = a
        .employers
        .iter()
        .filter(|employer| b.employers.contains(employer))
        .count();
    Some(if common >= 2 {
        Employment::Two
    } else if a.employers[0] == b.employers[0] || shared_domain {
        Employment::Current
    } else if common == 1 {
        Employment::One
    } else if alike(&a.employers[0], &b.employers[0]) >= 0.9 {
        Employment::Fuzzy
    } else {
        Employment::Other
    })
}
