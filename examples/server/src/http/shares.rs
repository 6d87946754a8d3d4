//! Shares: bounded pools whose units are divided between callers, so that no caller takes all of them.
//!
//! The rule is that of switches with shared memory, the dynamic threshold of Choudhury and Hahne (1998): a holder may have at most
//! a constant times what it leaves. An application leaves it in the pool, a signed-in user in what its application may still have.
//! So a single application gets seven eighths of a pool, the next one most of the rest, and there is always something for one more;
//! a single user gets a fifth of what its application may have. Nothing is set aside, and nothing is configured.

use super::account::Account;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most of a pool that an application has, for what it leaves.
const OF_APPLICATION: Ratio = Ratio { held: 7, left: 1 };
/// The most of its application's share that a user has, for what it leaves.
const OF_USER: Ratio = Ratio { held: 1, left: 4 };

/// The greatest ratio between what a holder has and what it leaves.
#[derive(Clone, Copy)]
struct Ratio {
    held: usize,
    left: usize,
}

impl Ratio {
    /// Returns how many units a holder may still take of those that are free to it.
    ///
    /// After it takes `n`, `held + n` is at most `self` times `free - n`. Who holds nothing gets one if any is free.
    const fn room(self, held: usize, free: usize) -> usize {
        let room = (self.held * free).saturating_sub(self.left * held) / (self.held + self.left);
        if room == 0 && held == 0 && free > 0 { 1 } else { room }
    }
}

/// A pool of units that callers share.
#[derive(Debug)]
pub struct Pool {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// The units of each account that holds any; an application's include those of its users.
    held: HashMap<Account, usize>,
}

/// Returns the most units of a pool that a caller gets while nobody else holds any.
pub fn most(size: usize, account: Account) -> usize {
    State::new(size).room(account)
}

impl State {
    fn new(size: usize) -> Self {
        Self { free: size, held: HashMap::new() }
    }

    fn held(&self, account: Account) -> usize {
        self.held.get(&account).copied().unwrap_or(0)
    }

    /// Returns how many units an account may still take.
    fn room(&self, account: Account) -> usize {
        match account.parent() {
            Some(application) => OF_USER.room(self.held(account), self.room(application)),
            None => OF_APPLICATION.room(self.held(account), self.free),
        }
    }

    fn take(&mut self, account: Account, count: usize) -> Result<(), ShareError> {
        if count > self.room(account) {
            let is_user_beyond = account.parent().is_some_and(|application| count <= self.room(application));
            return Err(match account.parent() {
                _ if self.free < count => ShareError::Exhausted,
                Some(application) if !is_user_beyond => ShareError::Beyond(application),
                _ => ShareError::Beyond(account),
            });
        }
        self.free -= count;
        let accounts = [Some(account), account.parent()];
        accounts.into_iter().flatten().filter(|_| count > 0).for_each(|account| {
            *self.held.entry(account).or_insert(0) += count;
        });
        Ok(())
    }

    fn give_back(&mut self, account: Account, count: usize) {
        self.free += count;
        for account in [Some(account), account.parent()].into_iter().flatten() {
            if let Entry::Occupied(mut held) = self.held.entry(account) {
                *held.get_mut() -= count;
                if *held.get() == 0 {
                    held.remove();
                }
            }
        }
    }
}

/// The reason why a caller gets no more of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareError {
    /// There is not as much left for anybody.
    Exhausted,
    /// This account has its share.
    Beyond(Account),
}

impl Pool {
    /// Creates a pool of so many units.
    pub fn new(size: usize) -> Arc<Self> {
        Arc::new(Self { state: State::new(size).into() })
    }

    /// Takes units for a caller, until the result is dropped.
    pub fn take(self: &Arc<Self>, account: Account, count: usize) -> Result<Share, ShareError> {
        self.state().take(account, count)?;
        Ok(Share { pool: self.clone(), account, count })
    }

    /// Checks that a caller could take a unit now.
    pub fn check(&self, account: Account) -> Result<(), ShareError> {
        let mut state = self.state();
        state.take(account, 1)?;
        state.give_back(account, 1);
        Ok(())
    }

    /// Returns the units that nobody holds.
    pub fn free(&self) -> usize {
        self.state().free
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Units of a pool that a caller holds.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    account: Account,
    count: usize,
}

impl Share {
    /// Returns the number of units.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Takes more units.
    pub fn grow(&mut self, more: usize) -> Result<(), ShareError> {
        self.pool.state().take(self.account, more)?;
        self.count += more;
        Ok(())
    }

    /// Gives back all units but so many.
    pub fn shrink_to(&mut self, count: usize) {
        let surplus = self.count.saturating_sub(count);
        self.pool.state().give_back(self.account, surplus);
        self.count -= surplus;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presence_core::{SessionId, UserId};

    const fn application(number: u8) -> Account {
        Account::Application(SessionId::from_bytes([number; 16]))
    }

    fn user(number: u8, user: u16) -> Account {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&user.to_be_bytes());
        Account::User(SessionId::from_bytes([number; 16]), UserId::from_bytes(bytes))
    }

    /// Takes single units until there are no more, and returns how many there were.
    fn take_all(pool: &Arc<Pool>, account: Account, shares: &mut Vec<Share>) -> usize {
        let before = shares.len();
        shares.extend(std::iter::from_fn(|| pool.take(account, 1).ok()));
        shares.len() - before
    }

