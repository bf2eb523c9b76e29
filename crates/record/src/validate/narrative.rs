//! Is a narrative what FHIR lets one be? One well-formed XHTML `div` of text, lists, tables, links and images, without
//! anything that runs (R4, Narrative, txt-1): whoever shows it may trust it as far as that.
//!
//! A scanner of tags: no tree, no namespaces, no DTD. Entities are XML's own five and numbers, as R4 says.

/// The elements, in order: HTML 4.0 chapters 7 to 11 and 15, without frames, forms and what runs.
const ELEMENTS: [&str; 55] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// Attributes that lead somewhere.
const LEADS: [&str; 5] = ["background", "cite", "href", "longdesc", "src"];

/// How deep elements may stand in each other.
const DEPTH_MAX: usize = 200;

const NOT_WELL_FORMED: &str = "A narrative is one XHTML div, well-formed as XML: each element is closed in its turn, \
     attributes are in quotes, and `<` and `&` stand for themselves only as `&lt;` and `&amp;`.";
const NOT_ALLOWED: &str = "A narrative has no elements but HTML's for text, lists, tables, links and images: no \
     scripts, styles, forms, frames or objects.";
const RUNS: &str = "A narrative has no attributes that run something: none that begin with `on`, and no links to \
     `javascript:`, `vbscript:` or `data:` (but images).";
const TOO_DEEP: &str = "The elements of this narrative stand more than 200 deep in each other.";

/// Looks at the decoded text of a narrative's `div`. If something is wrong, a sentence about what is wanted.
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    let mut open: Vec<&str> = Vec::new();
    let mut has_root = false;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let at = rest.find('<').unwrap_or(rest.len());
        let (words, tag) = rest.split_at(at);
        if open.is_empty() && !words.is_empty() {
            return Err(NOT_WELL_FORMED);
        }
        entities(words)?;
        if tag.is_empty() {
            break;
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            let end = comment.find("--").ok_or(NOT_WELL_FORMED)?;
            rest = comment[end..].strip_prefix("-->").ok_or(NOT_WELL_FORMED)?;
            continue;
        }
        if let Some(close) = tag.strip_prefix("</") {
            let end = close.find('>').ok_or(NOT_WELL_FORMED)?;
            if open.pop() != Some(close[..end].trim_end()) {
                return Err(NOT_WELL_FORMED);
            }
            rest = &close[end + 1..];
            continue;
        }
        let (name, is_empty, after) = start(&tag[1..])?;
        if open.is_empty() && (has_root || name != "div") {
            return Err(NOT_WELL_FORMED);
        }
        has_root = true;
        if !is_empty {
            open.push(name);
        }
        if open.len() > DEPTH_MAX {
            return Err(TOO_DEEP);
        }
        rest = after;
    }
    match has_root && open.is_empty() {
        true => Ok(()),
        false => Err(NOT_WELL_FORMED),
    }
}

/// Reads a start tag behind its `<`: the name, whether it is empty, and what follows.
fn start(tag: &str) -> Result<(&str, bool, &str), &'static str> {
    let end = tag
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')))
        .ok_or(NOT_WELL_FORMED)?;
    let (name, mut rest) = tag.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NOT_WELL_FORMED);
    }
    if ELEMENTS.binary_search(&name).is_err() {
        return Err(NOT_ALLOWED);
    }
    let mut seen: Vec<&str> = Vec::new();
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>") {
            return Ok((name, true, after));
        }
        if let Some(after) = trimmed.strip_prefix('>') {
            return Ok((name, false, after));
        }
        // An attribute stands behind a space.
        if trimmed.len() == rest.len() {
            return Err(NOT_WELL_FORMED);
        }
        let (attribute, value) = trimmed.split_once('=').ok_or(NOT_WELL_FORMED)?;
        let attribute = attribute.trim_end();
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
        if attribute.is_empty() || !attribute.chars().all(is_name) || seen.contains(&attribute) {
            return Err(NOT_WELL_FORMED);
        }
        seen.push(attribute);
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or(NOT_WELL_FORMED)?;
        let (value, after) = value[1..].split_once(quote).ok_or(NOT_WELL_FORMED)?;
        if value.contains('<') {
            return Err(NOT_WELL_FORMED);
        }
        let value = entities(value)?;
        let name_only = attribute.rsplit(':').next().unwrap_or(attribute);
        if starts_with(name_only, "on") || LEADS.contains(&name_only) && runs(name, &value) {
            return Err(RUNS);
        }
        rest = after;
    }
}

