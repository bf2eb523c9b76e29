//! What fits, and everything that does not.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;

use super::*;

const LOG: &str = "homecoming/ward-7";
const LINE: &str = "hc2 48211 2026-05-05T09:12:41.300112Z user/7 TREAT create Observation/5q0t7v9e2k4m8n1c/1 - - \
                    6y1w0E6y1w0E6y1w0E6y1w0E6y1w0E6y1w0E6y1w0EA tR8b5otR8b5otR8b5otR8b5otR8b5otR8b5otR8b5oA";

fn statement() -> Statement {
    Statement {
        log: LOG.to_owned(),
        position: 48_211,
        line: leaf_hash(LINE.as_bytes()),
        meaning: Meaning::Authored,
        actor: "user/7".to_owned(),
        name: "R. Osei".to_owned(),
        at: RecordedAt(1_777_972_361_300_112),
    }
}

fn client(statement: &Statement) -> Vec<u8> {
    format!(
        r#"{{"type":"webauthn.get","challenge":"{}","origin":"https://record.example.org"}}"#,
        URL_SAFE_NO_PAD.encode(statement.challenge())
    )
    .into_bytes()
}

fn authenticator(flags: u8) -> Vec<u8> {
    let mut bytes = Sha256::digest("record.example.org").to_vec();
    bytes.push(flags);
    bytes.extend_from_slice(&7u32.to_be_bytes());
    bytes
}

fn message(authenticator: &[u8], client: &[u8]) -> Vec<u8> {
    [authenticator, &Sha256::digest(client)].concat()
}

pub(crate) fn es256(statement: &Statement) -> Assertion {
    let key = SigningKey::from_slice(&[7; 32]).expect("a key");
    let (authenticator, client) = (authenticator(5), client(statement));
    let signature: p256::ecdsa::Signature = key.sign(&message(&authenticator, &client));
    Assertion {
        algorithm: -7,
        key: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        signature: signature.to_der().as_bytes().to_vec(),
        authenticator,
        client,
    }
}

fn eddsa(statement: &Statement) -> Assertion {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let (authenticator, client) = (authenticator(0x1d), client(statement));
    Assertion {
        algorithm: -8,
        key: key.verifying_key().as_bytes().to_vec(),
        signature: key
            .sign(&message(&authenticator, &client))
            .to_bytes()
            .to_vec(),
        authenticator,
        client,
    }
}

#[test]
fn a_statement_has_one_text() {
    let expect = format!(
        "homecoming-signature/1\nhomecoming/ward-7\nentry 48211 {}\nmeaning authored\nby user/7\nname R. Osei\nat \
         2026-05-05T09:12:41.300112Z\n",
        STANDARD.encode(leaf_hash(LINE.as_bytes()))
    );
    assert_eq!(statement().text(), expect);
    let tricky = Statement {
        name: "R. Osei\nat 1999-01-01T00:00:00Z".to_owned(),
        ..statement()
    };
    assert_eq!(tricky.text().lines().count(), 7, "a name cannot add a line");
}

