//! The file provider: what opens, and by which name everything else is refused.

use super::*;

const CONTEXT: &[u8] = b"homecoming.example/north";

fn provider(secret: u8, passphrase: Option<&str>) -> FileProvider {
    FileProvider::new(Key::from_bytes([secret; 32]), passphrase.map(str::as_bytes))
}

fn wrapped(provider: &FileProvider) -> Vec<u8> {
    let mut next = 0;
    let mut chance = |out: &mut [u8]| {
        for byte in out {
            next += 1;
            *byte = next;
        }
    };
    let key = Key::from_bytes([9; 32]);
    provider.wrap(&key, CONTEXT, &mut chance).expect("wrapped")
}

fn opens(provider: &FileProvider, wrapped: &[u8]) -> Result<[u8; 32], ProviderError> {
    provider.unwrap(wrapped, CONTEXT).map(|key| *key.as_bytes())
}

#[test]
fn a_wrapped_key_opens_with_the_same_secret_and_passphrase_only() {
    use ProviderError::{NeedlessPassphrase, NeedsPassphrase, OtherProvider, WrongPassphrase};
    let open = wrapped(&provider(1, None));
    let closed = wrapped(&provider(1, Some("a long winter")));
    assert_eq!(FileProvider::needs_passphrase(&open), Some(false));
    assert_eq!(FileProvider::needs_passphrase(&closed), Some(true));
    assert_eq!(FileProvider::needs_passphrase(b"anything"), None);
    let table = [
        (&open, 1, None, Ok([9; 32])),
        (&open, 2, None, Err(OtherProvider)),
        (&open, 1, Some("a long winter"), Err(NeedlessPassphrase)),
        (&closed, 1, Some("a long winter"), Ok([9; 32])),
        (&closed, 1, None, Err(NeedsPassphrase)),
        (&closed, 1, Some("a long summer"), Err(WrongPassphrase)),
        (&closed, 1, Some(""), Err(WrongPassphrase)),
        (&closed, 1, Some("a long winter\n"), Err(WrongPassphrase)),
        (&closed, 2, Some("a long winter"), Err(OtherProvider)),
    ];
    for (wrapped, secret, passphrase, expect) in table {
        let found = opens(&provider(secret, passphrase), wrapped);
        assert_eq!(found, expect, "{secret} {passphrase:?}");
    }
}

#[test]
fn a_wrong_passphrase_is_refused_with_a_sentence() {
    let closed = wrapped(&provider(1, Some("a long winter")));
    let refused = opens(&provider(1, Some("a long summer")), &closed).expect_err("wrong");
    assert_eq!(
        refused.to_string(),
        "the passphrase is not the one that the programme's key was protected with"
    );
}

#[test]
fn altered_cut_or_grown_it_is_damaged_and_for_another_use_it_does_not_open() {
    let provider = provider(1, None);
    let whole = wrapped(&provider);
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        let found = opens(&provider, &altered);
        assert_eq!(found, Err(ProviderError::Damaged), "byte {at}");
    }
    for length in 0..whole.len() {
        let found = opens(&provider, &whole[..length]);
        assert_eq!(found, Err(ProviderError::Damaged), "{length} bytes");
    }
    let longer = [&whole[..], &[0]].concat();
    assert_eq!(opens(&provider, &longer), Err(ProviderError::Damaged));
    let found = provider.unwrap(&whole, b"homecoming.example/south");
    assert_eq!(found.map(|_| ()), Err(ProviderError::Damaged));
}

/// Whoever alters the costs and fixes the check up does not get a weaker key, nor all the memory.
#[test]
fn other_costs_are_refused() {
    let provider = provider(1, Some("a long winter"));
    let whole = wrapped(&provider);
    let at = MAGIC.len() + ID;
    let with = |memory: u32, passes: u32| {
        let mut altered = whole[..whole.len() - CHECK].to_vec();
        altered[at..at + 4].copy_from_slice(&memory.to_be_bytes());
        altered[at + 4..at + 8].copy_from_slice(&passes.to_be_bytes());
        let check = check(&altered);
        altered.extend_from_slice(&check);
        opens(&provider, &altered)
    };
    let table = [
        (64 * 1024, 3, Ok([9; 32])),
        (8, 1, Err(ProviderError::WrongPassphrase)),
        (0, 0, Err(ProviderError::NeedlessPassphrase)),
        (7, 1, Err(ProviderError::Damaged)),
        (u32::MAX, 3, Err(ProviderError::Damaged)),
        (8, 0, Err(ProviderError::Damaged)),
        (8, u32::MAX, Err(ProviderError::Damaged)),
    ];
    for (memory, passes, expect) in table {
        assert_eq!(with(memory, passes), expect, "{memory} {passes}");
    }
}

#[test]
fn it_says_what_it_is() {
    let table = [
        (None, "a file of this machine, without a passphrase"),
        (Some("x"), "a file of this machine and a passphrase"),
    ];
    for (passphrase, expect) in table {
        assert_eq!(provider(1, passphrase).describe(), expect);
    }
}
