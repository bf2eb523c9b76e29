//! The participant's own view against a real server: what others saw of them, everything in time, and what they are
//! told.

use serde_json::{Value, json};

use crate::permits::Ward;

/// The newest leaf on a person's own list of who looked.
fn newest_leaf(ward: &Ward) -> String {
    let (status, page) = ward.page("herself", "/people/a/access");
    assert_eq!(status, 200, "{page}");
    let rows = page.split("href=\"/access/").skip(1);
    let mut leaves: Vec<u64> = rows
        .filter_map(|rest| rest.split(['"', '/', '?']).next()?.parse().ok())
        .collect();
    leaves.sort_unstable();
    format!("/access/{}", leaves.last().expect("a leaf"))
}

#[test]
fn a_person_sees_what_others_saw_of_them_and_of_nobody_else() {
    let ward = Ward::open("own-seen");
    assert_eq!(ward.page("hers", "/people/a/timelines").0, 200);
    let leaf = newest_leaf(&ward);
    let (_, page) = ward.page("herself", &leaf);
    assert!(page.contains("See what they saw"), "{page}");
    let (status, page) = ward.page("herself", &format!("{leaf}/seen"));
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("Shown again") && page.contains("<body class=\"then\">"),
        "{page}"
    );
    assert!(
        page.contains("care-of-a") && !page.contains("-of-b"),
        "{page}"
    );

    // What told of others as well is not drawn again for them; what of it was about them is listed.
    let bundle = r#"{"resourceType":"Bundle","type":"batch","entry":[
        {"request":{"method":"GET","url":"Observation/care-of-a"}},{"request":{"method":"GET","url":"Observation/care-of-b"}}]}"#;
    let (status, text) = ward.fhir("POST", "/fhir", bundle);
    assert!(
        status == 200 && text.contains("care-of-a") && text.contains("care-of-b"),
        "{text}"
    );
    let leaf = newest_leaf(&ward);
    let (_, page) = ward.page("herself", &leaf);
    assert!(!page.contains("See what they saw"), "{page}");
    let of = |name: &str| format!("/entries/{}\"", ward.position(name));
    assert!(
        page.contains(&of("Observation/care-of-a")) && !page.contains(&of("Observation/care-of-b")),
        "{page}"
    );
    let (status, page) = ward.page("herself", &format!("{leaf}/seen"));
    assert!(
        status == 403 && page.contains("told of others, too"),
        "{status} {page}"
    );
    for who in ["hers", "stranger"] {
        assert_eq!(
            ward.page(who, &format!("{leaf}/seen")).0,
            403,
            "what others saw is not for {who}"
        );
    }
}

/// The resource that an answer is, or those that it lists, without the addresses around them.
fn resources(answer: &str) -> Vec<Value> {
    let answer: Value = serde_json::from_str(answer).expect("JSON");
    match answer["entry"].as_array() {
        Some(entries) => entries.iter().map(|one| one["resource"].clone()).collect(),
        None => vec![answer],
    }
}

