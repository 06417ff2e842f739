//! Configuration: what is accepted, and what each mistake is told.

use super::{Config, Error, Format, PatchAnswer, Profile, Right, parse};

const GOOD: &str = r#"
[server]
host = "127.0.0.1"
port = 9000
database_url = "postgres://muster@db/muster"
public_url = "https://people.example.com/scim/v2"

[[issuer]]
url = "https://login.example.com/people"
audience = "muster"

[[system]]
name = "payroll"
verifies_email = true

[[client]]
name = "payroll"
issuer = "https://login.example.com/people"
match = { claim = "azp", equals = "payroll" }
system = "payroll"
grants = [{ types = ["Person"], rights = ["read", "search"] }]

[log]
format = "json"
"#;

fn good() -> Config {
    parse(GOOD).unwrap()
}

fn refusal(config: Result<Config, Error>, dev: bool) -> String {
    match config {
        Err(error) => error.to_string(),
        Ok(config) => config.check(dev).unwrap_err().to_string(),
    }
}

fn changed(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    refusal(parse(&GOOD.replacen(from, to, 1)), false)
}

#[test]
fn a_full_file_is_read_and_defaults_are_filled_in() {
    let config = good();
    config.check(false).unwrap();
    assert_eq!(config.server.port, 9000);
    assert_eq!(config.server.data_dir.to_str(), Some("data"));
    assert_eq!(config.clients[0].tenant, "default");
    assert_eq!(
        config.clients[0].grants[0].rights,
        [Right::Read, Right::Search]
    );
    assert_eq!(config.log.format, Format::Json);
    assert_eq!(config.issuers[0].algorithms.len(), 2);
}

#[test]
fn a_mistake_in_the_toml_names_line_column_and_key() {
    let message = changed("port = 9000", "port = \"nine\"");
    assert!(message.starts_with("line 4, column 8: port: "), "{message}");
    let message = changed("port = 9000", "prot = 9000");
    assert!(
        message.contains("line 4") && message.contains("prot") && message.contains("port"),
        "{message}"
    );
    let message = changed("[log]", "[log");
    assert!(message.contains("line 23"), "{message}");
}

#[test]
fn rights_must_be_spelled_right() {
    let message = changed("\"search\"", "\"serach\"");
    assert!(
        message.contains("serach") && message.contains("search"),
        "{message}"
    );
}

#[test]
fn a_profile_is_known_in_any_case_and_an_unknown_one_is_located() {
    let with = |line: &str| {
        GOOD.replacen(
            "system = \"payroll\"",
            &format!("system = \"payroll\"\n{line}"),
            1,
        )
    };
    let config = parse(&with("profile = \"Entra\"\npatch_answer = \"none\"")).unwrap();
    assert_eq!(config.clients[0].profile, Profile::Entra);
    assert_eq!(config.clients[0].patch_answer, Some(PatchAnswer::None));
    assert_eq!(good().clients[0].profile, Profile::Rfc);
    assert_eq!(good().clients[0].patch_answer, None);
    let message = refusal(parse(&with("profile = \"azure\"")), false);
    assert!(
        message.starts_with("line 21, column 11: 'azure' is no profile")
            && message.contains("\"okta\""),
        "{message}"
    );
    let message = refusal(parse(&with("patch_answer = \"204\"")), false);
    assert!(
        message.contains("patch_answer") && message.contains("none"),
        "{message}"
    );
}

#[test]
fn hmac_and_none_are_not_algorithms_to_trust() {
    for name in ["HS256", "none", "RS257"] {
        let message = changed(
            "audience = \"muster\"",
            &format!("audience = \"muster\"\nalgorithms = [\"{name}\"]"),
        );
        assert!(
            message.contains(name) && message.contains("RS256"),
            "{message}"
        );
    }
}

#[test]
fn an_issuer_has_one_audience_or_several_and_discovery_may_be_elsewhere() {
    let with = |text: &str| parse(&GOOD.replacen("audience = \"muster\"", text, 1));
    assert_eq!(good().issuers[0].audiences, ["muster"]);
    assert_eq!(good().issuers[0].discovery, None);
    let several =
        "audience = [\"muster\", \"api://muster\"]\ndiscovery = \"https://login.example.com/x\"";
    let config = with(several).unwrap();
    config.check(false).unwrap();
    assert_eq!(config.issuers[0].audiences, ["muster", "api://muster"]);
    for none in [
        "audience = []",
        "audience = \"\"",
        "audience = [\"muster\", \"\"]",
    ] {
        assert!(refusal(with(none), false).contains("needs an audience"));
    }
    assert!(refusal(with("audience = 7"), false).contains("a text or a list"));
    let plain = "audience = \"muster\"\ndiscovery = \"http://login.example.com/x\"";
    assert!(refusal(with(plain), false).contains("discovery url"));
}

#[test]
fn references_must_lead_somewhere() {
    let message = changed("system = \"payroll\"", "system = \"payrol\"");
    assert!(
        message.contains("'payrol'") && message.contains("payroll"),
        "{message}"
    );
    let message = changed(
        "issuer = \"https://login.example.com/people\"",
        "issuer = \"https://other.example.com\"",
    );
    assert!(message.contains("https://other.example.com"), "{message}");
}

