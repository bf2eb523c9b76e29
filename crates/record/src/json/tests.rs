//! Tables: what is read, what is refused and where.

use super::{Doc, Fault, write_compact, write_string};

fn compact(src: &str) -> String {
    let doc = Doc::parse(src.as_bytes()).unwrap_or_else(|e| panic!("{src}: {e}"));
    let mut out = Vec::new();
    write_compact(doc.root(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_document_keeps_numbers_strings_and_order() {
    let rows = [
        (
            r#" { "b" : 1.50 , "a" : [ 1e3 , -0 , 0.10 ] } "#,
            r#"{"b":1.50,"a":[1e3,-0,0.10]}"#,
        ),
        (
            r#"{"a":"\u00e9\n\/","\u0062" : "é"}"#,
            r#"{"a":"\u00e9\n\/","\u0062":"é"}"#,
        ),
        ("[ ]", "[]"),
        ("{ }", "{}"),
        ("[[],{},[{}]]", "[[],{},[{}]]"),
        ("\u{FEFF}true", "true"),
        (" null ", "null"),
        ("\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\""),
        ("[1.7976931348623157e308]", "[1.7976931348623157e308]"),
        ("{\"\":{\"\":1}}", "{\"\":{\"\":1}}"),
        ("[\n                        1,\r\n\t2]", "[1,2]"),
    ];
    for (src, expect) in rows {
        assert_eq!(compact(src), expect, "{src}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use Fault::*;
    let deep = "[".repeat(65);
    let long_number = "1".repeat(65);
    type Row<'t> = (&'t str, Fault, usize, (u32, u32), &'t str);
    let rows: Vec<Row<'_>> = vec![
        ("", Empty, 0, (1, 1), "$"),
        (" \n ", Empty, 3, (2, 2), "$"),
        ("{", Unfinished, 1, (1, 2), "$"),
        ("[1,", Unfinished, 3, (1, 4), "$[1]"),
        (
            "{\"a\":{\"b\":[1,{\"c\":}]}}",
            Expected("a value"),
            18,
            (1, 19),
            "$.a.b[1].c",
        ),
        ("{\"a\" 1}", Expected("a colon"), 5, (1, 6), "$.a"),
        ("{a:1}", Expected("a key in quotes"), 1, (1, 2), "$"),
        ("{\"a\":1,}", Expected("a key in quotes"), 7, (1, 8), "$"),
        ("[1,]", Expected("a value"), 3, (1, 4), "$[1]"),
        (
            "[1 2]",
            Expected("a comma or the list's end"),
            3,
            (1, 4),
            "$[1]",
        ),
        (
            "{\"a\":1]",
            Expected("a comma or the object's end"),
            6,
            (1, 7),
            "$",
        ),
        (
            "{\n \"é\": 1,\n \"a\": 2, \"a\": 3}",
            DuplicateKey,
            21,
            (3, 10),
            "$",
        ),
        ("{\"a\":1,\"\\u0061\":2}", DuplicateKey, 7, (1, 8), "$"),
        (
            "{\"x\":{\"a\":1,\"b\":2,\"a\":2}}",
            DuplicateKey,
            18,
            (1, 19),
            "$.x",
        ),
        (&deep, TooDeep, 64, (1, 65), ""),
        ("\"\\x\"", BadEscape, 1, (1, 2), "$"),
        ("\"\\u12g4\"", BadEscape, 1, (1, 2), "$"),
        ("\"\\ud800\"", LoneSurrogate, 1, (1, 2), "$"),
        ("\"\\udc00\\ud800\"", LoneSurrogate, 1, (1, 2), "$"),
        ("\"\\ud800\\u0041\"", LoneSurrogate, 1, (1, 2), "$"),
        ("\"a\nb\"", ControlCharacter, 2, (1, 3), "$"),
        ("\"abc", Unfinished, 4, (1, 5), "$"),
        ("\"abc\\", Unfinished, 5, (1, 6), "$"),
        ("01", BadNumber, 0, (1, 1), "$"),
        ("-", BadNumber, 0, (1, 1), "$"),
        ("1.", BadNumber, 0, (1, 1), "$"),
        ("1e", BadNumber, 0, (1, 1), "$"),
        ("+1", Expected("a value"), 0, (1, 1), "$"),
        (".5", Expected("a value"), 0, (1, 1), "$"),
        ("NaN", Expected("a value"), 0, (1, 1), "$"),
        ("nul", Unfinished, 3, (1, 4), "$"),
        ("[1e1000]", NumberOutOfRange, 1, (1, 2), "$[0]"),
        ("1e-99999999999999", NumberOutOfRange, 0, (1, 1), "$"),
        (&long_number, NumberOutOfRange, 0, (1, 1), "$"),
        ("{} {}", TrailingData, 3, (1, 4), "$"),
        ("1,", TrailingData, 1, (1, 2), "$"),
    ];
    for (src, what, offset, (line, column), path) in rows {
        let error = Doc::parse(src.as_bytes()).expect_err(src);
        assert_eq!((error.what, error.offset), (what, offset), "{src}");
        assert_eq!((error.line, error.column), (line, column), "{src}");
        if !path.is_empty() {
            assert_eq!(error.path, path, "{src}");
        }
    }
    let error = Doc::parse(b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!((error.what, error.offset), (Fault::BadUtf8, 6));
    let sentence = Doc::parse(b"{\"a\":1,\n\"a\":2}").unwrap_err().to_string();
    assert_eq!(
        sentence,
        "The same key occurs twice in one object, at line 2, column 1 ($)"
    );
}

#[test]
fn a_duplicate_is_found_in_small_and_in_large_objects() {
    for size in [2, 7, 31, 32, 33, 34, 200, 5000] {
        let mut members: Vec<String> = (0..size)
            .map(|i| format!("\"key{i}\":{{\"key{i}\":[{i}]}}"))
            .collect();
        let whole = format!("{{{}}}", members.join(","));
        let doc = Doc::parse(whole.as_bytes()).unwrap();
        assert_eq!(doc.root().len(), size);
        let last = doc.root().get(&format!("key{}", size - 1)).unwrap();
        assert_eq!(last.raw_str(), format!("{{\"key{0}\":[{0}]}}", size - 1));
        for again in [0, size / 2, size - 1] {
            members.push(format!("\"key{again}\":0"));
            let twice = format!("{{{}}}", members.join(","));
            let error = Doc::parse(twice.as_bytes()).unwrap_err();
            assert_eq!(
                (error.what, error.offset),
                (Fault::DuplicateKey, whole.len()),
                "{size} {again}"
            );
            members.pop();
        }
    }
}

#[test]
fn values_are_reached_by_name_and_in_order() {
    let src = br#"{"a":[1,{"b":"x\ty"},null,true],"c":{"d":{"e":"f"}},"g":"h"}"#;
    let doc = Doc::parse(src).unwrap();
    let root = doc.root();
    let keys: Vec<_> = root.entries().map(|(k, _)| k).collect();
    assert_eq!(keys, ["a", "c", "g"]);
    let items: Vec<_> = root
        .get("a")
        .unwrap()
        .items()
        .map(|v| v.raw_str())
        .collect();
    assert_eq!(items, ["1", r#"{"b":"x\ty"}"#, "null", "true"]);
    assert_eq!(root.at(&["c", "d", "e"]).unwrap().as_str(), Some("f"));
    assert_eq!(
        root.get("a")
            .unwrap()
            .items()
            .nth(1)
            .unwrap()
            .str_at(&["b"]),
        Some("x\ty")
    );
    assert_eq!(
        root.get("a").unwrap().items().next().unwrap().as_i64(),
        Some(1)
    );
    assert_eq!(
        root.get("a").unwrap().items().nth(3).unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(root.get("g").unwrap().each().count(), 1);
    assert_eq!(root.get("g").unwrap().key(), Some("g"));
    assert_eq!(root.get("a").unwrap().each().count(), 4);
    assert!(root.get("h").is_none());
    assert!(root.get("g").unwrap().get("h").is_none());
    assert_eq!(root.get("g").unwrap().len(), 0);
    assert_eq!(doc.value_count(), 11);
}

#[test]
fn strings_of_every_length_end_where_they_should() {
    for len in 0..40 {
        for special in ["\\\"", "\\\\", "\\n", "é", "\u{1F600}", "~"] {
            for at in 0..=len {
                let src = format!(
                    "[\"{}{special}{}\",\"z\"]",
                    "x".repeat(at),
                    "\u{7f}".repeat(len - at)
                );
                let doc = Doc::parse(src.as_bytes()).unwrap();
                let mut items = doc.root().items();
                let decoded = items.next().unwrap().as_str().unwrap();
                assert_eq!(items.next().unwrap().as_str(), Some("z"));
                let mut written = Vec::new();
                write_string(decoded, &mut written);
                assert_eq!(
                    format!("[{},\"z\"]", String::from_utf8(written).unwrap()),
                    src
                );
            }
        }
    }
}

#[test]
fn it_agrees_with_another_parser_about_what_is_json() {
    // Every document one edit away from a small one.
    let base = br#"{"a":[1.5e-3,"x\u00e9\n",{"b":null,"c":false}],"d":-0}"#;
    let alphabet = b"\"\\{}[],:0aeu-+. \n\x01\xff";
    for at in 0..base.len() {
        for &b in alphabet {
            let mut replaced = base.to_vec();
            replaced[at] = b;
            let mut inserted = base.to_vec();
            inserted.insert(at, b);
            let mut removed = base.to_vec();
            removed.remove(at);
            for src in [replaced, inserted, removed] {
                let ours = Doc::parse(&src);
                let theirs = serde_json::from_slice::<serde_json::Value>(&src);
                let text = String::from_utf8_lossy(&src);
                match (&ours, &theirs) {
                    (Ok(doc), Ok(value)) => {
                        let mut out = Vec::new();
                        write_compact(doc.root(), &mut out);
                        assert_eq!(
                            &serde_json::from_slice::<serde_json::Value>(&out).unwrap(),
                            value,
                            "{text}"
                        );
                    }
                    (Err(_), Err(_)) => {}
                    (Err(e), Ok(_)) if e.what == Fault::DuplicateKey => {}
                    _ => panic!("{text}: {ours:?} but {theirs:?}"),
                }
            }
        }
    }
}