/// Whether a link runs something. Browsers leave out white space and control characters before they look.
fn runs(element: &str, link: &str) -> bool {
    let link: String = link
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    starts_with(&link, "javascript:")
        || starts_with(&link, "vbscript:")
        || starts_with(&link, "data:") && !(element == "img" && starts_with(&link, "data:image/"))
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
}

/// The text with its entities decoded, if they are XML's.
fn entities(text: &str) -> Result<std::borrow::Cow<'_, str>, &'static str> {
    if !text.contains('&') {
        return Ok(text.into());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (name, next) = after.split_once(';').ok_or(NOT_WELL_FORMED)?;
        out.push_str(before);
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#').ok_or(NOT_WELL_FORMED)?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                code.ok().and_then(char::from_u32).ok_or(NOT_WELL_FORMED)?
            }
        });
        rest = next;
    }
    out.push_str(rest);
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_elements_are_in_order() {
        assert!(ELEMENTS.is_sorted());
    }

    #[test]
    fn a_narrative_is_one_well_formed_div_in_which_nothing_runs() {
        for (inside, expected) in [
            ("", Ok(())),
            ("plain &amp; simple &#160;&#xe4; > text", Ok(())),
            ("<p class='x'>a<br/>b <b>c</b></p><!-- note -->", Ok(())),
            ("<a href=\"https://example.org/?a=1&amp;b=2\">x</a>", Ok(())),
            ("<img src='data:image/png;base64,AA==' alt=''/>", Ok(())),
            (
                "<table ><tr><td colspan = \"2\">1</td></tr></table >",
                Ok(()),
            ),
            ("<p>a<b></p>", Err(NOT_WELL_FORMED)),
            ("<p>a</b>", Err(NOT_WELL_FORMED)),
            ("a < b", Err(NOT_WELL_FORMED)),
            ("a & b", Err(NOT_WELL_FORMED)),
            ("&nbsp;", Err(NOT_WELL_FORMED)),
            ("<p class=x>a</p>", Err(NOT_WELL_FORMED)),
            ("<p a='1'b='2'>a</p>", Err(NOT_WELL_FORMED)),
            ("<p a='1' a='2'>a</p>", Err(NOT_WELL_FORMED)),
            ("<p title='<'>a</p>", Err(NOT_WELL_FORMED)),
            ("<!-- a -- b -->", Err(NOT_WELL_FORMED)),
            ("</div><div>", Err(NOT_WELL_FORMED)),
            ("</div>more<div>", Err(NOT_WELL_FORMED)),
            ("<![CDATA[<script>]]>", Err(NOT_WELL_FORMED)),
            ("<?php x ?>", Err(NOT_WELL_FORMED)),
            ("<script>alert(1)</script>", Err(NOT_ALLOWED)),
            ("<SCRIPT>alert(1)</SCRIPT>", Err(NOT_ALLOWED)),
            ("<x:script>alert(1)</x:script>", Err(NOT_ALLOWED)),
            ("<style>p{}</style>", Err(NOT_ALLOWED)),
            ("<iframe src='https://example.org'/>", Err(NOT_ALLOWED)),
            ("<form><input/></form>", Err(NOT_ALLOWED)),
            ("<p onclick='x()'>a</p>", Err(RUNS)),
            ("<p ONCLICK='x()'>a</p>", Err(RUNS)),
            ("<a href='javascript:x()'>a</a>", Err(RUNS)),
            ("<a href=' Java&#10;Script&#58;x()'>a</a>", Err(RUNS)),
            ("<a xlink:href='javascript:x()'>a</a>", Err(RUNS)),
            ("<a href='data:text/html,x'>a</a>", Err(RUNS)),
        ] {
            let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>");
            assert_eq!(check(&div), expected, "{inside}");
        }
        for (whole, expected) in [
            ("<div/>", Ok(())),
            ("  <div>a</div>\n", Ok(())),
            ("", Err(NOT_WELL_FORMED)),
            ("text", Err(NOT_WELL_FORMED)),
            ("<div>a", Err(NOT_WELL_FORMED)),
            ("<div", Err(NOT_WELL_FORMED)),
            ("<p>a</p>", Err(NOT_WELL_FORMED)),
            ("<div>a</div><div>b</div>", Err(NOT_WELL_FORMED)),
            ("<div>a</div> b", Err(NOT_WELL_FORMED)),
        ] {
            assert_eq!(check(whole), expected, "{whole}");
        }
        let deep = |depth: usize| format!("{}{}", "<div>".repeat(depth), "</div>".repeat(depth));
        assert_eq!(check(&deep(DEPTH_MAX)), Ok(()));
        assert_eq!(check(&deep(DEPTH_MAX + 1)), Err(TOO_DEEP));
    }
}