    #[test]
    fn an_application_gets_seven_eighths_and_the_next_most_of_the_rest() {
        let pool = Pool::new(1024);
        let mut shares = Vec::new();
        let got: Vec<_> = (1..=5).map(|number| take_all(&pool, application(number), &mut shares)).collect();
        assert_eq!(got, [896, 112, 14, 1, 1]);
        shares.pop();
        assert_eq!(pool.free(), 1);
        assert_eq!(pool.take(application(1), 1).unwrap_err(), ShareError::Beyond(application(1)));
        assert_eq!(pool.take(application(1), 2).unwrap_err(), ShareError::Exhausted);
        // Development tokens are a caller as well.
        assert_eq!(take_all(&pool, Account::Developer, &mut shares), 1);
        assert_eq!(pool.take(application(7), 1).unwrap_err(), ShareError::Exhausted);
    }

    #[test]
    fn a_user_may_have_its_largest_response_while_nobody_else_has_any() {
        // With the element that is copied into it, the body of the request, and what a bulk read takes.
        assert!(most(128 * 1024, user(1, 0)) > (8 + 8 + 1 + 1) * 1024);
    }

    #[test]
    fn users_get_little_each_and_leave_something_to_the_next_user() {
        let pool = Pool::new(128 * 1024);
        let mut shares = Vec::new();
        let got: Vec<_> = (0..50).map(|number| take_all(&pool, user(1, number), &mut shares)).collect();
        assert_eq!(got[..5], [22_937, 18_350, 14_680, 11_744, 9395], "a fifth of what is left");
        assert!(got.iter().all(|got| *got > 0), "{got:?}");
        assert!(got.iter().sum::<usize>() <= 112 * 1024, "together they are one application");
        assert!(matches!(pool.take(user(1, 0), 1), Err(ShareError::Beyond(account)) if account == user(1, 0)));
        // Another application's user, and the other application.
        assert!(take_all(&pool, user(2, 0), &mut shares) > 2 * 1024);
        assert!(take_all(&pool, application(2), &mut shares) > 8 * 1024);
    }

    #[test]
    fn an_application_has_its_share_whoever_of_its_users_took_it() {
        let pool = Pool::new(64);
        let mut shares = Vec::new();
        assert_eq!(take_all(&pool, application(1), &mut shares), 56);
        assert_eq!(pool.take(user(1, 7), 1).unwrap_err(), ShareError::Beyond(application(1)));
        shares.truncate(55);
        let one = pool.take(user(1, 7), 1).unwrap();
        assert_eq!(pool.take(application(1), 1).unwrap_err(), ShareError::Beyond(application(1)));
        drop(one);
        assert!(pool.take(application(1), 1).is_ok());
    }

    /// One unit for who holds nothing, in the smallest pools too; in all others something is left.
    #[test]
    fn every_pool_serves_somebody_and_leaves_something() {
        for (size, expected) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (8, 7), (64, 56), (4096, 3584)] {
            let pool = Pool::new(size);
            assert_eq!(most(size, application(1)), expected);
            assert_eq!(take_all(&pool, application(1), &mut Vec::new()), expected, "{size}");
            assert!(most(size, user(1, 1)) >= 1);
            assert_eq!(pool.free(), size);
        }
    }

    #[test]
    fn who_holds_nothing_costs_nothing() {
        let pool = Pool::new(1024);
        let mut shares: Vec<_> = (0..50).map(|number| pool.take(user(1, number), 2).unwrap()).collect();
        assert_eq!(pool.state().held.len(), 51);
        shares[0].grow(3).unwrap();
        shares[0].shrink_to(4);
        shares[0].shrink_to(9);
        assert_eq!((shares[0].count(), pool.free()), (4, 1024 - 102));
        assert!(shares[0].grow(1024).is_err());
        assert_eq!((shares[0].count(), pool.free()), (4, 1024 - 102));
        let empty = pool.take(application(9), 0).unwrap();
        shares.clear();
        assert!(pool.state().held.is_empty() && pool.free() == 1024);
        pool.check(application(9)).unwrap();
        assert!(pool.state().held.is_empty() && pool.free() == 1024);
        drop(empty);
        assert_eq!(pool.free(), 1024);
    }

    /// Whatever is taken and given back, nobody is beyond the rule when taking, and the sums agree.
    #[test]
    fn the_rule_holds_after_every_step() {
        let pool = Pool::new(1000);
        let accounts = [application(1), user(1, 1), user(1, 2), application(2), user(2, 1), Account::Developer];
        let mut shares: Vec<Share> = Vec::new();
        let mut random = 1u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (account, count) = (accounts[(random >> 60) as usize % 6], (random >> 40) as usize % 60);
            if (random >> 50).is_multiple_of(3) && !shares.is_empty() {
                shares.swap_remove((random >> 33) as usize % shares.len());
            } else if let Ok(share) = pool.take(account, count) {
                shares.push(share);
                let held = |of: Account| -> usize {
                    let is_of = |account: Account| account == of || account.parent() == Some(of);
                    shares.iter().filter(|share| is_of(share.account)).map(Share::count).sum()
                };
                let free = 1000 - shares.iter().map(Share::count).sum::<usize>();
                assert_eq!(pool.free(), free);
                let top = account.parent().unwrap_or(account);
                assert!(count == 0 || held(top) <= 7 * free || held(top) == 1, "{account:?}");
                // What the application may still have is an eighth of `7 * free - held`.
                let left = (7 * free).saturating_sub(held(top)) / 8;
                assert!(count == 0 || top == account || 4 * held(account) <= left + 8 || held(account) == 1);
            }
        }
    }
}
