//! Which action helps when: Overseer's bandit on a simulated host whose best actions are known, beside the fixed order
//! of the catalogue and a blind choice. Prints the regret and writes its plot to the path given, by default
//! `docs/bandit.svg`.

use overseer_engine::action::{Bandit, CATALOGUE, Context, Resource, reward};
use overseer_engine::core::OutcomeKind;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::fmt::Write;

const ROUNDS: usize = 500;
const HOSTS: u64 = 200;
/// Rounds between two points of the plot.
const EVERY: usize = 10;

/// A host on which the fixed order is right: the first action of each resource is the best.
fn as_guessed(action: &str, _degree: f64) -> f64 {
    if ["nice", "memory-high", "ionice"].contains(&action) { 0.5 } else { 0.1 }
}

/// What an action really does on this host where its resource is short to a degree: the mean reward. Nobody knows it
/// but the simulation. The first action of the catalogue is the best for no resource, and memory's best one depends on
/// how short it is.
fn truth(action: &str, degree: f64) -> f64 {
    match action {
        "nice" => 0.1,
        "cpu-weight" => 0.5,
        // A limit on what is really needed makes it worse, the more so the shorter memory is.
        "memory-high" => 0.3 - 0.7 * degree,
        "swappiness" => 0.3,
        "vfs-cache-pressure" => 0.0,
        "restart" => 0.8 * degree - 0.1,
        // The scheduler of this host knows no classes.
        "ionice" => 0.0,
        "dirty-ratio" => 0.45,
        "clean-up" => 0.7,
        other => panic!("the simulation does not know `{other}`"),
    }
}

/// Helped, nothing or worse, with the mean that is true.
fn outcome(mean: f64, rng: &mut Pcg64Mcg) -> OutcomeKind {
    let draw: f64 = rng.random();
    match draw {
        d if d < 0.5 * (0.8 + mean) => OutcomeKind::Helped,
        d if d >= 1.0 - 0.5 * (0.8 - mean) => OutcomeKind::Worse,
        _ => OutcomeKind::NoChange,
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Chooser {
    FixedOrder,
    Blind,
    Bandit,
}

/// The regret of one host so far, every few rounds: what the choices fell short of the best ones, by the truth.
fn regret(chooser: Chooser, truth: fn(&str, f64) -> f64, seed: u64) -> Vec<f64> {
    // The same situations and the same luck for every chooser.
    let mut situations = Pcg64Mcg::seed_from_u64(seed);
    let mut luck = Pcg64Mcg::seed_from_u64(seed ^ 0x5eed);
    let mut bandit = Bandit::new();
    let (mut total, mut curve) = (0.0, vec![0.0]);
    for round in 1..=ROUNDS {
        let resources = [Resource::Cpu, Resource::Memory, Resource::Io];
        let resource = resources[situations.random_range(0..resources.len())];
        let degree = [0.5, 0.75, 1.0][situations.random_range(0..3)];
        let context = Context::new(resource, degree);
        let names: Vec<&str> =
            CATALOGUE.iter().filter(|a| a.resource == resource).map(|a| a.name).collect();
        let draw: u64 = luck.random();
        let chosen = match chooser {
            Chooser::FixedOrder => 0,
            Chooser::Blind => (draw % names.len() as u64) as usize,
            Chooser::Bandit => bandit.rank(&names, &context, draw)[0],
        };
        let mean = truth(names[chosen], degree);
        bandit.learn(names[chosen], &context, reward(outcome(mean, &mut luck)));
        let best = names.iter().map(|n| truth(n, degree)).fold(f64::MIN, f64::max);
        total += best - mean;
        if round % EVERY == 0 {
            curve.push(total);
        }
    }
    curve
}

/// The mean over many hosts.
fn mean_regret(chooser: Chooser, truth: fn(&str, f64) -> f64, hosts: u64) -> Vec<f64> {
    let curves: Vec<Vec<f64>> = (0..hosts).map(|seed| regret(chooser, truth, seed)).collect();
    (0..curves[0].len()).map(|i| curves.iter().map(|c| c[i]).sum::<f64>() / hosts as f64).collect()
}

fn plot(curves: &[(&str, &str, Vec<f64>)]) -> String {
    let (width, height, left, top) = (560.0, 300.0, 60.0, 30.0);
    let most = curves.iter().flat_map(|(.., c)| c).fold(1.0_f64, |a, &b| a.max(b));
    let x = |i: usize| left + width * (i * EVERY) as f64 / ROUNDS as f64;
    let y = |v: f64| top + height * (1.0 - v / most);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 380\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"760\" height=\"380\" fill=\"white\"/>\n",
    );
    let (right, bottom) = (left + width, top + height);
    let _ =
        writeln!(svg, "<path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#888\"/>");
    for part in 0..=5 {
        let value = most * f64::from(part) / 5.0;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444\">{value:.0}</text>",
            left - 6.0,
            y(value) + 4.0
        );
        let round = ROUNDS * part as usize / 5;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{round}</text>",
            x(round / EVERY),
            bottom + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">actions tried</text>\n\
         <text x=\"{left}\" y=\"{}\">regret, mean of {HOSTS} simulated hosts</text>",
        left + width / 2.0,
        bottom + 40.0,
        top - 10.0
    );
    for (name, colour, curve) in curves {
        let points: Vec<String> =
            curve.iter().enumerate().map(|(i, &v)| format!("{:.1},{:.1}", x(i), y(v))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            points.join(" "),
            right + 8.0,
            y(curve.last().copied().unwrap_or_default()) + 4.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "docs/bandit.svg".to_owned());
    let curves = [
        ("fixed order", "#b33", mean_regret(Chooser::FixedOrder, truth, HOSTS)),
        ("blind", "#777", mean_regret(Chooser::Blind, truth, HOSTS)),
        ("bandit", "#17a", mean_regret(Chooser::Bandit, truth, HOSTS)),
    ];
    println!("regret after so many actions, mean of {HOSTS} simulated hosts");
    let rounds = [50, 100, 250, 500];
    println!("{:<12} {}", "", rounds.map(|r| format!("{r:>8}")).join(""));
    let row = |name: &str, curve: &[f64]| {
        println!("{name:<12} {}", rounds.map(|r| format!("{:>8.1}", curve[r / EVERY])).join(""));
    };
    for (name, _, curve) in &curves {
        row(name, curve);
    }
    println!("what learning costs where the fixed order happens to be right, and regrets nothing");
    row("bandit", &mean_regret(Chooser::Bandit, as_guessed, HOSTS));
    std::fs::write(&path, plot(&curves))?;
    println!("the plot is in {path}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bandit_regrets_less_than_the_fixed_order_and_learns_ever_better() {
        let last = |c| mean_regret(c, truth, 20).pop().unwrap_or_default();
        let (fixed, blind, bandit) =
            (last(Chooser::FixedOrder), last(Chooser::Blind), last(Chooser::Bandit));
        assert!(bandit < 0.4 * fixed && bandit < 0.4 * blind, "{bandit} {fixed} {blind}");
        let curve = mean_regret(Chooser::Bandit, truth, 20);
        let half = curve[curve.len() / 2];
        assert!(bandit - half < 0.5 * half, "the second half costs less than half of the first");
    }
}
