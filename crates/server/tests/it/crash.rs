//! The server is killed under load, at random moments, again and again; afterwards everything that
//! it acknowledged is there, with its receipt, and nothing is half there.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::served::{Folder, Served, homecoming, programme};

/// How often it is killed. `HOMECOMING_KILLS` sets another number.
const KILLS: u64 = 200;

/// How many clients write at once.
const CLIENTS: u64 = 6;

/// One acknowledged transaction: the locations of its two resources and its mark.
struct Acknowledged {
    mark: String,
    locations: [String; 2],
}

/// A small seeded generator (splitmix64); the seed is printed.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn transaction(mark: &str) -> String {
    format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[
        {{"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","resource":{{"resourceType":"Patient","identifier":[{{"system":"urn:test","value":"{mark}"}}]}},"request":{{"method":"POST","url":"Patient"}}}},
        {{"resource":{{"resourceType":"Observation","status":"final","identifier":[{{"system":"urn:test","value":"{mark}"}}],"code":{{"text":"score"}},"subject":{{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"}},"valueQuantity":{{"value":1.50}}}},"request":{{"method":"POST","url":"Observation"}}}}]}}"#
    )
}

/// Writes transactions until the server is gone.
fn write_until_gone(
    served: &Served,
    token: &str,
    marks: &AtomicU64,
    acknowledged: &Mutex<Vec<Acknowledged>>,
) {
    let agent = ureq::Agent::new_with_defaults();
    loop {
        let mark = format!("t{}", marks.fetch_add(1, Ordering::Relaxed));
        let answer = agent
            .post(served.url("/fhir"))
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/fhir+json")
            .send(transaction(&mark));
        let Ok(mut answer) = answer else { return };
        let Ok(body) = answer.body_mut().read_to_string() else {
            return;
        };
        let bundle: serde_json::Value = serde_json::from_str(&body).expect("an answer is JSON");
        let location = |place: usize| {
            let text = bundle["entry"][place]["response"]["location"]
                .as_str()
                .expect("a location");
            text[text.rfind("/fhir/").map_or(0, |at| at + 6)..].to_owned()
        };
        let locations = [location(0), location(1)];
        acknowledged
            .lock()
            .expect("no writer panics")
            .push(Acknowledged { mark, locations });
    }
}

fn get(served: &Served, token: &str, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut answer = agent
        .get(served.url(path))
        .header("Authorization", &format!("Bearer {token}"))
        .call()
        .expect("the server answers");
    (
        answer.status().as_u16(),
        answer
            .body_mut()
            .read_to_string()
            .expect("an answer is text"),
    )
}

fn is_there_with_its_receipt(served: &Served, token: &str, one: &Acknowledged) {
    for location in &one.locations {
        let (status, body) = get(served, token, &format!("/fhir/{location}"));
        assert_eq!(
            status, 200,
            "{location} was acknowledged and is not there: {body}"
        );
        assert!(
            body.contains(&format!("\"{}\"", one.mark)),
            "{location} is another: {body}"
        );
        let (status, receipt) = get(served, token, &format!("/fhir/{location}/$receipt"));
        assert_eq!(status, 200, "{location} has no receipt: {receipt}");
        ledger::receipt::verify(receipt.as_bytes(), None)
            .unwrap_or_else(|problem| panic!("{location}: {problem}"));
    }
}

#[test]
fn what_was_acknowledged_survives_two_hundred_kills() {
    let seed = std::env::var("HOMECOMING_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let kills = std::env::var("HOMECOMING_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS);
    println!("seed {seed}, {kills} kills");
    let mut seeded = Seeded(seed);
    let folder = Folder::new("crash");
    let (data, token) = programme(&folder);
    let marks = AtomicU64::new(0);
    let mut all = Vec::new();
    let mut served = Served::start(&data);
    for _ in 0..kills {
        let acknowledged = Mutex::new(Vec::new());
        let delay = Duration::from_micros(1_000 + seeded.below(120_000));
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| write_until_gone(&served, &token, &marks, &acknowledged));
            }
            std::thread::sleep(delay);
            std::process::Command::new("kill")
                .args(["-9", &served.pid().to_string()])
                .status()
                .expect("kill runs");
        });
        drop(served);
        served = Served::start(&data);
        let acknowledged = acknowledged.into_inner().expect("no writer panics");
        for one in &acknowledged {
            is_there_with_its_receipt(&served, &token, one);
        }
        all.extend(acknowledged);
    }

    // Everything ever acknowledged is still there, and every transaction is whole or absent.
    for one in &all {
        let (status, _) = get(&served, &token, &format!("/fhir/{}", one.locations[1]));
        assert_eq!(status, 200, "{} was lost later", one.locations[1]);
    }
    let marks_of = |kind: &str| -> BTreeMap<String, u32> {
        let mut found = BTreeMap::new();
        let mut path = format!("/fhir/{kind}?_count=1000");
        loop {
            let (status, body) = get(&served, &token, &path);
            assert_eq!(status, 200, "{body}");
            let bundle: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            for entry in bundle["entry"].as_array().into_iter().flatten() {
                let mark = entry["resource"]["identifier"][0]["value"]
                    .as_str()
                    .expect("a mark");
                *found.entry(mark.to_owned()).or_insert(0) += 1;
            }
            let next = bundle["link"]
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|link| {
                    (link["relation"] == "next").then(|| link["url"].as_str().map(str::to_owned))?
                });
            match next {
                Some(next) => path = next[next.find("/fhir").expect("a FHIR url")..].to_owned(),
                None => return found,
            }
        }
    };
    let patients = marks_of("Patient");
    assert_eq!(
        patients,
        marks_of("Observation"),
        "a transaction is half there"
    );
    assert!(
        patients.values().all(|count| *count == 1),
        "a transaction is there twice"
    );
    assert!(patients.len() >= all.len());
    println!("{} acknowledged, {} recorded", all.len(), patients.len());
    assert!(
        all.len() as u64 > kills,
        "hardly anything was written; the test shows nothing"
    );

    drop(served);
    let audit = homecoming(&["audit", "--data", &data]);
    assert!(
        audit.status.success(),
        "{}",
        String::from_utf8_lossy(&audit.stdout)
    );
}
