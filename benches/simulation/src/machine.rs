//! What is measured of a demand: on the host's schema, or as columns of unknown unit.

use crate::demand::Demand;
use crate::draw::Draw;
use crate::noise::Noise;
use overseer_engine::core::{Result, Schema, host};
use std::fmt::Debug;

/// Turns demands into rows of a schema.
pub trait Machine: Debug + Send {
    /// What the rows are of.
    fn schema(&self) -> Schema;

    /// The row of a demand that held for `elapsed` seconds. Rates are missing where `rates_known` is false, as in the
    /// first sample after a start.
    fn row(&mut self, demand: Demand, elapsed: f64, rates_known: bool, draw: &mut Draw)
    -> Vec<f64>;
}

/// A machine seen through the host's schema.
#[derive(Debug)]
pub struct HostMachine {
    cpus: f64,
    disk: f64,
    network: f64,
    has_pressure: bool,
    swap: f64,
    is_coarse: bool,
    queue: Noise,
    pressure: [Noise; 2],
}

impl HostMachine {
    /// Some machine; `is_coarse` if its metrics are rounded to what a person would type.
    pub fn new(is_coarse: bool, draw: &mut Draw) -> Self {
        Self {
            cpus: [2.0, 4.0, 8.0, 16.0, 32.0][draw.whole(0, 4)],
            disk: draw.log_between(1e8, 2e9),
            network: [1.25e8, 1.25e9][draw.whole(0, 1)],
            has_pressure: draw.chance(0.75),
            swap: if draw.chance(0.4) { draw.between(0.0, 0.3) } else { 0.0 },
            is_coarse,
            queue: Noise::new(120.0, draw),
            pressure: std::array::from_fn(|_| Noise::new(90.0, draw)),
        }
    }
}

impl Machine for HostMachine {
    fn schema(&self) -> Schema {
        host::schema()
    }

    fn row(
        &mut self,
        demand: Demand,
        elapsed: f64,
        rates_known: bool,
        draw: &mut Draw,
    ) -> Vec<f64> {
        let cpu = demand.cpu.min(1.0);
        let queue = self.queue.factor(elapsed, 0.3, draw);
        let load = (cpu * queue + (demand.cpu - 1.0).max(0.0)).min(8.0);
        let disk = ((demand.read + demand.write) / self.disk).min(1.0);
        let [cpu_wait, io_wait] = self.pressure.each_mut().map(|n| n.factor(elapsed, 0.5, draw));
        let mut row = vec![0.0; 13];
        row[host::CPU_UTILIZATION] = rounded(cpu, if self.is_coarse { 0.01 } else { 1e-4 });
        row[host::LOAD_PER_CORE] =
            rounded(load, if self.is_coarse { 0.05 } else { 0.01 / self.cpus });
        row[host::MEMORY_UTILIZATION] =
            rounded(demand.memory.clamp(0.02, 0.99), if self.is_coarse { 0.01 } else { 1e-6 });
        row[host::PAGING_UTILIZATION] = rounded(self.swap, 1e-3);
        row[host::FILESYSTEM_UTILIZATION] =
            rounded(demand.filesystem.clamp(0.01, 0.98), if self.is_coarse { 0.01 } else { 1e-6 });
        let block = if self.is_coarse { 1e5 } else { 512.0 / elapsed };
        row[host::DISK_READ] = rounded(demand.read.min(self.disk), block);
        row[host::DISK_WRITE] = rounded(demand.write.min(self.disk), block);
        let packet = if self.is_coarse { 1e4 } else { 64.0 / elapsed };
        row[host::NETWORK_RECEIVE] = rounded(demand.receive.min(self.network), packet);
        row[host::NETWORK_TRANSMIT] = rounded(demand.transmit.min(self.network), packet);
        row[host::PROCESS_COUNT] = demand.processes.max(1.0).round();
        row[host::PRESSURE_CPU] = rounded((0.6 * load * load * cpu_wait).min(1.0), 1e-4);
        row[host::PRESSURE_IO] = rounded((1.5 * disk * io_wait).min(1.0), 1e-4);
        row[host::PRESSURE_MEMORY] = 0.0;
        if !self.has_pressure {
            row[host::PRESSURE_CPU..=host::PRESSURE_MEMORY].fill(f64::NAN);
        }
        if !rates_known {
            row[host::CPU_UTILIZATION] = f64::NAN;
            row[host::DISK_READ..=host::NETWORK_TRANSMIT].fill(f64::NAN);
            row[host::PRESSURE_CPU..=host::PRESSURE_MEMORY].fill(f64::NAN);
        }
        row
    }
}

