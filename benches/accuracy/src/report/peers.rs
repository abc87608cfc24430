//! What other detectors reach on the same split, measured with the same definitions: figures only, to stand beside
//! ours. They were measured once, each in one configuration for all series.

/// A detector of somebody else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// VUS-PR of asd, js2 and smd.
    vus_pr: Option<[f64; 3]>,
    /// NAB's standard score, best threshold in hindsight, as it is written in the table.
    pub(super) nab: &'static str,
}

/// The corpora of [`Peer::vus_pr`], in their order.
pub(super) const CORPORA: [&str; 3] = ["asd", "js2", "smd"];

impl Peer {
    /// Its VUS-PR on a corpus.
    pub(super) fn vus_pr(&self, corpus: &str) -> Option<f64> {
        let place = CORPORA.iter().position(|c| *c == corpus)?;
        self.vus_pr.map(|v| v[place])
    }
}

/// The best VUS-PR of a peer on a corpus.
pub(super) fn best_vus_pr(corpus: &str) -> Option<f64> {
    PEERS.iter().filter_map(|p| p.vus_pr(corpus)).reduce(f64::max)
}

const fn peer(name: &'static str, vus_pr: [f64; 3], nab: &'static str) -> Peer {
    Peer { name, vus_pr: Some(vus_pr), nab }
}

const fn of_nab(name: &'static str, nab: &'static str) -> Peer {
    Peer { name, vus_pr: None, nab }
}

/// The peers.
pub(super) const PEERS: [Peer; 15] = [
    peer("isolation forest on raw values (scikit-learn)", [0.210, 0.109, 0.261], "1.6"),
    peer("isolation forest on five lags", [0.180, 0.135, 0.265], ""),
    peer("isolation forest on window means and deviations", [0.344, 0.234, 0.360], "0, 40.5\\*"),
    peer("extended isolation forest (extended-isolation-forest)", [0.219, 0.126, 0.389], ""),
    peer("principal components", [0.256, 0.119, 0.483], ""),
    peer("Mahalanobis distance", [0.316, 0.134, 0.530], ""),
    peer("nearest neighbours", [0.291, 0.121, 0.514], ""),
    peer("mean absolute z-score", [0.167, 0.131, 0.458], "36\\*"),
    peer("residual of an exponentially weighted mean", [0.272, 0.156, 0.415], "35\\*"),
    peer("residual of a ridge autoregression", [0.417, 0.206, 0.427], "32\\*"),
    peer("k-means on sub-sequences, causal", [0.304, 0.276, 0.530], "46.9\\*"),
    peer("half-space trees (river)", [0.101, 0.097, 0.195], "50.5\\*"),
    of_nab("random cut forest, published scores", "53.4"),
    of_nab("HTM, published scores", "68.8"),
    of_nab("ARTime, published scores", "69.8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_corpus_is_found_and_others_have_none() {
        let best: Vec<_> = ["smd", "asd", "js2", "nab"].map(best_vus_pr).into();
        assert_eq!(best, [Some(0.530), Some(0.417), Some(0.276), None]);
    }
}