#[test]
fn names_are_given_once() {
    let client = &GOOD[GOOD.find("[[client]]").unwrap()..GOOD.find("[log]").unwrap()];
    let message = refusal(parse(&format!("{GOOD}\n{client}")), false);
    assert_eq!(message, "the client 'payroll' is configured twice");
    let message = refusal(
        parse(&format!(
            "{GOOD}\n{}",
            client.replace("name = \"payroll\"", "name = \"other\"")
        )),
        false,
    );
    assert!(message.contains("matches the same tokens"), "{message}");
    let import =
        "[[import]]\nname = \"people\"\nsystem = \"payroll\"\nmap = \"m.yaml\"\nfile = \"f.csv\"\n";
    let message = refusal(parse(&format!("{GOOD}\n{import}\n{import}")), false);
    assert_eq!(message, "the import 'people' is configured twice");
}

#[test]
fn database_and_issuer_addresses_are_checked() {
    assert!(changed("postgres://muster@db/muster", "mysql://db").contains("postgres://"));
    assert!(changed("postgres://muster@db/muster", "postgres:db").contains("postgres://"));
    assert!(changed("url = \"https://login", "url = \"http://login").contains("https://"));
    assert!(
        changed(
            "public_url = \"https://people.example.com/scim/v2\"",
            "public_url = \"people\""
        )
        .contains("people")
    );
}

#[test]
fn without_an_issuer_one_is_told_what_to_write() {
    let message = refusal(parse(""), false);
    let example =
        &message[message.find("[[issuer]]").unwrap()..message.find("\n\nand start").unwrap()];
    parse(example).unwrap().check(false).unwrap();
}

#[test]
fn dev_mode_stays_on_loopback() {
    let config = parse("[server]\nhost = \"0.0.0.0\"").unwrap();
    assert!(
        config
            .check(true)
            .unwrap_err()
            .to_string()
            .contains("loopback")
    );
    parse("[server]\nhost = \"localhost\"")
        .unwrap()
        .check(true)
        .unwrap();
}

#[test]
fn dev_mode_adds_clients_bound_to_systems_of_their_name() {
    let mut config = Config::default();
    config.add_dev("http://127.0.0.1:8080/dev");
    config.check(true).unwrap_err(); // its names are its own
    config.check(false).unwrap();
    let idp = config
        .clients
        .iter()
        .find(|client| client.name == "idp")
        .unwrap();
    assert_eq!(idp.system, "idp");
    assert_eq!(idp.grants[1].rights, [Right::Read, Right::Search]);
    let verifying: Vec<_> = config
        .systems
        .iter()
        .filter(|s| s.verifies_email)
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(verifying, ["hris", "ats", "idp", "entra", "okta", "strict"]);
    let strict = config
        .clients
        .iter()
        .find(|client| client.name == "strict")
        .unwrap();
    assert_eq!(strict.profile, Profile::Strict);
}

#[test]
fn people_sign_in_at_a_configured_issuer_and_act_as_a_configured_client() {
    let sign_in = "[sign_in]\nissuer = \"https://login.example.com/people\"\nclient_id = \"muster\"\n\
        client_secret = \"s3cret\"\n";
    let role = "[[person_role]]\nclaim = \"roles\"\nequals = \"admins\"\nclient = \"payroll\"\n";
    let with = |text: &str| parse(&format!("{GOOD}{text}"));
    let both = format!("{sign_in}{role}");
    let config = with(&both).unwrap();
    config.check(false).unwrap();
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(config.sign_in.unwrap().scopes, ["profile"]);
    assert_eq!(config.person_roles.len(), 1);
    for (from, to, part) in [
        (
            "login.example.com/people\"\nclient",
            "other.example.com\"\nclient",
            "https://other.example.com",
        ),
        ("\"muster\"\nclient_s", "\"\"\nclient_s", "client_id"),
        ("s3cret", "", "client_secret"),
        ("client = \"payroll\"", "client = \"payrol\"", "'payrol'"),
        ("\"admins\"", "\"\"", "a claim and its value"),
    ] {
        assert!(both.contains(from), "{from}");
        let message = refusal(with(&both.replacen(from, to, 1)), false);
        assert!(message.contains(part), "{message}");
    }
    // Roles may come from the policy alone.
    with(sign_in).unwrap().check(false).unwrap();
    assert!(refusal(with(role), false).contains("[sign_in]"));
}

#[test]
fn limits_are_read_for_all_and_for_one() {
    let one = "system = \"payroll\"\nlimits = { requests_per_second = 25 }";
    let text = GOOD.replacen("system = \"payroll\"", one, 1);
    let config = parse(&format!("{text}\n[limits]\nburst = 300\n")).unwrap();
    config.check(false).unwrap();
    let all = config.limits.unwrap();
    assert_eq!((all.requests_per_second, all.burst()), (1000, 300));
    let one = config.clients[0].limits.unwrap();
    assert_eq!((one.requests_per_second, one.burst()), (25, 50));
    assert!(good().limits.is_none());
}

#[test]
fn no_client_may_be_limited_to_less_than_25_requests_a_second() {
    for wrong in ["24", "0", "-1", "2000000"] {
        let message = changed(
            "[log]",
            &format!("[limits]\nrequests_per_second = {wrong}\n[log]"),
        );
        assert!(
            message.starts_with("line 24, column 23: requests_per_second: "),
            "{message}"
        );
        assert!(message.contains(wrong) && message.contains("between 25 and"));
    }
    assert!(changed("[log]", "[limits]\nburst = 1\n[log]").contains("burst"));
}
