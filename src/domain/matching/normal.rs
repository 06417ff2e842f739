//! Values in the form in which they are compared: folded, transliterated, without what different systems write differently.

use deunicode::deunicode;
use phonenumber::country;
use strsim::jaro_winkler;

/// The most characters of a name that are compared: beyond that nobody's name goes on.
const LONGEST: usize = 80;
/// So many digits at its end tell a phone number.
pub const PHONE_END: usize = 9;
/// Mailbox providers whose domain says nothing of an employer.
const FREE_MAIL: [&str; 40] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.co.uk",
    "yahoo.fr",
    "yahoo.de",
    "yahoo.es",
    "yahoo.in",
    "hotmail.com",
    "hotmail.co.uk",
    "hotmail.fr",
    "hotmail.de",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "live.com",
    "live.nl",
    "live.co.uk",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "web.de",
    "t-online.de",
    "freenet.de",
    "orange.fr",
    "free.fr",
    "laposte.net",
    "wanadoo.fr",
    "sfr.fr",
    "ziggo.nl",
    "kpnmail.nl",
    "protonmail.com",
    "proton.me",
    "fastmail.com",
    "mail.com",
];
/// What a company's name may end with.
const LEGAL_FORMS: [&str; 22] = [
    "inc",
    "llc",
    "ltd",
    "limited",
    "plc",
    "gmbh",
    "ag",
    "bv",
    "nv",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "kg",
    "co",
    "corp",
    "corporation",
    "company",
    "pty",
    "oy",
    "ab",
];

