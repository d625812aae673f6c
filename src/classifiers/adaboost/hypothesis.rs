//! Weak hypotheses: a stump, or a stump with a second one on one side.

/// One threshold on one feature. A vector above it gets `votes`, any other the opposite.
#[derive(Debug, Clone, PartialEq)]
pub struct Stump {
    /// Column of the feature.
    pub feature: usize,
    /// Middle between two neighbouring training values.
    pub threshold: f32,
    /// -1 or +1 per class.
    pub votes: Vec<i8>,
}

impl Stump {
    /// Whether `vector` lies above the threshold.
    pub fn above(&self, vector: &[f32]) -> bool {
        vector[self.feature] > self.threshold
    }
}

/// The second stump of a two-node tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Side of the root it stands on: above its threshold, or not.
    pub above: bool,
    /// The stump that votes there in place of the root.
    pub stump: Stump,
}

/// What one round of boosting adds.
#[derive(Debug, Clone, PartialEq)]
pub struct WeakHypothesis {
    /// Its weight in the vote, above 0.
    pub alpha: f64,
    /// The first stump.
    pub root: Stump,
    /// The second, if one side gained from it.
    pub branch: Option<Branch>,
}

impl WeakHypothesis {
    /// The stump that votes on `vector` (the last on its path), and whether the vector lies
    /// above its threshold.
    pub fn voter(&self, vector: &[f32]) -> (&Stump, bool) {
        let above = self.root.above(vector);
        match &self.branch {
            Some(branch) if branch.above == above => (&branch.stump, branch.stump.above(vector)),
            _ => (&self.root, above),
        }
    }
}