/// What was seen is drawn from the record as it was then, whatever was written since.
#[test]
fn what_was_seen_is_drawn_again_without_what_came_later() {
    let ward = Ward::open("own-then");
    let mut seen = Vec::new();
    for path in [
        "/fhir/Observation/care-of-a",
        "/fhir/Observation?patient=a",
        "/people/a",
        "/people/a/timelines",
    ] {
        let (status, answer) = match path.starts_with("/fhir") {
            true => ward.fhir("GET", path, ""),
            false => ward.page("hers", path),
        };
        assert_eq!(status, 200, "{path}: {answer}");
        seen.push((path, newest_leaf(&ward), answer));
    }
    let subject = json!({ "reference": "Patient/a" });
    let observation = |id: &str| {
        json!({ "resourceType": "Observation", "id": id, "status": "final",
            "code": { "text": "written-later" }, "subject": subject })
    };
    ward.put(observation("care-of-a"));
    ward.put(observation("more-of-a"));
    ward.put(json!({ "resourceType": "Patient", "id": "a",
        "name": [{ "family": "Okafor", "given": ["written-later"] }],
        "generalPractitioner": [{ "reference": "Practitioner/w1" }] }));
    for (path, leaf, before) in seen {
        let is_page = !path.starts_with("/fhir");
        let (_, now) = match is_page {
            true => ward.page("hers", path),
            false => ward.fhir("GET", path, ""),
        };
        assert!(now.contains("written-later"), "{path}: {now}");
        let (status, again) = ward.page("herself", &format!("{leaf}/seen"));
        assert_eq!(status, 200, "{path}: {again}");
        for later in ["written-later", "more-of-a"] {
            assert!(!again.contains(later), "{path} shows {later}: {again}");
        }
        let old = if is_page {
            "identity-of-a"
        } else {
            "care-of-a"
        };
        assert!(before.contains(old), "{path}: {before}");
        assert!(again.contains(old), "{path}: {again}");
        if !is_page {
            let text = again.split("<pre>").nth(1).expect("the answer");
            let text = text.split("</pre>").next().expect("its end");
            let text = [
                ("&quot;", "\""),
                ("&lt;", "<"),
                ("&gt;", ">"),
                ("&amp;", "&"),
            ]
            .iter()
            .fold(text.to_owned(), |text, (of, to)| text.replace(of, to));
            assert_eq!(resources(&text), resources(&before), "{path}");
        }
    }
}

#[test]
fn everything_in_time_can_be_read_to_its_end() {
    let ward = Ward::open("own-time");
    for number in 0..50 {
        ward.put(serde_json::json!({
            "resourceType": "Observation", "id": format!("day-{number}"), "status": "final",
            "code": { "text": format!("Day {number:03}") }, "subject": { "reference": "Patient/a" },
            "effectiveDateTime": format!("2020-{:02}-{:02}", number / 25 + 1, number % 25 + 1),
        }));
    }
    let mut days = std::collections::BTreeSet::new();
    let mut next = "/me".to_owned();
    loop {
        let (status, page) = ward.page("herself", &next);
        assert_eq!(status, 200, "{page}");
        let time = page.split("id=\"time\"").nth(1).expect("all in time");
        let time = time.split("</section>").next().expect("its end");
        days.extend(time.split("Day ").skip(1).map(|rest| rest[..3].to_owned()));
        match time.split("/me?skip=").nth(1) {
            Some(rest) => {
                let skip = rest.split(['"', '#']).next().expect("a number");
                next = format!("/me?skip={skip}");
            }
            None => break,
        }
    }
    assert_eq!(days.len(), 50, "{days:?}");
    let (status, page) = ward.page("herself", "/me?skip=some");
    assert!(
        status == 400 && page.contains("a number"),
        "{status} {page}"
    );
}

#[test]
fn who_broke_the_glass_stands_on_ones_own_page() {
    let ward = Ward::open("own-told");
    let (_, page) = ward.page("herself", "/me");
    assert!(!page.contains("though it was closed"), "{page}");
    let open = [
        ("need", "emergency"),
        ("why", "Called from the bridge, colleague not reachable"),
        ("minutes", "60"),
    ];
    let (status, text) = ward.post("stranger", "/people/a/break-glass", &open);
    assert_eq!(status, 303, "{text}");
    let (_, page) = ward.page("herself", "/me");
    assert!(
        page.contains("opened your record though it was closed to them"),
        "{page}"
    );
}

/// An instant that has not come is the present: nothing may be judged from a day that nobody has lived.
#[test]
fn no_page_is_seen_as_of_a_day_to_come() {
    let ward = Ward::open("own-future");
    for path in ["/people/a", "/me", "/people/a/accounting"] {
        let (status, page) = ward.page("herself", &format!("{path}?_asof=2190-01-01"));
        assert!(matches!(status, 200 | 303), "{path}: {status}");
        // Links may carry what was asked; what is said of the page may not.
        let said = page.split("<main").next().expect("a page");
        assert!(!said.contains(" 2190"), "{path}: {said}");
    }
    let (status, page) = ward.page("sponsor", "/figures?_asof=2190-01-01");
    assert_eq!(status, 200);
    assert!(!page.contains("2190</"), "{page}");
}
