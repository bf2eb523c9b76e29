//! Every page with every sample: well-formed, escaped, headed once, and honest about its instant.

use super::*;
use crate::assets;

/// Page, sample, HTML, whether the whole page is of the past.
fn every_page() -> Vec<(String, String, bool)> {
    samples::every_page()
        .into_iter()
        .map(|page| {
            (
                format!("{}/{}", page.page, page.name),
                page.html,
                page.is_then,
            )
        })
        .collect()
}

const VOID: [&str; 6] = ["meta", "link", "img", "input", "br", "hr"];

/// The names of the opening tags, or what is not balanced.
fn tags(html: &str) -> Result<Vec<String>, String> {
    let mut open: Vec<&str> = Vec::new();
    let mut seen = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(at) = rest.find('<') {
        if rest[..at].contains('>') {
            return Err(format!("a bare > in {:?}", &rest[..at]));
        }
        let end = rest[at..].find('>').ok_or("a tag does not end")? + at;
        let tag = &rest[at + 1..end];
        if tag.matches('"').count() % 2 != 0 {
            return Err(format!("odd quotes in {tag:?}"));
        }
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n'])
            .next()
            .unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing of its name"));
            }
        } else {
            seen.push(tag.to_owned());
            if !VOID.contains(&name) {
                open.push(name);
            }
        }
        rest = &rest[end + 1..];
    }
    if open.is_empty() {
        Ok(seen)
    } else {
        Err(format!("left open: {open:?}"))
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    tag[start..].split('"').next()
}

#[test]
fn every_page_is_well_formed_and_headed_once() {
    let pages = every_page();
    assert!(pages.len() > 40);
    for (name, html, _) in pages {
        let tags = tags(&html).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let count = |wanted: &str| {
            tags.iter()
                .filter(|tag| tag.split(' ').next() == Some(wanted))
                .count()
        };
        for one in ["html", "head", "body", "main", "h1", "footer"] {
            assert_eq!(count(one), 1, "{name}: {one}");
        }
        assert!(html.contains("<html lang=\"en\">"), "{name}");
        assert!(html.contains("Homecoming</title>"), "{name}");
        assert!(
            html.contains("href=\"#main\"") && html.contains("id=\"main\""),
            "{name}"
        );
        assert_eq!(
            count("style") + count("iframe") + count("object"),
            0,
            "{name}"
        );
        for script in tags.iter().filter(|tag| tag.starts_with("script")) {
            let is_ours = attribute(script, "src").is_some_and(|path| assets::at(path).is_some());
            assert!(
                is_ours && html.contains(&format!("<{script}></script>")),
                "{name}: {script}"
            );
        }
        let mut ids: Vec<&str> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id stands twice");
        for tag in &tags {
            for attribute in ["style", "onclick", "onload", "onsubmit"] {
                assert!(
                    !tag.contains(&format!(" {attribute}=")) || tag.contains("&quot;"),
                    "{name}: <{tag}>"
                );
            }
            for reference in ["aria-labelledby", "aria-describedby", "for"] {
                for id in attribute(tag, reference)
                    .into_iter()
                    .flat_map(|ids| ids.split(' '))
                {
                    assert!(
                        ids.binary_search(&id).is_ok(),
                        "{name}: {reference} names {id}, which is not there"
                    );
                }
            }
            if tag.starts_with("link ") && attribute(tag, "rel") == Some("stylesheet") {
                assert!(
                    assets::at(attribute(tag, "href").unwrap()).is_some(),
                    "{name}: <{tag}>"
                );
            }
        }
    }
}

/// What is sent when a session has ended is kept: never what somebody signs in with.
#[test]
fn no_field_for_a_secret_is_ever_kept() {
    let mut found = Vec::new();
    for (name, html, _) in every_page() {
        for tag in tags(&html).unwrap_or_else(|fault| panic!("{name}: {fault}")) {
            if !["input ", "textarea ", "select "]
                .iter()
                .any(|field| tag.starts_with(field))
            {
                continue;
            }
            let fill = attribute(&tag, "autocomplete").unwrap_or_default();
            let asks = attribute(&tag, "type") == Some("password")
                || ["one-time-code", "current-password", "new-password"].contains(&fill);
            let field = attribute(&tag, "name").unwrap_or_default();
            assert_eq!(
                crate::pages::forms::is_secret(field),
                asks,
                "{name}: <{tag}>"
            );
            if asks && !found.contains(&field.to_owned()) {
                found.push(field.to_owned());
            }
        }
    }
    found.sort();
    assert_eq!(found, ["again", "one-time", "password"]);
}

