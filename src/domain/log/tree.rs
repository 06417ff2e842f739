//! The tree while it grows: of all its nodes only the frontier is needed to append, and to know the root.

use super::{Hash, empty, node};

/// The roots of the complete subtrees that a tree of this size is made of, from the largest to the smallest: one for each bit
/// of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves, each of whose complete subtrees `complete` knows by level (0 for leaves) and
    /// number.
    ///
    /// # Errors
    /// Those of `complete`.
    pub fn at<E>(
        size: u64,
        mut complete: impl FnMut(u32, u64) -> Result<Hash, E>,
    ) -> Result<Self, E> {
        let mut peaks = Vec::new();
        for level in (0..u64::BITS).rev().filter(|level| size >> level & 1 == 1) {
            peaks.push(complete(level, (size >> level) - 1)?);
        }
        Ok(Self { size, peaks })
    }

    /// The frontier as it is kept; nothing if the peaks are not those of a tree of that size.
    #[must_use]
    pub fn from_bytes(size: u64, peaks: &[u8]) -> Option<Self> {
        let (peaks, rest) = peaks.as_chunks::<32>();
        let fits = rest.is_empty() && u32::try_from(peaks.len()) == Ok(size.count_ones());
        fits.then(|| Self {
            size,
            peaks: peaks.to_vec(),
        })
    }

    /// The peaks one after another.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. `completed` is told each subtree that this completes, with its level (from 1) and its number.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u32, u64, &Hash)) {
        let mut hash = leaf;
        for level in 1..=self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
                completed(level, self.size >> level, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root (RFC 9162 §2.1.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty();
        };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

/// The root of the complete subtree over these hashes, whose number is a power of two.
#[must_use]
pub fn complete(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for hash in hashes {
        frontier.append(*hash, |_, _, _| {});
    }
    frontier.root()
}

#[cfg(test)]
mod tests {
    use super::super::leaf;
    use super::*;

    /// The leaves and roots that the implementations of Certificate Transparency are tested with.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = (0..hex.len()).step_by(2);
        pairs
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        let mut tree = Frontier::default();
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(tree.root().to_vec(), bytes(of_nothing));
        for (entry, root) in LEAVES.iter().zip(ROOTS) {
            tree.append(leaf(&bytes(entry)), |_, _, _| {});
            assert_eq!(
                tree.root().to_vec(),
                bytes(root),
                "of {} leaves",
                tree.size()
            );
        }
    }

    #[test]
    fn a_frontier_is_read_back_as_it_was_kept() {
        let mut tree = Frontier::default();
        for n in 0..300_u64 {
            let kept = Frontier::from_bytes(tree.size(), &tree.to_bytes());
            assert_eq!(kept.as_ref(), Some(&tree));
            tree.append(leaf(&n.to_be_bytes()), |_, _, _| {});
        }
        assert_eq!(Frontier::from_bytes(3, &[0; 32]), None);
        assert_eq!(Frontier::from_bytes(1, &[0; 33]), None);
    }
}