/// To the nearest multiple of `unit`.
fn rounded(value: f64, unit: f64) -> f64 {
    (value / unit).round() * unit
}

/// How a column shows what it measures.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Linear,
    Root,
    Logarithm,
    /// In so many levels of its usual size.
    Levels(f64),
    Constant,
}

/// One column: which part of the demand it shows, how, in which unit, and with how much noise of its own.
#[derive(Debug)]
struct Column {
    part: usize,
    shape: Shape,
    factor: f64,
    offset: f64,
    sigma: f64,
    noise: Noise,
}

/// Any number of columns that show parts of the demand in units nobody has told.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// The usual size of each part, so that a column's own noise is in proportion.
    usual: [f64; 8],
}

impl Columns {
    /// So many columns of a host whose usual demand is this; `is_coarse` if they have few levels.
    pub fn new(columns: usize, usual: Demand, is_coarse: bool, draw: &mut Draw) -> Self {
        let column = |j: usize, draw: &mut Draw| {
            let shape = match draw.whole(0, 9) {
                // One column alone that is constant would say nothing.
                0 if j > 0 => Shape::Constant,
                _ if is_coarse => Shape::Levels(draw.log_between(2.0, 15.0)),
                1 => Shape::Levels(draw.log_between(3.0, 60.0)),
                2 | 3 => Shape::Root,
                4 => Shape::Logarithm,
                _ => Shape::Linear,
            };
            Column {
                // The first shows what all kinds of hosts vary most in.
                part: if j == 0 { 0 } else { draw.whole(0, 7) },
                shape,
                factor: draw.log_between(1e-2, 1e6),
                offset: draw.between(-5.0, 50.0),
                sigma: draw.log_between(0.01, 0.3),
                noise: Noise::new(draw.log_between(30.0, 3000.0), draw),
            }
        };
        Self { columns: (0..columns).map(|j| column(j, draw)).collect(), usual: parts(usual) }
    }
}

fn parts(d: Demand) -> [f64; 8] {
    [d.cpu, d.read, d.write, d.receive, d.transmit, d.memory, d.filesystem, d.processes]
}

/// The last of the parts that is a rate: what comes after is a level and known at once.
const RATES: usize = 5;

impl Machine for Columns {
    fn schema(&self) -> Schema {
        let names = (0..self.columns.len()).map(|j| format!("column {j:02}"));
        schema(Schema::from_names(names))
    }

    fn row(
        &mut self,
        demand: Demand,
        elapsed: f64,
        rates_known: bool,
        draw: &mut Draw,
    ) -> Vec<f64> {
        let demand = parts(demand);
        let value = |column: &mut Column| {
            let usual = self.usual[column.part].max(1e-9);
            let noise = 1.0 + column.sigma * column.noise.next(elapsed, draw);
            let size = (demand[column.part] / usual).max(0.0) * noise.max(0.0);
            let shown = match column.shape {
                Shape::Linear => size,
                Shape::Root => size.sqrt(),
                Shape::Logarithm => size.ln_1p(),
                Shape::Levels(levels) => rounded(size, 1.0 / levels),
                Shape::Constant => 1.0,
            };
            if column.part < RATES && !rates_known {
                return f64::NAN;
            }
            column.factor * (column.offset + shown)
        };
        self.columns.iter_mut().map(value).collect()
    }
}

/// A schema of names that are distinct.
fn schema(schema: Result<Schema>) -> Schema {
    match schema {
        Ok(schema) => schema,
        Err(_) => unreachable!("the names are numbered"),
    }
}
