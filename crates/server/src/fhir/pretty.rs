//! Indents compact JSON for people. A walk over the text: nothing is parsed, no number is touched.

/// The same JSON with line breaks and two spaces for each level.
pub fn indent(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut level = 0usize;
    let mut at = 0;
    let line = |out: &mut Vec<u8>, level: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', level * 2));
    };
    while at < json.len() {
        let byte = json[at];
        match byte {
            b'"' => {
                let start = at;
                at += 1;
                while at < json.len() && json[at] != b'"' {
                    at += if json[at] == b'\\' { 2 } else { 1 };
                }
                out.extend_from_slice(&json[start..(at + 1).min(json.len())]);
            }
            b'{' | b'[' => {
                out.push(byte);
                match json.get(at + 1) {
                    Some(close @ (b'}' | b']')) => {
                        out.push(*close);
                        at += 1;
                    }
                    _ => {
                        level += 1;
                        line(&mut out, level);
                    }
                }
            }
            b'}' | b']' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, level);
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.push(byte),
        }
        at += 1;
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn text_is_indented_and_otherwise_kept() {
        for (compact, expected) in [
            ("{}", "{}\n"),
            (r#"{"a":1.50}"#, "{\n  \"a\": 1.50\n}\n"),
            (
                r#"{"a":[],"b":[1,{"c":"x,{:\"y\\"}]}"#,
                "{\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n      \"c\": \"x,{:\\\"y\\\\\"\n    }\n  ]\n}\n",
            ),
        ] {
            assert_eq!(
                String::from_utf8(indent(compact.as_bytes())).expect("UTF-8"),
                expected
            );
        }
    }
}
