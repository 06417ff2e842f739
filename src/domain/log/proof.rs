//! Proofs: that an event is in a tree (RFC 9162 §2.1.3), and that a tree only grew (§2.1.4). Whoever makes them knows the
//! complete subtrees; whoever verifies them needs nothing but the roots.

use super::{Hash, node};

/// The part of a tree that begins at a leaf and has so many.
#[derive(Clone, Copy)]
struct Part {
    start: u64,
    size: u64,
}

impl Part {
    /// Both sides of the node above it: the left one is the largest complete subtree that leaves something.
    fn split(self) -> (Self, Self) {
        let left = self.size.next_power_of_two() / 2;
        let side = |start, size| Self { start, size };
        (
            side(self.start, left),
            side(self.start + left, self.size - left),
        )
    }

    fn root<E>(self, complete: &mut dyn FnMut(u32, u64) -> Result<Hash, E>) -> Result<Hash, E> {
        if self.size.is_power_of_two() {
            let level = self.size.trailing_zeros();
            return complete(level, self.start >> level);
        }
        let (left, right) = self.split();
        Ok(node(&left.root(complete)?, &right.root(complete)?))
    }
}

/// The proof that the leaf at `position` is in the tree of `size` leaves, from the leaf to the root (§2.1.3.1). `complete`
/// knows each complete subtree by level (0 for leaves) and number. `position` is less than `size`.
///
/// # Errors
/// Those of `complete`.
pub fn inclusion<E>(
    position: u64,
    size: u64,
    mut complete: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut part = Part { start: 0, size };
    let mut proof = Vec::new();
    while part.size > 1 {
        let (left, right) = part.split();
        let (inside, beside) = if position < right.start {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(beside.root(&mut complete)?);
        part = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `second` leaves begins with that of `first` (§2.1.4.1); `first` is at least 1 and at most
/// `second`.
///
/// # Errors
/// Those of `complete`.
pub fn consistency<E>(
    first: u64,
    second: u64,
    mut complete: impl FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let mut part = Part {
        start: 0,
        size: second,
    };
    let mut proof = Vec::new();
    while part.start + part.size > first {
        let (left, right) = part.split();
        let (inside, beside) = if first <= right.start {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(beside.root(&mut complete)?);
        part = inside;
    }
    // The verifier knows the whole first tree already.
    if part.start > 0 {
        proof.push(part.root(&mut complete)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that `leaf` stands at `position` of the tree with that size and root (§2.1.3.2).
#[must_use]
pub fn includes(leaf: &Hash, position: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if position >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (position, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of the second size and root begins with that of the first (§2.1.4.2).
#[must_use]
pub fn is_consistent(first: (u64, &Hash), second: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (first, second);
    if old_size == new_size {
        return old_size > 0 && proof.is_empty() && old_root == new_root;
    }
    if old_size == 0 || old_size > new_size {
        return false;
    }
    let mut path = proof.iter();
    let start = if old_size.is_power_of_two() {
        Some(old_root)
    } else {
        path.next()
    };
    let Some(start) = start else { return false };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*start, *start);
    for beside in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = node(beside, &old);
            new = node(beside, &new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node(&new, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::leaf;
    use super::super::tree::Frontier;
    use super::*;

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|n| leaf(&n.to_be_bytes())).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = Frontier::default();
        for leaf in leaves {
            tree.append(*leaf, |_, _, _| {});
        }
        tree.root()
    }

    /// Every complete subtree of these leaves.
    fn subtrees(leaves: &[Hash]) -> impl FnMut(u32, u64) -> Result<Hash, ()> {
        move |level, number| {
            let start = usize::try_from(number << level).unwrap();
            Ok(root(&leaves[start..start + (1 << level)]))
        }
    }

    /// RFC 9162 §2.1.5: the tree of seven leaves and its parts.
    #[test]
    #[expect(clippy::many_single_char_names, reason = "the RFC's own names")]
    fn the_example_of_the_rfc() {
        let d = leaves(7);
        let ab = |a: &Hash, b: &Hash| node(a, b);
        let (g, h, i) = (ab(&d[0], &d[1]), ab(&d[2], &d[3]), ab(&d[4], &d[5]));
        let j = d[6];
        let (k, l) = (ab(&g, &h), ab(&i, &j));
        let inclusion = |position| inclusion(position, 7, subtrees(&d)).unwrap();
        assert_eq!(inclusion(0), [d[1], h, l]);
        assert_eq!(inclusion(3), [d[2], g, l]);
        assert_eq!(inclusion(4), [d[5], j, k]);
        assert_eq!(inclusion(6), [i, k]);
        let consistency = |first| consistency(first, 7, subtrees(&d)).unwrap();
        assert_eq!(consistency(3), [d[2], d[3], g, l]);
        assert_eq!(consistency(4), [l]);
        assert_eq!(consistency(6), [i, j, k]);
        assert_eq!(consistency(7), [] as [Hash; 0]);
    }

    proptest! {
        #[test]
        fn every_proof_holds_and_no_other(size in 1_u64..70, at in 0_u64..70, flip in 0_usize..8) {
            let at = at % size;
            let d = leaves(size);
            let whole = root(&d);
            let proof = inclusion(at, size, subtrees(&d)).unwrap();
            let own = &d[usize::try_from(at).unwrap()];
            prop_assert!(includes(own, at, size, &proof, &whole));
            prop_assert!(!includes(&leaf(b"another"), at, size, &proof, &whole));
            prop_assert!(!includes(own, at + 1, size, &proof, &whole));
            let (first, second) = (at + 1, size);
            let old = root(&d[..usize::try_from(first).unwrap()]);
            let between = consistency(first, second, subtrees(&d)).unwrap();
            prop_assert!(is_consistent((first, &old), (second, &whole), &between));
            prop_assert!(!is_consistent((first, &leaf(b"another")), (second, &whole), &between));
            if let Some(n) = flip.checked_rem(proof.len()) {
                let mut wrong = proof.clone();
                wrong[n][0] ^= 1;
                prop_assert!(!includes(own, at, size, &wrong, &whole));
                prop_assert!(!includes(own, at, size, &proof[1..], &whole));
            }
            if let Some(n) = flip.checked_rem(between.len()) {
                let mut wrong = between.clone();
                wrong[n][0] ^= 1;
                prop_assert!(!is_consistent((first, &old), (second, &whole), &wrong));
                prop_assert!(!is_consistent((first, &old), (second, &whole), &between[1..]));
            }
        }

        #[test]
        fn a_frontier_can_be_made_of_the_subtrees(size in 0_u64..200) {
            let d = leaves(size);
            prop_assert_eq!(Frontier::at(size, subtrees(&d)).unwrap().root(), root(&d));
        }
    }
}
