//! What real exports are like: rows are rejected with reasons, nothing is dropped silently, the rest goes in.

use std::fmt::Write as _;

use crate::support::{App, on_both};
use crate::{SMALL, command, everybody, import, keep, rejects, told};

on_both!(
    bad_rows_are_rejected_with_reasons_and_the_rest_goes_in,
    odd_names_go_in_as_they_are,
    a_table_of_three_hundred_columns_is_taken_in,
    a_file_that_does_not_fit_is_refused_as_a_whole,
    an_empty_file_is_taken_in,
    a_file_that_changed_since_it_was_begun_starts_anew,
);

const HEAD: &str = "id,given,family,mail,born,title\n";

/// A-005, B-101: an invalid row goes to the operators, and everybody else keeps moving.
async fn bad_rows_are_rejected_with_reasons_and_the_rest_goes_in(app: &App) {
    let mut text = b"\xef\xbb\xbf".to_vec();
    text.extend_from_slice(HEAD.as_bytes());
    text.extend_from_slice(b"1,Ada,Lovelace,ada@example.com,1985-12-10,Analyst\r\n");
    text.extend_from_slice(b"2,\"Open,Quote,open@example.com,1985-12-10,x\n");
    text.extend_from_slice(b"3,\"Wr\"ong,Quote,wrong@example.com,1985-12-10,x\n");
    text.extend_from_slice(b"4,Too,Few\n");
    text.extend_from_slice(b"5,Not,Utf\xff8,a@example.com,,\n");
    text.extend_from_slice(b"6,Bad,Date,b@example.com,1985-02-30,\n");
    text.extend_from_slice(b"7,Un,Born,c@example.com,2999-01-01,\n");
    text.extend_from_slice(b",No,Id,d@example.com,,\n");
    text.extend_from_slice(b"1,Ada,Again,ada@example.com,,\n");
    text.extend_from_slice(b"8,Grace,Hopper,grace@example.com,,\"Rear \"\"Amazing\"\" Admiral\"\n");
    let done = import(app, (SMALL, "bad.csv"), &text, &[]);
    assert_eq!(done.code, 2, "{}", done.text);
    assert!(
        done.text.contains("10 rows: 2 created") && done.text.contains("8 rejected"),
        "{}",
        done.text
    );
    let told = rejects(app, "bad.csv");
    let starts = [
        ("3,", "not closed"),
        ("4,", "goes on after its closing quotation mark"),
        ("5,", "the row has 3 cells, and there are 6 columns"),
        ("6,", "not UTF-8"),
        (
            "7,born,birthDate,",
            "'1985-02-30' is no day written as %Y-%m-%d",
        ),
        ("8,born,birthDate,", "yet to come"),
        ("9,id,externalId,", "of whom it speaks"),
        ("10,,externalId,", "line 2 speaks of '1' already"),
    ];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, (start, part)) in told.iter().zip(starts) {
        assert!(
            told.starts_with(start) && told.contains(part),
            "{told}: {start} {part}"
        );
    }
    let all = everybody(app).await;
    assert!(
        all.len() == 2
            && all
                .iter()
                .any(|person| person.contains("Rear \\\"Amazing\\\" Admiral"))
    );
}

async fn odd_names_go_in_as_they_are(app: &App) {
    let long = "é".repeat(10_000);
    let names = ["O", &long, "🦀", "محمد", "שלום", "Jürgen", ""];
    let mut text = HEAD.to_owned();
    for (n, name) in names.iter().enumerate() {
        let _ = writeln!(text, "{n},{name},,p{n}@example.com,,");
    }
    text.push_str("nothing,,,,,\n");
    let done = import(
        app,
        (&SMALL.replace(", empty: clear", ""), "names.csv"),
        &text,
        &[],
    );
    assert!(
        done.code == 2 && done.text.contains("8 rows: 7 created"),
        "{}",
        done.text
    );
    let told = rejects(app, "names.csv");
    assert!(
        told.len() == 1 && told[0].contains("says nothing beside whom it is about"),
        "{told:?}"
    );
    let all = everybody(app).await;
    for name in &names[..6] {
        assert!(
            all.iter()
                .any(|person| person.contains(&format!("\"givenName\":\"{name}\""))),
            "{name}"
        );
    }
}

async fn a_table_of_three_hundred_columns_is_taken_in(app: &App) {
    let more: Vec<String> = (0..294).map(|n| format!("extra{n}")).collect();
    let head = format!("{},{}", HEAD.trim_end(), more.join(","));
    let row = format!("1,Ada,Lovelace,ada@example.com,,,{}", more.join(","));
    let done = import(app, (SMALL, "wide.csv"), format!("{head}\n{row}\n"), &[]);
    assert!(
        done.code == 0 && done.text.contains("1 created"),
        "{}",
        done.text
    );
}

async fn a_file_that_does_not_fit_is_refused_as_a_whole(app: &App) {
    let wrong = import(
        app,
        (SMALL, "a.csv"),
        "id,given,familly,mail,born,title,mail\n1,a,b,c,d,e,f\n",
        &[],
    );
    assert_eq!(wrong.code, 2);
    assert!(
        wrong
            .text
            .contains("there is no column 'family'; did you mean 'familly'?")
            && wrong.text.contains("two columns are named 'mail'"),
        "{}",
        wrong.text
    );
    let lossy = SMALL.replace("resourceType: Person", "resourceType: User");
    let wrong = import(app, (&lossy, "a.csv"), HEAD, &[]);
    assert!(
        wrong.code == 2 && wrong.text.contains("no row claims 'userName'"),
        "{}",
        wrong.text
    );
    assert!(everybody(app).await.is_empty());
}

async fn an_empty_file_is_taken_in(app: &App) {
    for text in ["", "\n", HEAD] {
        let done = import(app, (SMALL, "empty.csv"), text, &[]);
        assert!(
            done.code == 0 && done.text.contains("0 rows"),
            "{}",
            done.text
        );
    }
    assert!(everybody(app).await.is_empty());
}

/// The file is known by its bytes: where an earlier run of another one stopped says nothing of this one.
async fn a_file_that_changed_since_it_was_begun_starts_anew(app: &App) {
    let text = format!("{HEAD}1,Ada,Lovelace,ada@example.com,,\n");
    import(app, (SMALL, "people.csv"), &text, &[]);
    // As a kill would have left it.
    app.database
        .connect()
        .run("UPDATE import_job SET done = false, position = 1, previous = 1");
    let map = keep(app, "map.yaml", SMALL);
    let file = keep(
        app,
        "people.csv",
        format!("{HEAD}2,Grace,Hopper,grace@example.com,,\n"),
    );
    let done = told(
        &command(app, &["import", "--system", "hris", "--map", &map, &file])
            .output()
            .unwrap(),
    );
    assert!(
        done.text.contains("starts anew") && done.text.contains("1 rows: 1 created"),
        "{}",
        done.text
    );
}
