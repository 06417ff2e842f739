//! A person as matching compares people: every form of every identifying attribute, folded (matching.md).

use std::collections::BTreeSet;

use serde_json::Value;

use super::normal;
use crate::domain::record::Leaves;

/// The most forms of one attribute that are compared: more are noise, and comparing them is bounded work.
const MOST: usize = 12;

/// A name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The given name or names.
    pub given: String,
    /// The family name.
    pub family: String,
    /// The middle name, or its initial.
    pub middle: String,
    /// `jr`, `sr`, `iii`.
    pub suffix: String,
}

/// Where somebody lives or works.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The street's name.
    pub street: String,
    /// The house's number.
    pub house: String,
    /// The postal code, without blanks.
    pub postcode: String,
    /// The city.
    pub city: String,
    /// The region.
    pub region: String,
}

/// All that is compared. What is empty is not known, and speaks neither for nor against.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// The names that somebody goes by.
    pub names: Vec<Name>,
    /// The days of birth that are told, `YYYYMMDD`.
    pub births: Vec<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Phone numbers.
    pub phones: Vec<String>,
    /// Addresses.
    pub places: Vec<Place>,
    /// Employers, the present one first.
    pub employers: Vec<String>,
    /// The domains of e-mail addresses that belong to an employer.
    pub domains: Vec<String>,
    /// Legal identifiers, as the blind index names them.
    pub legal: Vec<String>,
}

impl Profile {
    /// What a person's values tell; `legal` are the blind names of the legal identifiers.
    #[must_use]
    pub fn of(leaves: &Leaves, legal: Vec<String>) -> Self {
        let text = |path: &str| leaves.get(path).and_then(Value::as_str).unwrap_or_default();
        let all = |path: &str| {
            leaves
                .get(path)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        let mut profile = Self {
            legal,
            ..Self::default()
        };
        profile.name(
            [
                text("name.givenName"),
                text("name.middleName"),
                text("name.familyName"),
            ],
            text("name.honorificSuffix"),
            text("displayName"),
        );
        profile.birth(text("birthDate"));
        let places = all("addresses");
        let country = places.iter().find_map(|place| place["country"].as_str());
        for email in all("emails") {
            profile.email(part(email, "value"));
        }
        for phone in all("phoneNumbers") {
            profile.phone(part(phone, "value"), country);
        }
        for place in places {
            profile.place([
                part(place, "streetAddress"),
                part(place, "locality"),
                part(place, "region"),
                part(place, "postalCode"),
            ]);
        }
        for job in all("employmentHistory") {
            profile.employer(part(job, "organization"));
        }
        profile.employer(text(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization",
        ));
        profile
    }

    /// Adds a name; where it has no parts, those of the name as it is displayed: `Ada Lovelace`, or `Lovelace, Ada`.
    pub fn name(&mut self, [given, middle, family]: [&str; 3], suffix: &str, display: &str) {
        let mut name = Name {
            given: normal::words(given),
            family: normal::words(family),
            middle: normal::words(middle),
            suffix: normal::words(suffix),
        };
        if name.given.is_empty() && name.family.is_empty() {
            let (family, given) = if let Some((family, given)) = display.split_once(',') {
                (normal::words(family), normal::words(given))
            } else {
                let all = normal::words(display);
                let (given, family) = all.split_once(' ').unwrap_or(("", all.as_str()));
                (family.to_owned(), given.to_owned())
            };
            (name.given, name.family) = (given, family);
        }
        if let Some((rest, last)) = name.family.rsplit_once(' ')
            && name.suffix.is_empty()
            && ["jr", "sr", "ii", "iii", "iv"].contains(&last)
        {
            (name.suffix, name.family) = (last.to_owned(), rest.to_owned());
        }
        let is_known = !(name.given.is_empty() && name.family.is_empty());
        if is_known {
            keep(&mut self.names, name);
        }
    }

    /// Adds a day of birth, `1815-12-10`, if it is one.
    pub fn birth(&mut self, text: &str) {
        let digits: String = text.chars().filter(char::is_ascii_digit).take(8).collect();
        if digits.len() == 8 {
            keep(&mut self.births, digits);
        }
    }

    /// Adds an address; the domain of an employer counts among the employers.
    pub fn email(&mut self, text: &str) {
        if let Some(email) = normal::email(text) {
            let domain = normal::halves(&email).1;
            if !normal::is_free_mail(domain) {
                keep(&mut self.domains, domain.to_owned());
            }
            keep(&mut self.emails, email);
        }
    }

    /// Adds a phone number.
    pub fn phone(&mut self, text: &str, country: Option<&str>) {
        if let Some(phone) = normal::phone(text, country) {
            keep(&mut self.phones, phone);
        }
    }

    /// Adds an address: street with house number, city, region, postal code.
    pub fn place(&mut self, [street, city, region, postcode]: [&str; 4]) {
        let (street, house) = normal::street(street);
        let place = Place {
            street,
            house,
            postcode: normal::words(postcode).replace(' ', ""),
            city: normal::words(city),
            region: normal::words(region),
        };
        if place != Place::default() {
            keep(&mut self.places, place);
        }
    }

    /// Adds an employer.
    pub fn employer(&mut self, text: &str) {
        let employer = normal::employer(text);
        if !employer.is_empty() {
            keep(&mut self.employers, employer);
        }
    }

    /// Adds all that another record tells of the same person.
    pub fn absorb(&mut self, other: &Self) {
        fn all<T: Clone + PartialEq>(known: &mut Vec<T>, more: &[T]) {
            for value in more {
                keep(known, value.clone());
            }
        }
        all(&mut self.names, &other.names);
        all(&mut self.births, &other.births);
        all(&mut self.emails, &other.emails);
        all(&mut self.phones, &other.phones);
        all(&mut self.places, &other.places);
        all(&mut self.employers, &other.employers);
        all(&mut self.domains, &other.domains);
        all(&mut self.legal, &other.legal);
    }

    /// The words that its names are made of.
    #[must_use]
    pub fn name_words(&self) -> BTreeSet<&str> {
        let names = self.names.iter();
        names
            .flat_map(|name| [&name.given, &name.middle, &name.family])
            .flat_map(|name| name.split(' '))
            .filter(|word| word.len() > 1)
            .collect()
    }
}

fn part<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn keep<T: PartialEq>(known: &mut Vec<T>, value: T) {
    if known.len() < MOST && !known.contains(&value) {
        known.push(value);
    }
}