#[test]
fn a_passkeys_answer_fits_its_statement_and_no_other() {
    for assertion in [es256(&statement()), eddsa(&statement())] {
        assert_eq!(assertion.check(&statement()), Ok(()));
        let read = Assertion::read(assertion.to_json().as_bytes());
        assert_eq!(read.as_ref(), Some(&assertion));
        for other in [
            Statement {
                position: 48_212,
                ..statement()
            },
            Statement {
                line: [0; 32],
                ..statement()
            },
            Statement {
                meaning: Meaning::Approved,
                ..statement()
            },
            Statement {
                actor: "user/8".to_owned(),
                ..statement()
            },
            Statement {
                name: "R. Abara".to_owned(),
                ..statement()
            },
            Statement {
                at: RecordedAt(0),
                ..statement()
            },
            Statement {
                log: "homecoming/ward-8".to_owned(),
                ..statement()
            },
        ] {
            assert_eq!(
                assertion.check(&other),
                Err(Flaw::OtherStatement),
                "{other:?}"
            );
        }
        let check = |altered: Assertion, expect: Flaw| {
            assert_eq!(altered.check(&statement()), Err(expect));
        };
        for at in 0..assertion.signature.len() {
            let mut altered = assertion.clone();
            altered.signature[at] ^= 1;
            assert!(altered.check(&statement()).is_err(), "byte {at}");
        }
        let mut absent = assertion.clone();
        absent.authenticator[32] = 1;
        check(absent, Flaw::Unverified);
        for cut in [0, 31] {
            let mut unread = assertion.clone();
            unread.key.truncate(cut);
            check(unread, Flaw::Signature);
            let mut unread = assertion.clone();
            unread.signature.truncate(cut);
            check(unread, Flaw::Signature);
        }
        let mut moved = assertion.clone();
        moved.authenticator[0] ^= 1;
        check(moved, Flaw::Signature);
        let mut short = assertion.clone();
        short.authenticator.truncate(36);
        check(short, Flaw::Unverified);
        let mut made = assertion.clone();
        made.client = String::from_utf8(made.client)
            .expect("text")
            .replace("webauthn.get", "webauthn.create")
            .into_bytes();
        check(made, Flaw::OtherStatement);
        let mut other = assertion.clone();
        other.key = match assertion.algorithm {
            -7 => {
                let key = SigningKey::from_slice(&[8; 32]).expect("a key");
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
            _ => ed25519_dalek::SigningKey::from_bytes(&[8; 32])
                .verifying_key()
                .as_bytes()
                .to_vec(),
        };
        check(other, Flaw::Signature);
        check(
            Assertion {
                algorithm: -257,
                ..assertion
            },
            Flaw::Algorithm,
        );
    }
}

/// A restoration that lost entries gives the log another name. What was signed before it was signed all the same, and
/// nothing else passes for it.
#[test]
fn a_signature_fits_under_every_name_that_its_log_has_had() {
    let entry = Entry::parse(LINE.as_bytes()).expect("a line");
    let stored = provenance(&statement(), Some(&es256(&statement())));
    for log in [
        "homecoming/ward-7",
        "homecoming/ward-7.2",
        "homecoming/ward-7.13",
    ] {
        let signed = Signed::read(stored.as_bytes(), log).expect("a signature");
        assert_eq!(signed.statement, statement(), "{log}");
        assert_eq!(signed.check(&entry), Ok(()), "{log}");
        // Another entry in the place of one that was lost has another line.
        for (from, to) in [("user/7", "user/8"), ("6y1w", "7y1w"), (":41.3", ":42.3")] {
            let instead = LINE.replace(from, to);
            let instead = Entry::parse(instead.as_bytes()).expect("a line");
            assert_eq!(instead.position, entry.position);
            assert_eq!(signed.check(&instead), Err(Flaw::OtherEntry), "{log} {to}");
        }
    }
    for log in [
        "homecoming/ward-8",
        "homecoming/ward-8.2",
        "homecoming/ward-7.1",
        "homecoming/ward-7.02",
        "homecoming/ward-7.x",
        "homecoming/ward-7.2.2",
        "homecoming/ward-7.2/access",
    ] {
        let signed = Signed::read(stored.as_bytes(), log).expect("a signature");
        assert_eq!(signed.check(&entry), Err(Flaw::OtherStatement), "{log}");
    }
}

/// A signature as it lies in the record.
pub(crate) fn provenance(statement: &Statement, assertion: Option<&Assertion>) -> String {
    let (code, display) = statement.meaning.code();
    let data = assertion.map(|one| {
        format!(
            r#","sigFormat":"{WEBAUTHN}","data":"{}""#,
            STANDARD.encode(one.to_json())
        )
    });
    format!(
        r#"{{"resourceType":"Provenance","id":"0123456789abcdef","target":[{{"reference":"Observation/5q0t7v9e2k4m8n1c/_history/1","identifier":{{"system":"{ENTRY}","value":"{}"}}}}],"recorded":"{}","activity":{{"coding":[{{"system":"{GOVERNANCE}","code":"signature"}}]}},"agent":[{{"who":{{"display":"R. Osei"}}}}],"signature":[{{"type":[{{"system":"{MEANINGS}","code":"{code}","display":"{display}"}}],"when":"{}","who":{{"identifier":{{"system":"{ACTOR}","value":"user/7"}},"display":"R. Osei"}}{}}}]}}"#,
        statement.entry(),
        statement.at,
        statement.at,
        data.unwrap_or_default()
    )
}

#[test]
fn a_signature_is_read_and_fits_the_entry_that_it_is_of() {
    let entry = Entry::parse(LINE.as_bytes()).expect("a line");
    let assertion = es256(&statement());
    let stored = provenance(&statement(), Some(&assertion));
    let signed = Signed::read(stored.as_bytes(), LOG).expect("a signature");
    assert_eq!(signed.statement, statement());
    assert_eq!(signed.check(&entry), Ok(()));
    let words = format!(
        "signed as authored by R. Osei (user/7) at 2026-05-05T09:12:41.300112Z, with the passkey {}",
        assertion.fingerprint()
    );
    assert_eq!(signed.to_string(), words);
    let later = LINE.replace("/1 - -", "/2 - -");
    let later = Entry::parse(later.as_bytes()).expect("a line");
    assert_eq!(signed.check(&later), Err(Flaw::OtherEntry));
    let elsewhere = Signed::read(stored.as_bytes(), "homecoming/ward-8").expect("a signature");
    assert_eq!(elsewhere.check(&entry), Err(Flaw::OtherStatement));
    let renamed = stored.replace("R. Osei", "R. Abara");
    let renamed = Signed::read(renamed.as_bytes(), LOG).expect("a signature");
    assert_eq!(renamed.check(&entry), Err(Flaw::OtherStatement));

    let stands = signed
        .stands()
        .expect("nothing is forged")
        .expect("it stands");
    assert!(
        stands.starts_with("It is a signature: entry 48211, whose line has the hash "),
        "{stands}"
    );
    assert_eq!(renamed.stands(), Err(Flaw::OtherStatement));
    let unknown = Assertion {
        algorithm: -257,
        ..assertion
    };
    let unknown = provenance(&statement(), Some(&unknown));
    let unknown = Signed::read(unknown.as_bytes(), LOG).expect("a signature");
    let doubt = unknown
        .stands()
        .expect("nothing is forged")
        .expect_err("it cannot be told");
    assert!(
        doubt.contains("the key is of a kind that is not checked here"),
        "{doubt}"
    );

    let by_server =
        Signed::read(provenance(&statement(), None).as_bytes(), LOG).expect("a signature");
    assert_eq!(
        (&by_server.proof, by_server.check(&entry)),
        (&Proof::Server, Ok(()))
    );
    assert!(
        by_server
            .to_string()
            .ends_with("with a password, as the server says")
    );
    assert_eq!(
        Signed::read(
            stored.replace("\"signature\"}", "\"other\"}").as_bytes(),
            LOG
        ),
        None
    );
    assert_eq!(Signed::read(b"{}", LOG), None);
}
