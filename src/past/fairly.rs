//! A choice that no user fills: one who does very much hides nobody who did something once.

use std::collections::HashMap;
use std::hash::Hash;

/// So many of these: first some of each user, in their order, then whichever are left.
pub fn choose<T, U: Hash + Eq>(
    all: Vec<T>,
    most: usize,
    of_one_user: usize,
    user: impl Fn(&T) -> U,
) -> Vec<T> {
    let mut counts: HashMap<U, usize> = HashMap::new();
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for one in all {
        let count = counts.entry(user(&one)).or_default();
        *count += 1;
        if *count <= of_one_user { &mut chosen } else { &mut rest }.push(one);
    }
    chosen.extend(rest);
    chosen.truncate(most);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_takes_not_the_room_of_another() {
        // newest first: thirty of one user, then one of root
        let mut all: Vec<(i128, u32)> = (0..30).map(|number| (1000, number)).collect();
        all.push((0, 30));
        let chosen = choose(all, 10, 3, |one| Some(one.0));
        assert_eq!(chosen.len(), 10);
        assert!(chosen.contains(&(0, 30)), "{chosen:?}");
        assert_eq!(chosen.first(), Some(&(1000, 0)), "the newest comes first");
        assert_eq!(choose((0..4).collect::<Vec<u32>>(), 10, 3, |_| None::<u32>).len(), 4);
    }
}
