//! Guessing gets slow, and strangers lock nobody out.
//!
//! Failures are counted for an account as tried from one address, for an address, and for a browser
//! in which that person signed in before. What is counted is what was tried, whether or not there is
//! such an account. A few failures cost nothing; after that each one doubles the wait.
//!
//! | who tries | counted by | free | longest wait |
//! |---|---|---|---|
//! | a browser that this person signed in with before | that browser and account | 5 | 15 minutes |
//! | anybody else | account and address | 5 | 15 minutes |
//! | | address | 50 | 15 minutes |
//! | whoever has the right password, and not the one-time password | account | 10 | an hour |
//!
//! So a stranger slows down only themself and those who share their address and try the same account
//! from a new browser. The last line is the exception: it takes the password, and then the account is
//! in danger; a browser that is known goes on as before.

use desk::{Desk, User};

use crate::error::Error;

/// A browser counts as known for this long after its last sign-in.
pub const KNOWN_MICROS: i64 = 180 * 24 * 3_600_000_000;

const SECOND: i64 = 1_000_000;

/// How one count turns into a wait.
#[derive(Clone, Copy)]
struct Patience {
    free: u32,
    longest_us: i64,
}

const ACCOUNT: Patience = Patience {
    free: 5,
    longest_us: 900 * SECOND,
};
const ADDRESS: Patience = Patience {
    free: 50,
    longest_us: 900 * SECOND,
};
const SECOND_FACTOR: Patience = Patience {
    free: 10,
    longest_us: 3_600 * SECOND,
};

impl Patience {
    /// How long after the last failure the next try is taken.
    fn wait(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            Some(more) => (SECOND << more.min(30)).min(self.longest_us),
        }
    }
}

/// The counts that one try stands under.
pub struct Tries {
    counts: Vec<(String, Patience)>,
    second_factor: String,
    known: bool,
}

impl Tries {
    /// A try at `account` (what was typed, or what a code or account was) from an address.
    pub fn of(
        desk: &Desk,
        account: &str,
        user: Option<&User>,
        address: &str,
        device: Option<&str>,
        now_us: i64,
    ) -> Result<Tries, Error> {
        let account = account.trim().to_lowercase();
        let known = match (user, device) {
            (Some(user), Some(device)) => desk
                .knows_device(user.id, device, now_us, KNOWN_MICROS)
                .map_err(Error::desk)?,
            _ => false,
        };
        let counts = match (known, device) {
            (true, Some(device)) => vec![(format!("browser {device} {account}"), ACCOUNT)],
            _ => vec![
                (format!("account {address} {account}"), ACCOUNT),
                (format!("address {address}"), ADDRESS),
            ],
        };
        Ok(Tries {
            counts,
            second_factor: format!("second factor {account}"),
            known,
        })
    }

    /// Microseconds until the next try is taken; 0: now.
    pub fn wait(&self, desk: &Desk, now_us: i64) -> Result<i64, Error> {
        let mut wait = 0;
        let second_factor = (!self.known).then_some((&self.second_factor, SECOND_FACTOR));
        let counts = self.counts.iter().map(|(key, patience)| (key, *patience));
        for (key, patience) in counts.chain(second_factor) {
            let (failures, last) = desk.failures(key, now_us).map_err(Error::desk)?;
            wait = wait.max(last + patience.wait(failures) - now_us);
        }
        Ok(wait.max(0))
    }

    /// It failed. `had_password`: the password was right, and only the one-time password was not. How
    /// often that happened lately is the answer.
    pub fn failed(&self, desk: &Desk, had_password: bool, now_us: i64) -> Result<u32, Error> {
        let second_factor = had_password.then_some(&self.second_factor);
        for key in self.counts.iter().map(|(key, _)| key).chain(second_factor) {
            desk.failed(key, now_us).map_err(Error::desk)?;
        }
        let (failures, _) = desk
            .failures(&self.second_factor, now_us)
            .map_err(Error::desk)?;
        Ok(failures)
    }

    /// It went well: what was counted for this account is forgotten, what for the address stays.
    pub fn succeeded(&self, desk: &Desk) -> Result<(), Error> {
        for (key, _) in self.counts.iter().take(1) {
            desk.succeeded(key).map_err(Error::desk)?;
        }
        desk.succeeded(&self.second_factor).map_err(Error::desk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_failures_cost_nothing_and_then_each_doubles_the_wait() {
        let check = |failures: u32, seconds: i64| {
            assert_eq!(ACCOUNT.wait(failures), seconds * SECOND, "{failures}");
        };
        check(0, 0);
        check(4, 0);
        check(5, 1);
        check(6, 2);
        check(14, 512);
        check(15, 900);
        check(u32::MAX, 900);
    }

    #[test]
    fn strangers_lock_nobody_out_and_a_known_password_is_in_danger() {
        const NOW: i64 = 1_795_338_720_000_000;
        let folder =
            std::env::temp_dir().join(format!("homecoming-throttle-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let desk = Desk::open(&folder).expect("a desk");
        let new = desk::NewUser {
            name: "R. Osei",
            role: "officer",
            ..desk::NewUser::default()
        };
        let id = desk.add_user(&new, NOW, |_| None).expect("a user");
        let user = desk.user(id).expect("a desk").expect("a user");
        desk.remember_device(id, "own browser", NOW).expect("kept");
        let tries = |address: &str, device: Option<&str>| {
            Tries::of(&desk, "r. osei ", Some(&user), address, device, NOW).expect("a try")
        };
        let wait = |tries: Tries| tries.wait(&desk, NOW).expect("a wait");
        // A hundred addresses that guess six times each.
        for address in 0..100 {
            for _ in 0..6 {
                let stranger = tries(&format!("192.0.2.{address}"), Some("another"));
                stranger.failed(&desk, false, NOW).expect("counted");
            }
        }
        assert!(
            wait(tries("192.0.2.7", None)) > 0,
            "they get slow themselves"
        );
        assert_eq!(
            wait(tries("198.51.100.1", None)),
            0,
            "from elsewhere nothing has changed"
        );
        assert_eq!(wait(tries("192.0.2.7", Some("own browser"))), 0);
        // Whoever has the password and guesses the code is counted wherever they are.
        for address in 0..12 {
            let thief = tries(&format!("203.0.113.{address}"), None);
            let told = thief.failed(&desk, true, NOW).expect("counted");
            assert_eq!(told, address + 1);
        }
        assert!(wait(tries("198.51.100.1", None)) > 0);
        assert_eq!(wait(tries("203.0.113.1", Some("own browser"))), 0);
        tries("203.0.113.1", Some("own browser"))
            .succeeded(&desk)
            .expect("forgotten");
        assert_eq!(wait(tries("198.51.100.1", None)), 0);
        drop(desk);
        let _ = std::fs::remove_dir_all(&folder);
    }
}
