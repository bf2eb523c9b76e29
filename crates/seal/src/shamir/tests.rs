//! Shares: any few bring the secret back, fewer or altered ones are refused by name.

use super::*;

fn chance() -> impl FnMut(&mut [u8]) {
    let mut state = 5u64;
    move |out| {
        for byte in out {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    }
}

fn shares(secret: &[u8], need: u8, of: u8) -> Vec<Share> {
    let words = |index: u8| format!("Share {index}. Alone it opens nothing.");
    split(secret, need, of, &words, &mut chance()).expect("split")
}

#[test]
fn every_few_bring_the_secret_back_and_no_fewer() {
    let secret: Vec<u8> = (0..40).collect();
    let mut joined = 0;
    for (need, of) in [(2, 2), (2, 3), (3, 5), (5, 5)] {
        let shares = shares(&secret, need, of);
        assert_eq!(shares.len(), usize::from(of));
        for chosen in 1u32..1 << of {
            let some: Vec<Share> = (0..of.into())
                .filter(|at| chosen >> at & 1 == 1)
                .map(|at: usize| shares[at].clone())
                .collect();
            let found = join(&some);
            if some.len() < need.into() {
                let have = some.len();
                assert_eq!(found, Err(JoinError::TooFew { have, need }));
            } else {
                assert_eq!(found.as_deref(), Ok(&secret));
                joined += 1;
            }
        }
    }
    assert_eq!(joined, 1 + 4 + 16 + 1);
}

#[test]
fn the_field_is_the_one_of_aes() {
    // FIPS 197, section 4.2: {57} times {83} is {c1}, {57} times {13} is {fe}.
    assert_eq!(times(0x57, 0x83), 0xc1);
    assert_eq!(times(0x57, 0x13), 0xfe);
    for a in 1..=255 {
        assert_eq!(times(a, inverse(a)), 1, "{a}");
    }
}

#[test]
fn fewer_shares_say_nothing_every_secret_remains_possible() {
    // With one share of two, each value of the secret's byte fits exactly one other share.
    let share = shares(&[42], 2, 3)[0].data[0];
    let mut possible: Vec<u8> = (0..=255)
        .map(|other| {
            // Lagrange at 0 through (1, share) and (2, other).
            times(share, times(2, inverse(3))) ^ times(other, inverse(3))
        })
        .collect();
    possible.sort_unstable();
    assert_eq!(possible, (0..=255).collect::<Vec<u8>>());
}

#[test]
fn shares_that_do_not_belong_together_are_refused() {
    let one = shares(b"one", 2, 3);
    let mut chance = chance();
    chance(&mut [0; 100]);
    let two = split(b"two", 2, 3, &|_| "two".to_owned(), &mut chance).expect("split");
    assert_eq!(join(&[]), Err(JoinError::None));
    let mixed = [one[0].clone(), two[1].clone()];
    assert_eq!(join(&mixed), Err(JoinError::Mixed(2)));
    let twice = [one[0].clone(), one[0].clone()];
    let expect = JoinError::TooFew { have: 1, need: 2 };
    assert_eq!(join(&twice), Err(expect));
}

#[test]
fn an_altered_share_whose_check_was_fixed_up_is_found_when_joining() {
    let shares = shares(&[7; 32], 3, 5);
    for at in 0..shares[1].data.len() {
        let mut altered = shares.clone();
        altered[1].data[at] ^= 0x40;
        let line = altered[1].to_string();
        assert_eq!(Share::parse(&line).as_ref(), Ok(&altered[1]));
        assert_eq!(join(&altered[..3]), Err(JoinError::Altered), "byte {at}");
    }
}

#[test]
fn a_share_is_one_line_that_reads_back() {
    let share = &shares(&[7; 32], 3, 5)[3];
    let line = share.to_string();
    assert_eq!(
        line,
        "homecoming-share/1 4 3 5 uWL3tNbjgCYZbftj 8y7MipjM9ldSGuuIPbeKyYhT3VzbOPu0llitiP41nxBvtCMP21Di5RobXYJ3qwFw \
         8VYU0Eal Share 4. Alone it opens nothing."
    );
    for text in [line.clone(), format!("{line}\n"), format!("{line}\r\n")] {
        assert_eq!(Share::parse(&text).as_ref(), Ok(share));
    }
    assert_eq!((share.index(), share.need(), share.of()), (4, 3, 5));
    assert_eq!(share.words(), "Share 4. Alone it opens nothing.");
    assert!(!format!("{share:?}").contains(line.split(' ').nth(5).expect("data")));
}

#[test]
fn a_slip_in_copying_is_found_wherever_it_is() {
    let line = shares(&[7; 32], 3, 5)[3].to_string();
    for at in 0..line.len() {
        let mut bytes = line.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let text = String::from_utf8(bytes).expect("ASCII");
        assert!(Share::parse(&text).is_err(), "{text}");
        let mut shorter = line.clone();
        shorter.remove(at);
        assert!(Share::parse(&shorter).is_err(), "{shorter}");
    }
}

#[test]
fn what_is_not_a_share_is_refused_by_name() {
    let check = |text: &str, expect| assert_eq!(Share::parse(text), Err(expect), "{text}");
    check("", ShareError::NotAShare);
    check("homecoming-share/2 1 2 3 a b c", ShareError::NotAShare);
    check("homecoming-share/1", ShareError::Part("number"));
    check("homecoming-share/1 0 2 3", ShareError::Part("number"));
    check("homecoming-share/1 01 2 3", ShareError::Part("number"));
    check(
        "homecoming-share/1 1 256 3",
        ShareError::Part("number needed"),
    );
    check(
        "homecoming-share/1 1 2 x",
        ShareError::Part("number of all"),
    );
    check("homecoming-share/1 1 2 3 AAAA", ShareError::Part("data"));
    check(
        "homecoming-share/1 1 2 3 AAAA AAAA",
        ShareError::Part("check"),
    );
    check(
        "homecoming-share/1 1 2 3 AAAA AAAA a b",
        ShareError::Part("set"),
    );
    let set = "A".repeat(16);
    let cut = format!("homecoming-share/1 1 2 3 {set} AAAA a");
    check(&cut, ShareError::Part("words"));
    let odd = format!("homecoming-share/1 1 2 3 {set} AAA= a b");
    check(&odd, ShareError::Part("data"));
    // In order but for its numbers: the check is made for them.
    let wrong = |change: fn(&mut Share), expect| {
        let mut share = shares(&[7; 32], 3, 5)[3].clone();
        change(&mut share);
        check(&share.to_string(), expect);
    };
    wrong(|share| share.index = 6, ShareError::Part("number"));
    wrong(|share| share.need = 1, ShareError::Part("number"));
    wrong(|share| share.need = 6, ShareError::Part("number"));
    wrong(
        |share| share.data.truncate(DIGEST),
        ShareError::Part("data"),
    );
    wrong(|share| share.words.push('\u{7}'), ShareError::Part("words"));
}

#[test]
fn a_secret_is_not_shared_senselessly() {
    let check = |secret: &[u8], need, of, words: &str, expect| {
        let found = split(secret, need, of, &|_| words.to_owned(), &mut chance());
        assert_eq!(found.map(|_| ()), Err(expect));
    };
    check(b"s", 1, 3, "w", SplitError::Numbers { need: 1, of: 3 });
    check(b"s", 0, 0, "w", SplitError::Numbers { need: 0, of: 0 });
    check(b"s", 4, 3, "w", SplitError::Numbers { need: 4, of: 3 });
    check(b"", 2, 3, "w", SplitError::Length);
    check(&[0; 1_025], 2, 3, "w", SplitError::Length);
    check(b"s", 2, 3, "two\nlines", SplitError::Words);
    check(b"s", 2, 3, &"w".repeat(1_001), SplitError::Words);
}
