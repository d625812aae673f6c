//! Folds in which what is fitted to genuine items is held against those of other groups.

/// Their number.
pub(super) const FOLDS: usize = 5;

/// The fold of every group: of every class, each fold has a fifth of the groups. Where items come in
/// turns of ten classes, every fifth group would have one of the same two. Items are given as (class,
/// group), with groups numbered by their first item; a group counts for the class of that item.
pub(super) fn dealt(items: impl Iterator<Item = (usize, usize)>, classes: usize) -> Vec<usize> {
    let mut of_class = vec![0; classes];
    let mut folds = Vec::new();
    for (class, group) in items {
        if group == folds.len() {
            folds.push(of_class[class] % FOLDS);
            of_class[class] += 1;
        }
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fold_has_groups_of_every_class() {
        let items: Vec<(usize, usize)> = (0..100).map(|n| (n / 2 % 10, n / 2)).collect();
        let folds = dealt(items.iter().copied(), 10);
        assert_eq!(folds.len(), 50);
        for class in 0..10 {
            let of_class = items.iter().filter(|item| item.0 == class);
            let seen: std::collections::BTreeSet<usize> =
                of_class.map(|item| folds[item.1]).collect();
            assert_eq!(seen.len(), FOLDS);
        }
    }
}
