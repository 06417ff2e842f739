//! People as HR systems know them, made up from a seed: the same ones every time, whose records differ as real ones do.

use std::collections::HashMap;

use crate::cultures::{CULTURES, Culture, EMPLOYERS, FREE_MAIL, NICKNAMES};

/// The columns of a record, as `muster resolve` reads them.
const COLUMNS: [&str; 18] = [
    "record_id",
    "true_id",
    "given_name",
    "middle_name",
    "family_name",
    "name_suffix",
    "birth_date",
    "email_primary",
    "email_secondary",
    "phone_primary",
    "street",
    "city",
    "region",
    "postal_code",
    "country",
    "employer",
    "employment_history",
    "national_id_hash",
];

/// Steps of `SplitMix64`: evenly spread, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    /// True so often in a hundred.
    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

#[derive(Clone)]
struct Person {
    id: usize,
    culture: &'static Culture,
    given: String,
    middle: String,
    family: String,
    suffix: String,
    birth: (usize, usize, usize),
    mailbox: String,
    phone: String,
    street: String,
    city: (&'static str, &'static str, &'static str),
    postcode: String,
    jobs: Vec<&'static str>,
    legal: String,
}

fn mailbox(dice: &mut Dice, given: &str, family: &str, year: usize) -> String {
    let plain = |text: &str| {
        deunicode::deunicode(text)
            .to_lowercase()
            .replace([' ', '\''], "")
    };
    let (given, family) = (plain(given), plain(family));
    let domain = *dice.one(FREE_MAIL);
    match dice.below(4) {
        0 => format!("{given}.{family}{}@{domain}", dice.below(100)),
        1 => format!("{}{family}{year}@{domain}", &given[..1]),
        2 => format!("{given}.{family}@{domain}"),
        _ => format!(
            "{}{}{}@{domain}",
            dice.one(&["kite", "otter", "plum", "moss"]),
            &family[..2],
            dice.below(10_000)
        ),
    }
}

fn home(
    dice: &mut Dice,
    culture: &'static Culture,
) -> (String, (&'static str, &'static str, &'static str), String) {
    let city = *dice.one(culture.cities);
    let street = format!("{} {}", dice.one(culture.streets), 1 + dice.below(180));
    let digits = if culture.country == "IN" { 6 } else { 5 } - city.2.len();
    let end = dice.below(10_usize.pow(u32::try_from(digits).unwrap()));
    (street, city, format!("{}{end:0digits$}", city.2))
}

fn phone(dice: &mut Dice, culture: &Culture) -> String {
    format!("{}{:07}", culture.dial, dice.below(10_000_000))
}

fn born(dice: &mut Dice, id: usize) -> Person {
    let culture = dice.one(CULTURES);
    let given = (*dice.one(culture.given)).to_owned();
    let family = format!("{}{}", dice.one(culture.stems), dice.one(culture.endings));
    let middle = if dice.chance(30) {
        (*dice.one(culture.given)).to_owned()
    } else {
        String::new()
    };
    let birth = (
        1955 + dice.below(50),
        1 + dice.below(12),
        1 + dice.below(28),
    );
    let (street, city, postcode) = home(dice, culture);
    let mut jobs = vec![*dice.one(EMPLOYERS)];
    for _ in 0..dice.below(3) {
        jobs.push(*dice.one(EMPLOYERS));
    }
    Person {
        id,
        mailbox: mailbox(dice, &given, &family, birth.0),
        phone: phone(dice, culture),
        legal: format!("{:016x}", dice.next()),
        culture,
        given,
        middle,
        family,
        suffix: String::new(),
        birth,
        street,
        city,
        postcode,
        jobs,
    }
}

/// Somebody else who is easily taken for `person`.
fn double(dice: &mut Dice, person: &Person, id: usize) -> Person {
    let mut other = born(dice, id);
    let stranger = |person: &Person, dice: &mut Dice| loop {
        let given = *dice.one(person.culture.given);
        if given != person.given {
            break given.to_owned();
        }
    };
    match dice.below(5) {
        // A twin, still at home.
        0 => {
            let given = stranger(person, dice);
            let mailbox = mailbox(dice, &given, &person.family, person.birth.0);
            let (phone, legal, jobs) = (other.phone, other.legal, other.jobs);
            other = Person {
                id,
                given,
                mailbox,
                phone,
                jobs,
                legal,
                ..person.clone()
            };
        }
        // A spouse, with the family's mailbox.
        1 => {
            let given = stranger(person, dice);
            let (phone, legal, jobs, birth) = (other.phone, other.legal, other.jobs, other.birth);
            other = Person {
                id,
                given,
                birth,
                phone,
                jobs,
                legal,
                ..person.clone()
            };
        }
        // A child of the same name.
        2 => {
            let (phone, legal, jobs, mailbox) =
                (other.phone, other.legal, other.jobs, other.mailbox);
            let birth = (
                person.birth.0 + 28,
                person.birth.1 % 12 + 1,
                person.birth.2 % 28 + 1,
            );
            let suffix = "Jr".to_owned();
            other = Person {
                id,
                suffix,
                birth,
                mailbox,
                phone,
                jobs,
                legal,
                ..person.clone()
            };
        }
        // Whoever reads the company's mail.
        3 => other.mailbox = format!("office@{}", domain(person.jobs[0])),
        // The next holder of the phone number.
        _ => other.phone.clone_from(&person.phone),
    }
    other
}

fn domain(employer: &str) -> String {
    format!("{}.example", employer.to_lowercase().replace(' ', ""))
}

/// What has changed in somebody's life until the next system hears of them.
fn drift(dice: &mut Dice, person: &mut Person) {
    if dice.chance(20) {
        (person.street, person.city, person.postcode) = home(dice, person.culture);
    }
    if dice.chance(25) {
        person.jobs.insert(0, *dice.one(EMPLOYERS));
    }
    if dice.chance(18) {
        person.phone = phone(dice, person.culture);
    }
    if dice.chance(18) {
        person.mailbox = mailbox(dice, &person.given, &person.family, person.birth.0);
    }
    if dice.chance(4) {
        person.family = format!(
            "{}{}",
            dice.one(person.culture.stems),
            dice.one(person.culture.endings)
        );
    }
}

/// One slip of the fingers.
fn slip(dice: &mut Dice, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = dice.below(letters.len());
    match dice.below(4) {
        0 if at > 0 => letters.swap(at - 1, at),
        1 if letters.len() > 2 => _ = letters.remove(at),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = *dice.one(&['a', 'e', 'n', 'r', 's']),
    }
    letters.into_iter().collect()
}

/// A name as somebody types it.
fn typed(dice: &mut Dice, name: &str) -> String {
    match dice.below(100) {
        0..5 => slip(dice, name),
        5..15 => name.to_uppercase(),
        15..30 => deunicode::deunicode(name),
        _ => name.to_owned(),
    }
}

/// What one system knows of somebody.
fn record(dice: &mut Dice, person: &Person) -> HashMap<&'static str, String> {
    let (personnel, applicants) = match dice.below(3) {
        0 => (true, false),
        1 => (false, true),
        _ => (false, false),
    };
    let mut known = HashMap::new();
    let nickname = NICKNAMES.iter().find(|(name, _)| *name == person.given);
    let given = match nickname {
        Some((_, nickname)) if !personnel && dice.chance(35) => *nickname,
        _ => person.given.as_str(),
    };
    known.insert("given_name", typed(dice, given));
    known.insert("family_name", typed(dice, &person.family));
    let (year, mut month, mut day) = person.birth;
    if dice.chance(2) && day <= 12 {
        (month, day) = (day, month);
    }
    let mut tell =
        |known: &mut HashMap<_, _>, percent: usize, name: &'static str, value: String| {
            if dice.chance(percent) {
                known.insert(name, value);
            }
        };
    let (mostly, seldom) = if personnel { (95, 80) } else { (55, 15) };
    tell(&mut known, seldom, "middle_name", person.middle.clone());
    tell(&mut known, 90, "name_suffix", person.suffix.clone());
    tell(
        &mut known,
        mostly,
        "birth_date",
        format!("{year}-{month:02}-{day:02}"),
    );
    tell(&mut known, seldom, "national_id_hash", person.legal.clone());
    contacts(dice, person, (personnel, applicants), &mut known);
    if personnel || dice.chance(40) {
        known.insert("street", person.street.clone());
        known.insert("postal_code", person.postcode.clone());
    }
    known.insert("city", person.city.0.to_owned());
    known.insert("region", person.city.1.to_owned());
    known.insert("country", person.culture.country.to_owned());
    known.insert("employer", person.jobs[0].to_owned());
    if applicants {
        let jobs: Vec<_> = person
            .jobs
            .iter()
            .map(|job| serde_json::json!({ "employer": job }))
            .collect();
        known.insert(
            "employment_history",
            serde_json::Value::from(jobs).to_string(),
        );
    }
    known
}

