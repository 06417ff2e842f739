//! The keys under which candidates are found: all are equality look-ups in an index (matching.md).

use super::normal::{PHONE_END, halves, is_free_mail, soundex};
use super::profile::{Name, Place, Profile};

/// The most keys of one profile: so many look-ups is resolving one record at most.
pub const MOST_KEYS: usize = 20;

/// The keys of a profile, the most telling first. Each is a text that says of which kind it is; what is stored of it is an
/// HMAC that is made elsewhere.
#[must_use]
pub fn keys(profile: &Profile) -> Vec<String> {
    let mut keys = Vec::new();
    let mut add = |kind: &str, parts: &[&str]| {
        if keys.len() < MOST_KEYS && parts.iter().all(|part| !part.is_empty()) {
            let key = format!("{kind}:{}", parts.join("|"));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    };
    for legal in profile.legal.iter().take(2) {
        add("legal", &[legal]);
    }
    for email in profile.emails.iter().take(3) {
        add("email", &[email]);
        let (local, domain) = halves(email);
        if is_free_mail(domain) && local.len() >= 6 {
            add("local", &[local]);
        }
    }
    for phone in profile.phones.iter().take(3) {
        add("phone", &[&phone[phone.len().saturating_sub(PHONE_END)..]]);
    }
    let name = profile.names.first().cloned().unwrap_or_default();
    let sound = soundex(name.family.rsplit(' ').next().unwrap_or_default());
    for day in profile.births.iter().take(1) {
        add("day+family", &[day, &sound]);
        add("day+given", &[day, head(&name.given, 2)]);
        add("year+names", &[head(day, 4), &sound, &soundex(&name.given)]);
    }
    let mut both = [name.given.as_str(), name.family.as_str()];
    both.sort_unstable();
    add("names", &both);
    let place = profile.places.first().cloned().unwrap_or_default();
    add("postcode+family", &[&place.postcode, &sound]);
    add("postcode+given", &[&place.postcode, &soundex(&name.given)]);
    add(
        "street+given",
        &[head(&place.street, 8), &soundex(&name.given)],
    );
    add("street+family", &[head(&place.street, 8), &sound]);
    for day in profile.births.iter().take(1) {
        add("day+postcode", &[day, &place.postcode]);
        add("day+street", &[day, head(&place.street, 4)]);
    }
    add(
        "house+street",
        &[
            &place.house,
            head(&place.street, 6),
            head(&place.postcode, 3),
        ],
    );
    by_work(profile, &name, &sound, &mut add);
    add("city", &[&name.family, head(&name.given, 1), &place.city]);
    by_little(profile, &name, &place, &mut add);
    keys
}

fn by_work(profile: &Profile, name: &Name, sound: &str, add: &mut impl FnMut(&str, &[&str])) {
    if let Some(current) = profile.employers.first() {
        add("work+names", &[current, sound, &soundex(&name.given)]);
        add("work+given", &[current, &name.given]);
    }
    for employer in profile.employers.iter().take(3) {
        add(
            "work+family",
            &[employer, &name.family, head(&name.given, 1)],
        );
    }
}

/// What is left to sparse records, whose few values may all be misspelled.
fn by_little(profile: &Profile, name: &Name, place: &Place, add: &mut impl FnMut(&str, &[&str])) {
    let family = soundex(name.family.rsplit(' ').next().unwrap_or_default());
    let given = soundex(&name.given);
    let mut sounds = [family.as_str(), given.as_str()];
    sounds.sort_unstable();
    add("city+names", &[head(&place.city, 5), sounds[0], sounds[1]]);
    add("house+family", &[&place.house, &family]);
    add("house+given", &[&place.house, &given]);
    add("house+postcode", &[&place.house, &place.postcode]);
    add("day", &[profile.births.first().map_or("", String::as_str)]);
}

fn head(text: &str, length: usize) -> &str {
    text.get(..length).unwrap_or(text)
}