#[test]
fn hostile_words_come_out_as_words() {
    for (name, html, _) in every_page()
        .into_iter()
        .filter(|page| page.0.ends_with("hostile"))
    {
        // What pages bring themselves are modules of ours, by address.
        let own = html.replace("<script type=\"module\" src=\"/assets/", "");
        assert!(
            !own.contains("<script") && !html.contains("<b onclick"),
            "{name}"
        );
        assert!(
            html.contains("&lt;script&gt;"),
            "{name}: the words are gone"
        );
        assert!(!html.contains("NaN") && !html.contains("inf\""), "{name}");
    }
}

#[test]
fn a_page_of_the_past_says_so_and_keeps_to_it() {
    let pages = every_page();
    assert!(pages.iter().filter(|page| page.2).count() >= 6);
    for (name, html, then) in pages {
        let between = |from: &str, to: &str| {
            let start = html
                .find(from)
                .unwrap_or_else(|| panic!("{name}: no {from}"))
                + from.len();
            html[start..]
                .split(to)
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let (title, heading) = (between("<title>", "</title>"), between("<h1>", "</h1>"));
        let says = |words: &str| words.contains("AS KNOWN ON 5 May 2026, 23:59");
        assert_eq!(html.contains("<body class=\"then\">"), then, "{name}");
        if then {
            assert!(
                title.starts_with("AS KNOWN ON 5 May 2026, 23:59"),
                "{name}: {title}"
            );
            assert!(says(&heading), "{name}: {heading}");
            assert!(
                says(
                    &between("<section class=\"strip\"", "</section>")
                        .replace("</time>", "")
                        .replace("<time datetime=\"2026-05-05T23:59:59.000000Z\">", "")
                ),
                "{name}"
            );
            assert!(says(&between("<footer", "</footer>")), "{name}");
            assert!(html.contains("Back to now"), "{name}");
            assert!(
                !html.contains("<circle"),
                "{name}: a round mark in a page of the past"
            );
            for link in html.split("<a href=\"/").skip(1) {
                let link = link.split('"').next().unwrap();
                let leaves = html.contains(&format!("<a href=\"/{link}\">Back to now"))
                    || link.starts_with("find?q=zzz");
                assert!(
                    leaves
                        || link.contains("_asof=2026-05-0")
                        || link.contains("/receipt")
                        || link.starts_with("record/")
                        || link.contains("_asof="),
                    "{name}: /{link} leaves the past"
                );
            }
        } else if !name.starts_with("timelines") {
            assert!(!html.contains("AS KNOWN"), "{name}");
        }
        let is_record = ![
            "account",
            "again",
            "allow",
            "app",
            "apps",
            "apps_mine",
            "drafts",
            "enrol",
            "users",
            "user",
            "sign",
        ]
        .iter()
        .any(|page| name.starts_with(&format!("{page}/")));
        if html.contains("Sign out") && is_record {
            assert!(
                html.contains("name=\"_asof\"") && html.contains("type=\"date\""),
                "{name}: cannot be moved"
            );
        }
    }
}

#[test]
fn every_chart_has_its_words_and_its_table() {
    for (name, html, _) in every_page() {
        for svg in html.split("<svg class=\"chart ").skip(1) {
            let svg = svg.split("</svg>").next().unwrap_or_default();
            if svg.starts_with("key") {
                continue;
            }
            assert!(
                svg.contains("role=\"img\"")
                    && svg.contains("<title id=")
                    && svg.contains("<desc id="),
                "{name}"
            );
            assert!(
                html.contains("<table") || html.contains("there is no table"),
                "{name}: a chart without a table"
            );
        }
    }
}