/// What an employer puts behind a name that it knows twice: letters, for nobody's mailbox is as telling as a number.
fn mark(id: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    [id, id / 26, id / 676].map(letter).iter().collect()
}

/// How a system reaches somebody.
fn contacts(
    dice: &mut Dice,
    person: &Person,
    (personnel, applicants): (bool, bool),
    known: &mut HashMap<&'static str, String>,
) {
    let mut tell = |known: &mut HashMap<_, _>, percent: usize, name, value: String| {
        if dice.chance(percent) {
            known.insert(name, value);
        }
    };
    tell(
        known,
        if personnel { 40 } else { 75 },
        "email_secondary",
        person.mailbox.clone(),
    );
    let initial: String = deunicode::deunicode(&person.given)
        .to_lowercase()
        .chars()
        .take(1)
        .collect();
    let family = deunicode::deunicode(&person.family)
        .to_lowercase()
        .replace(' ', "");
    // No company gives two people one mailbox.
    let at_work = format!(
        "{initial}{family}{}@{}",
        mark(person.id),
        domain(person.jobs[0])
    );
    tell(
        known,
        if applicants { 5 } else { 70 },
        "email_primary",
        at_work,
    );
    tell(known, 75, "phone_primary", person.phone.clone());
}

/// So many records of made-up people, as CSV.
pub(crate) fn csv(seed: u64, records: usize) -> String {
    let mut dice = Dice(seed);
    let mut people: Vec<Person> = Vec::new();
    let mut order: Vec<Person> = Vec::new();
    while order.len() < records {
        let id = people.len();
        let known = (id > 0).then(|| dice.below(id));
        match known {
            Some(known) if dice.chance(25) => {
                drift(&mut dice, &mut people[known]);
                order.push(people[known].clone());
            }
            Some(known) if dice.chance(6) => {
                let other = double(&mut dice, &people[known], id);
                order.push(other.clone());
                people.push(other);
            }
            _ => {
                let person = born(&mut dice, id);
                order.push(person.clone());
                people.push(person);
            }
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for (n, person) in order.iter().enumerate() {
        let mut known = record(&mut dice, person);
        known.insert("record_id", n.to_string());
        known.insert("true_id", person.id.to_string());
        let row = COLUMNS.map(|column| known.remove(column).unwrap_or_default());
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}
