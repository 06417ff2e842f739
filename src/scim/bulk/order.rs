//! Which operation comes when (RFC 7644 §3.7.1): in the order of the request, but that an operation which refers to a later
//! one waits for it. What refers to each other in a circle is one unit, done as a whole or not at all.

/// Operations that run together: one, or a circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Their indexes, ascending.
    pub operations: Vec<usize>,
    /// Whether they refer to each other, or the one to itself.
    pub circular: bool,
}

/// The units in the order in which they run; `edges[i]` lists the operations that operation `i` refers to.
pub(super) fn order(edges: &[Vec<usize>]) -> Vec<Unit> {
    let components = Components::of(edges);
    // Components come after those that they refer to. A unit's turn is when the last that it waits for is done.
    let mut turn: Vec<(usize, usize)> = Vec::with_capacity(components.units.len());
    for (number, operations) in components.units.iter().enumerate() {
        let own = operations.iter().copied().max().unwrap_or_default();
        let mut after = (own, 0);
        let targets = operations.iter().flat_map(|at| &edges[*at]);
        for target in targets.map(|target| components.unit_of[*target]) {
            if target != number {
                let (last, depth) = turn[target];
                after = after.max((last, depth + 1));
            }
        }
        turn.push(after);
    }
    let mut numbers: Vec<usize> = (0..components.units.len()).collect();
    numbers.sort_by_key(|number| (turn[*number], components.units[*number].first().copied()));
    let unit = |number: usize| {
        let operations = components.units[number].clone();
        let circular = operations.len() > 1
            || operations
                .first()
                .is_some_and(|only| edges[*only].contains(only));
        Unit {
            operations,
            circular,
        }
    };
    numbers.into_iter().map(unit).collect()
}

/// Strongly connected components by Tarjan's algorithm, without recursion: a chain may be as long as the request.
#[derive(Default)]
struct Components {
    units: Vec<Vec<usize>>,
    unit_of: Vec<usize>,
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    stack: Vec<usize>,
    on_stack: Vec<bool>,
    count: usize,
}

impl Components {
    fn of(edges: &[Vec<usize>]) -> Self {
        let size = edges.len();
        let mut found = Self {
            unit_of: vec![0; size],
            index: vec![None; size],
            low: vec![0; size],
            on_stack: vec![false; size],
            ..Self::default()
        };
        for start in 0..size {
            if found.index[start].is_none() {
                found.visit(start, edges);
            }
        }
        found
    }

    fn enter(&mut self, node: usize) {
        self.index[node] = Some(self.count);
        self.low[node] = self.count;
        self.count += 1;
        self.stack.push(node);
        self.on_stack[node] = true;
    }

    fn visit(&mut self, start: usize, edges: &[Vec<usize>]) {
        let mut path = vec![(start, 0)];
        self.enter(start);
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            if let Some(target) = edges[node].get(*next).copied() {
                *next += 1;
                match self.index[target] {
                    None => {
                        self.enter(target);
                        path.push((target, 0));
                    }
                    Some(index) if self.on_stack[target] => {
                        self.low[node] = self.low[node].min(index);
                    }
                    Some(_) => {}
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                self.low[*parent] = self.low[*parent].min(self.low[node]);
            }
            if Some(self.low[node]) == self.index[node] {
                self.close(node);
            }
        }
    }

    /// `node` is the root of a component: what lies above it on the stack belongs to it.
    fn close(&mut self, node: usize) {
        let mut unit = Vec::new();
        while let Some(member) = self.stack.pop() {
            self.on_stack[member] = false;
            self.unit_of[member] = self.units.len();
            unit.push(member);
            if member == node {
                break;
            }
        }
        unit.sort_unstable();
        self.units.push(unit);
    }
}
