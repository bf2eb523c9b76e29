//! Escrow: enough shares and the whole file bring the keys back; anything else is refused by name.

use super::*;

const NAME: &str = "homecoming.example/north";

fn chance(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = seed;
    move |out| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    }
}

fn person() -> Escrowed {
    let slot = |class, epoch, slot: u32| Slot {
        class,
        epoch,
        slot,
        key: Key::from_bytes([slot as u8; 32]),
    };
    let slots = vec![
        slot(Class::Record, 1, 17),
        slot(Class::Record, 2, 300),
        slot(Class::Notes, 1, 18),
    ];
    Escrowed::Person([7; 16], slots)
}

fn made(escrowed: &Escrowed, seed: u64) -> (Bundle, Vec<Share>) {
    let words = |index: u8| format!("Share {index} of 5.");
    seal(NAME, escrowed, (3, 5), &words, &mut chance(seed)).expect("in escrow")
}

/// What is in it, without the type that says nothing when it is printed.
fn plain(escrowed: &Escrowed) -> (Subject, Vec<u8>) {
    (escrowed.subject(), escrowed.write().to_vec())
}

fn opened(bundle: &Bundle, shares: &[Share]) -> Result<(Subject, Vec<u8>), EscrowError> {
    bundle.open(shares).map(|escrowed| plain(&escrowed))
}

#[test]
fn enough_shares_and_the_file_bring_the_keys_back() {
    for escrowed in [person(), Escrowed::Wrapping(Key::from_bytes([9; 32]))] {
        let (bundle, shares) = made(&escrowed, 1);
        let text = bundle.to_string();
        let read = Bundle::parse(&text).expect("reads back");
        assert_eq!(read, bundle);
        assert_eq!((read.need, read.of), (3, 5));
        assert_eq!(opened(&read, &shares[1..4]), Ok(plain(&escrowed)));
        assert_eq!(opened(&read, &shares), Ok(plain(&escrowed)));
        let few = JoinError::TooFew { have: 2, need: 3 };
        assert_eq!(opened(&read, &shares[..2]), Err(few.into()));
    }
}

#[test]
fn the_file_alone_says_of_whom_it_is_and_nothing_more() {
    let (bundle, _) = made(&person(), 1);
    let text = bundle.to_string();
    let head = "homecoming-escrow/1\nhomecoming.example/north\nperson BwcHBwcHBwcHBwcHBwcHBw\n";
    assert!(text.starts_with(head), "{text}");
    let (wrapping, _) = made(&Escrowed::Wrapping(Key::from_bytes([9; 32])), 1);
    let id = Wrapping::new(Key::from_bytes([9; 32])).id();
    assert_eq!(wrapping.subject, Subject::Wrapping(id));
}

#[test]
fn shares_of_another_file_are_refused() {
    let (bundle, shares) = made(&person(), 1);
    let (other, others) = made(&person(), 2);
    let mixed = [shares[0].clone(), others[1].clone(), shares[2].clone()];
    let expect = EscrowError::OtherSet(2, other.set.clone(), bundle.set.clone());
    assert_eq!(opened(&bundle, &mixed), Err(expect));
}

#[test]
fn an_altered_file_is_refused_wherever_it_was_altered() {
    let (bundle, shares) = made(&person(), 1);
    let text = bundle.to_string();
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'B' { b'C' } else { b'B' };
        let altered = String::from_utf8(bytes).expect("ASCII");
        let outcome = Bundle::parse(&altered).and_then(|bundle| opened(&bundle, &shares));
        assert!(outcome.is_err(), "byte {at}");
        let cut = Bundle::parse(&text[..at]).and_then(|bundle| opened(&bundle, &shares));
        assert!(cut.is_err(), "cut at {at}");
    }
}

#[test]
fn a_programme_that_is_no_line_is_refused() {
    let refused = seal(
        "a\nb",
        &person(),
        (2, 3),
        &|_| String::new(),
        &mut chance(1),
    );
    assert_eq!(refused.map(|_| ()), Err(SplitError::Words));
}