/// Words in lower case, of ASCII letters and digits, one blank between them; umlauts as plain vowels, however they are written.
#[must_use]
pub fn words(text: &str) -> String {
    let short: String = text.chars().take(4 * LONGEST).collect();
    let plain = deunicode(&short).to_ascii_lowercase();
    let mut folded = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            'a'..='z' | '0'..='9' => {
                // Mueller is Müller.
                let last = folded.chars().next_back();
                if !(c == 'e' && matches!(last, Some('a' | 'o' | 'u'))) {
                    folded.push(c);
                }
            }
            // O'Brien is OBrien.
            '\'' | '`' | '.' => {}
            _ if folded.is_empty() || folded.ends_with(' ') => {}
            _ => folded.push(' '),
        }
        if folded.len() >= LONGEST {
            break;
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A company's name without its legal form.
#[must_use]
pub fn employer(text: &str) -> String {
    let folded = words(text);
    let mut kept: Vec<&str> = folded.split(' ').collect();
    while kept.len() > 1 && kept.last().is_some_and(|last| LEGAL_FORMS.contains(last)) {
        kept.pop();
    }
    kept.join(" ")
}

/// An address in lower case; nothing if it is none.
#[must_use]
pub fn email(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.rsplit_once('@')?;
    let local = local.split('+').next().unwrap_or(local);
    let domain = if domain == "googlemail.com" {
        "gmail.com"
    } else {
        domain
    };
    (!local.is_empty() && !domain.is_empty()).then(|| format!("{local}@{domain}"))
}

/// Whether anybody may have a mailbox there.
#[must_use]
pub fn is_free_mail(domain: &str) -> bool {
    FREE_MAIL.contains(&domain)
}

/// The part of an e-mail address before the `@`, and the one behind it.
#[must_use]
pub fn halves(email: &str) -> (&str, &str) {
    email.rsplit_once('@').unwrap_or((email, ""))
}

/// A phone number as E.164 says it, read as one of `region` (ISO 3166-1 alpha-2) unless it says otherwise; what is no number
/// there by its last nine digits; nothing if it has fewer than six.
#[must_use]
pub fn phone(text: &str, region: Option<&str>) -> Option<String> {
    let short: String = text.chars().take(40).collect();
    let region: Option<country::Id> =
        region.and_then(|region| region.to_ascii_uppercase().parse().ok());
    let digits: String = short.chars().filter(char::is_ascii_digit).collect();
    // 0049… is +49…, wherever it is dialled.
    let number = match digits.strip_prefix("00") {
        Some(abroad) => phonenumber::parse(None, format!("+{abroad}")),
        None => phonenumber::parse(region, &short),
    };
    if let Ok(number) = number {
        return Some(number.format().mode(phonenumber::Mode::E164).to_string());
    }
    let from = digits.len().saturating_sub(PHONE_END);
    (digits.len() >= 6).then(|| digits[from..].to_owned())
}

/// The four signs of American Soundex (as of the US National Archives).
#[must_use]
pub fn soundex(word: &str) -> String {
    let code = |c: char| match c {
        'b' | 'f' | 'p' | 'v' => Some('1'),
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => Some('2'),
        'd' | 't' => Some('3'),
        'l' => Some('4'),
        'm' | 'n' => Some('5'),
        'r' => Some('6'),
        _ => None,
    };
    let mut letters = word.chars().filter(char::is_ascii_lowercase);
    let Some(first) = letters.next() else {
        return String::new();
    };
    let mut sound = String::from(first);
    let mut last = code(first);
    for c in letters {
        let this = code(c);
        if let Some(digit) = this.filter(|_| this != last) {
            sound.push(digit);
        }
        // h and w part nothing.
        if !matches!(c, 'h' | 'w') {
            last = this;
        }
        if sound.len() == 4 {
            break;
        }
    }
    while sound.len() < 4 {
        sound.push('0');
    }
    sound
}

/// Whether two texts differ by one insertion, deletion, change or exchange of neighbours.
#[must_use]
pub fn is_slip(a: &str, b: &str) -> bool {
    a.len().abs_diff(b.len()) <= 1 && strsim::osa_distance(a, b) == 1
}

/// How alike two words are (Jaro and Winkler), from 0 to 1; equality first, because that is most often so and cheapest.
#[must_use]
pub fn alike(a: &str, b: &str) -> f64 {
    if a == b { 1.0 } else { jaro_winkler(a, b) }
}

/// A street's name and the house's number, whichever comes first.
#[must_use]
pub fn street(line: &str) -> (String, String) {
    let folded = words(line);
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    let house = folded
        .split(' ')
        .find(is_number)
        .unwrap_or_default()
        .to_owned();
    let name: Vec<&str> = folded
        .split(' ')
        .filter(|word| !is_number(word))
        .map(short_street)
        .collect();
    (name.join(" "), house)
}

/// `street` and `str` are one word.
fn short_street(word: &str) -> &str {
    match word {
        "street" | "strasse" => "st",
        "avenue" => "ave",
        "road" => "rd",
        "drive" => "dr",
        "lane" => "ln",
        "boulevard" => "blvd",
        "place" => "pl",
        "court" => "ct",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systems_write_differently_is_one() {
        for (a, b) in [
            ("Müller", "MUELLER"),
            ("O'Brien", "obrien"),
            ("José  María", "jose maria"),
            ("Łukasz", "Lukasz"),
        ] {
            assert_eq!(words(a), words(b));
        }
        assert_eq!(
            employer("Meridian Port Health BV"),
            employer("MERIDIAN PORT HEALTH Ltd")
        );
        assert_eq!(employer("Co"), "co");
        assert_eq!(
            email(" Ada+x@Googlemail.com").as_deref(),
            Some("ada@gmail.com")
        );
        assert_eq!(email("nobody"), None);
        assert_eq!(street("10 Downing Street"), street("Downing St 10"));
    }

    #[test]
    fn phone_numbers_are_e164_where_they_are_numbers() {
        assert_eq!(
            phone("(202) 555-0143", Some("US")).as_deref(),
            Some("+12025550143")
        );
        assert_eq!(
            phone("+49 1511 1849539", None).as_deref(),
            Some("+4915111849539")
        );
        assert_eq!(
            phone("0613 613 667", Some("NL")).as_deref(),
            Some("+31613613667")
        );
        assert_eq!(phone("ext 12", None), None);
        assert_eq!(phone("☎", Some("US")), None);
    }

    #[test]
    fn soundex_is_the_archives() {
        for (name, code) in [
            ("robert", "r163"),
            ("rupert", "r163"),
            ("ashcraft", "a261"),
            ("tymczak", "t522"),
            ("pfister", "p236"),
            ("lee", "l000"),
        ] {
            assert_eq!(soundex(name), code, "{name}");
        }
    }

    #[test]
    fn a_name_of_any_length_or_script_is_folded() {
        assert!(words(&"a".repeat(10_000)).len() <= LONGEST);
        assert_eq!(words("😀"), words("😀"));
        assert!(!words("עברית").is_empty());
        assert_eq!(words(""), "");
    }
}
