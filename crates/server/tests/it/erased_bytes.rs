//! Every byte of every file, and of what the server said to its log, after an erasure by its pages.

use std::collections::BTreeSet;
use std::path::Path;

use record::json::Doc;
use server::chance::Chance;
use server::programme::{self, About, DemoPerson};

use crate::served::{Folder, Served, homecoming, homecoming_done, registered};

const ID: &str = "zq-vortigern-0815";
/// Words that stand nowhere but in this person's record.
const WORDS: [&str; 7] = [
    "Brzhnikova",
    "Xanthippula",
    "QX-88-17171",
    "kvetchwurm",
    "Jubelgreis",
    "mondkalbfell",
    "zq-vortigern",
];

fn resources() -> Vec<(&'static str, String, String)> {
    let about = format!(r#""subject":{{"reference":"Patient/{ID}"}}"#);
    vec![
        ("Patient", ID.to_owned(), r#""name":[{"family":"Brzhnikova","given":["Xanthippula"]}],"identifier":[{"system":"urn:n","value":"QX-88-17171"}],"birthDate":"1971-11-23""#.to_owned()),
        ("Observation", format!("{ID}-score"), format!(r#""status":"final","code":{{"text":"kvetchwurm scale"}},{about},"valueString":"Jubelgreis says so""#)),
        ("Observation", format!("{ID}-score"), format!(r#""status":"final","code":{{"text":"kvetchwurm scale, changed"}},{about},"valueString":"Jubelgreis says otherwise""#)),
        ("DocumentReference", format!("{ID}-note"), format!(r#""meta":{{"security":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSYTHPN"}}]}},"status":"current",{about},"description":"She dreams of mondkalbfell","content":[{{"attachment":{{"contentType":"text/plain","data":"bW9uZGthbGJmZWxsIGFuZCBubyBlbmQ="}}}}]"#)),
        ("Condition", format!("{ID}-c"), format!(r#""code":{{"text":"mondkalbfell syndrome"}},{about}"#)),
    ]
}

struct Browser<'s> {
    served: &'s Served,
    agent: ureq::Agent,
    cookie: String,
}

impl<'s> Browser<'s> {
    fn sign_in(served: &'s Served, code: &str) -> Browser<'s> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        let answer = agent
            .post(served.url("/sign-in"))
            .send_form([("code", code)])
            .expect("an answer");
        let cookie = answer.headers()["set-cookie"].to_str().expect("text");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Browser {
            served,
            agent,
            cookie,
        }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let asked = self
            .agent
            .get(self.served.url(path))
            .header("Cookie", &self.cookie);
        let mut answer = asked.call().expect("an answer");
        (
            answer.status().as_u16(),
            answer.body_mut().read_to_string().expect("a page"),
        )
    }

    /// Sends a form; the status, where it leads to, and the page.
    fn post(&self, path: &str, form: &str, origin: Option<&str>) -> (u16, String, String) {
        let mut asked = self
            .agent
            .post(self.served.url(path))
            .header("Cookie", &self.cookie);
        if let Some(origin) = origin {
            asked = asked.header("Origin", origin);
        }
        let mut answer = asked.send(form).expect("an answer");
        let to = answer
            .headers()
            .get("location")
            .and_then(|to| to.to_str().ok());
        let to = to.unwrap_or_default().to_owned();
        (
            answer.status().as_u16(),
            to,
            answer.body_mut().read_to_string().expect("a page"),
        )
    }
}

fn serve(data: &str, log: &str) -> Served {
    let under = format!("HOMECOMING_LOG=debug exec \"$@\" 2>>'{log}'");
    Served::start_under(&["sh", "-c", &under, "sh"], data)
}

/// Stops it as an operator does, so that what it has in memory reaches its files.
fn stop(served: Served) {
    let pid = served.pid().to_string();
    let status = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(status.expect("kill").success());
    served.wait();
}

/// What may not be found: the words as they are and folded, pieces of the JSON, and pieces of what
/// is sealed, as it was before it was sealed.
fn needles() -> Vec<Vec<u8>> {
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for word in WORDS {
        needles.push(word.as_bytes().to_vec());
        needles.push(word.to_lowercase().into_bytes());
        needles.push(word.as_bytes()[1..].to_vec());
    }
    for (kind, id, rest) in resources() {
        let text = format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#);
        let doc = Doc::parse(text.as_bytes()).expect("JSON");
        let stored = record::stored::write(doc.root(), &id, &mut |_| None);
        let packed = ledger::content::compress(&stored);
        // The first bytes are the frame's own header, which others have too.
        needles.extend(packed[12..].chunks_exact(12).map(<[u8]>::to_vec));
    }
    needles.push(b"bW9uZGthbGJmZWxs".to_vec());
    needles
}

/// The needles that are in some bytes.
struct Sought {
    needles: Vec<Vec<u8>>,
    /// Whether one begins with two bytes: most places in a file are of none, and there are many.
    begins: Vec<bool>,
}

impl Sought {
    fn new() -> Sought {
        let needles = needles();
        let mut begins = vec![false; 1 << 16];
        for needle in &needles {
            begins[usize::from(u16::from_be_bytes([needle[0], needle[1]]))] = true;
        }
        Sought { needles, begins }
    }

    fn of(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            let pair = u16::from_be_bytes([pair[0], pair[1]]);
            if self.begins[usize::from(pair)] {
                let here = &bytes[at..];
                let there = self.needles.iter().filter(|one| here.starts_with(one));
                found.extend(there.map(|one| String::from_utf8_lossy(one).into_owned()));
            }
        }
        found
    }
}

/// In which files of a folder, and of all in it, which needles are.
fn found(folder: &Path) -> Vec<(String, BTreeSet<String>)> {
    let sought = Sought::new();
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                found.push((path.display().to_string(), sought.of(&bytes)));
            }
        }
    }
    found.retain(|(_, needles)| !needles.is_empty());
    found
}

/// The needles in the index, whose files hold blocks that are packed: a word may lie in them in pieces.
fn found_in_index(data: &str) -> BTreeSet<String> {
    let mut blocks = Vec::new();
    for map in ["head", "row", "past", "posting", "time"] {
        let tables = Path::new(data).join("index").join(map).join("tables");
        for table in std::fs::read_dir(tables).expect("a folder") {
            let bytes = std::fs::read(table.expect("an entry").path()).expect("it reads");
            let before = blocks.len();
            unpack_blocks(&bytes, &mut blocks);
            assert!(blocks.len() > before, "a table without a block");
        }
    }
    let sought = Sought::new();
    blocks.iter().flat_map(|block| sought.of(block)).collect()
}

/// The blocks of keys and values in one of lsm-tree's tables, which stand at its beginning: a header (four bytes of its
/// own, a kind, a checksum, the length, the length unpacked, a checksum), and what LZ4 made of it.
fn unpack_blocks(mut table: &[u8], blocks: &mut Vec<Vec<u8>>) {
    const HEADER: usize = 33;
    const KEYS_AND_VALUES: u8 = 0;
    while let Some((header, rest)) = table.split_at_checked(HEADER)
        && header.starts_with(b"LSM\x03")
        && header[4] == KEYS_AND_VALUES
    {
        let number = |at: usize| {
            let four = header[at..at + 4].try_into().expect("four bytes");
            u32::from_le_bytes(four) as usize
        };
        let (block, rest) = rest.split_at(number(21));
        let block = unpack(block);
        assert_eq!(block.len(), number(25), "a block is not packed as it was");
        blocks.push(block);
        table = rest;
    }
}

/// An LZ4 block: so many bytes as they are, then so many from further back, and again.
fn unpack(packed: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut bytes = packed.iter().copied();
    while let Some(token) = bytes.next() {
        let literals = length(token >> 4, &mut bytes);
        out.extend(bytes.by_ref().take(literals));
        // The last has nothing from further back.
        let Some(low) = bytes.next() else { break };
        let back = usize::from(u16::from_le_bytes([low, bytes.next().expect("two bytes")]));
        let count = 4 + length(token & 15, &mut bytes);
        for _ in 0..count {
            out.push(out[out.len() - back]);
        }
    }
    out
}

fn length(nibble: u8, bytes: &mut impl Iterator<Item = u8>) -> usize {
    let mut length = usize::from(nibble);
    let mut goes_on = nibble == 15;
    while goes_on {
        let more = bytes.next().expect("a length");
        length += usize::from(more);
        goes_on = more == 255;
    }
    length
}

fn demo_officer(name: &str) -> DemoPerson {
    DemoPerson {
        name: name.to_owned(),
        role: "officer".to_owned(),
        code: format!("code of {name}"),
    }
}

/// Whoever could make a demo of a programme would have people whom anybody may sign in as, and no delay.
#[test]
fn a_programme_does_not_become_a_demo_by_a_word_in_a_file() {
    let folder = Folder::new("no-demo");
    let data = folder.join("data");
    homecoming_done(&["init", "--data", &data, "--name", "Real"]);
    let file = folder.path().join("data/programme.json");
    let text = std::fs::read_to_string(&file).expect("it is there");
    let mut about: About = serde_json::from_str(&text).expect("it reads");
    about.demo.push(demo_officer("Officer One"));
    std::fs::write(&file, serde_json::to_vec(&about).expect("written")).expect("written");
    let said = homecoming(&["erase", "status", "--data", &data]);
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(
        !said.status.success() && words.contains("not one of a demo"),
        "{words}"
    );
    std::fs::write(&file, text).expect("written");
    homecoming_done(&["erase", "status", "--data", &data]);
}

#[test]
fn after_an_erasure_no_byte_of_any_file_tells_of_the_person() {
    let folder = Folder::new("erased-bytes");
    let (data, log) = (folder.join("data"), folder.join("log"));
    // A demonstration, so that no delay is waited for.
    let names = ["Officer One", "Officer Two", "Officer Three"];
    let codes = names.map(|name| format!("code of {name}"));
    let about = About {
        name: "Raw bytes".to_owned(),
        demo: names.map(demo_officer).to_vec(),
        erasure_delay_days: None,
        complaints: None,
    };
    programme::create(Path::new(&data), &about, None, &Chance::System).expect("a programme");
    for name in names {
        homecoming_done(&["user", "add", name, "--data", &data, "--role", "officer"]);
    }
    let token = registered(&data);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let call = |served: &Served, method: &str, path: &str, body: Option<&str>| -> (u16, String) {
        let url = served.url(path);
        let bearer = format!("Bearer {token}");
        let mut answer = match (method, body) {
            ("PUT", Some(body)) => agent
                .put(url)
                .header("Authorization", &bearer)
                .header("Content-Type", "application/fhir+json")
                .send(body),
            _ => agent.get(url).header("Authorization", &bearer).call(),
        }
        .expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().expect("text"))
    };

    let served = serve(&data, &log);
    for at in 0..300 {
        let body = format!(
            r#"{{"resourceType":"Patient","id":"other-{at}","name":[{{"family":"Other{at}"}}]}}"#
        );
        assert!(
            call(
                &served,
                "PUT",
                &format!("/fhir/Patient/other-{at}"),
                Some(&body)
            )
            .0 < 300
        );
    }
    for (kind, id, rest) in resources() {
        let body = format!(r#"{{"resourceType":"{kind}","id":"{id}",{rest}}}"#);
        let (status, said) = call(&served, "PUT", &format!("/fhir/{kind}/{id}"), Some(&body));
        assert!(status < 300, "{said}");
    }
    let read = format!("/fhir/Patient/{ID}");
    let search = "/fhir/Patient?family=Brzhnikova";
    // What is asked and what is refused lies in the access log and in the log.
    assert_eq!(call(&served, "GET", &read, None).0, 200);
    assert!(call(&served, "GET", search, None).1.contains(ID));
    assert_eq!(call(&served, "GET", &format!("{read}-no"), None).0, 404);
    assert!(
        call(
            &served,
            "PUT",
            &read,
            Some(r#"{"resourceType":"Patient","id":"x"}"#)
        )
        .0 >= 400
    );
    assert!(
        call(
            &served,
            "PUT",
            &read,
            Some(r#"{"resourceType":"Patient","name":"Brzhnikova"}"#)
        )
        .0 >= 400
    );
    stop(served);

    let served = serve(&data, &log);
    let officers = codes.each_ref().map(|code| Browser::sign_in(&served, code));
    assert_eq!(officers[0].get(&format!("/people/{ID}")).0, 200);
    assert!(
        officers[0]
            .get("/find?q=Brzhnikova")
            .1
            .contains("Xanthippula")
    );
    // The test can fail: what will be looked for is there.
    let before = found(&folder.path().join("data"));
    let needles: BTreeSet<&String> = before.iter().flat_map(|(_, needles)| needles).collect();
    assert!(
        needles.iter().any(|needle| *needle == "zq-vortigern"),
        "{before:?}"
    );
    assert!(needles.len() > 3, "{before:?}");
    // What the first server had not written of its index, the second has.
    let in_index = found_in_index(&data);
    for word in ["Brzhnikova", "brzhnikova", "QX-88-17171"] {
        assert!(in_index.contains(word), "{in_index:?}");
    }

    let form = format!("person={ID}&scope=record&basis=court-order&citation=Order+5&examined=yes");
    let origin = served.url("");
    let (status, _, page) = officers[0].post("/erasures", &form, Some("http://evil.example"));
    assert_eq!(status, 403, "{page}");
    let (status, at, page) = officers[0].post("/erasures", &form, Some(&origin));
    assert_eq!(status, 303, "{page}");
    let step = |officer: usize, step: &str, form: &str| {
        let (status, _, page) =
            officers[officer].post(&format!("{at}/{step}"), form, Some(&origin));
        (status, page)
    };
    let (status, page) = officers[0].get(&format!("/people/{ID}"));
    assert!(
        status == 200 && page.contains("An erasure of this record is asked for"),
        "{page}"
    );
    assert_eq!(step(0, "approve", "").0, 422);
    let (status, page) = step(1, "approve", "");
    assert_eq!(status, 303, "{page}");
    let (status, page) = step(1, "approve", "");
    assert!(status == 422 && page.contains("The same officer"), "{page}");
    assert_eq!(step(2, "approve", "").0, 303);
    let (status, page) = step(2, "carry-out", "sure=yes");
    assert!(
        status == 422 && page.contains("has not been told"),
        "{page}"
    );
    assert_eq!(step(2, "tell", "how=letter&happened=2026-01-05").0, 303);
    let (status, page) = officers[2].get(&at);
    assert!(status == 200 && page.contains("Brzhnikova"), "{page}");
    let (status, page) = step(2, "carry-out", "sure=yes");
    assert_eq!(status, 303, "{page}");

    // While it still serves.
    let after = found(folder.path());
    assert!(after.is_empty(), "{after:?}");
    assert_eq!(found_in_index(&data), BTreeSet::new());
    for path in [
        read.clone(),
        format!("{read}/_history/1"),
        format!("{read}/_history"),
    ] {
        let (status, said) = call(&served, "GET", &path, None);
        assert_eq!(status, 410, "{path}: {said}");
        assert!(said.contains(&at.replace("/erasures/", "Task/")), "{said}");
    }
    assert!(
        call(&served, "GET", search, None).1.contains("\"total\":0"),
        "found by a search"
    );
    let (status, page) = officers[1].get(&at);
    assert!(
        status == 200 && page.contains("Erased to the extent"),
        "{page}"
    );
    let (status, page) = officers[1].get("/erasures");
    assert!(status == 200 && page.contains("No longer known"), "{page}");
    assert_eq!(officers[1].get(&format!("/people/{ID}")).0, 410);
    let tombstone = page_of_entry(&officers[1]);
    assert!(tombstone.contains("was erased by law"), "{tombstone}");
    stop(served);

    // After it has stopped, and with everything made anew.
    assert_eq!(found(folder.path()), vec![]);
    assert_eq!(found_in_index(&data), BTreeSet::new());
    let output = homecoming(&["audit", "--data", &data]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    homecoming_done(&["rebuild", "--data", &data]);
    assert_eq!(found(folder.path()), vec![]);
    assert_eq!(found_in_index(&data), BTreeSet::new());
    let status = homecoming_done(&["erase", "status", "--data", &data, "--json"]);
    assert!(status.contains("\"status\":\"completed\""), "{status}");
}

/// The page of the entry that made the Patient: the first after the three hundred others.
fn page_of_entry(browser: &Browser<'_>) -> String {
    let tombstones = (300..310).map(|at| browser.get(&format!("/entries/{at}")));
    let found = tombstones.into_iter().find(|(status, _)| *status == 410);
    found.expect("an entry that was erased").1
}
