"""The data sets on which our forests are held against scikit-learn's.

Nothing is stored: `tests/agreement/data.rs` makes the same numbers to the last bit, and checksums prove it. That is why
there is no library function here that two languages could round differently: only +, -, *, /, the square root and
comparisons, in a fixed order. Inputs are rounded to 32-bit floats, which is what scikit-learn learns from.
"""

import math
import struct
import zlib

MASK = (1 << 64) - 1
NAN = float("nan")


class Chance:
    """SplitMix64 (Steele, Lea and Flood 2014, Fast Splittable Pseudorandom Number Generators)."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def uniform(self):
        """In [0, 1)."""
        return (self.bits() >> 11) * 2.0**-53

    def below(self, n):
        """0 to n - 1."""
        return int(self.uniform() * n)

    def normal(self):
        """About a standard normal: the sum of twelve uniform numbers."""
        total = -6.0
        for _ in range(12):
            total += self.uniform()
        return total

    def sign(self):
        return 1.0 if self.uniform() < 0.5 else -1.0

    def tail(self):
        """At least 1; its tail is a power law so heavy that it has no variance."""
        return 1.0 / math.sqrt(1.0 - self.uniform())


def wave(turns):
    """About the sine of so many turns, made of two parabolas."""
    part = turns - math.floor(turns)
    half = part if part < 0.5 else part - 0.5
    bump = 16.0 * half * (0.5 - half)
    return bump if part < 0.5 else -bump


def cosine(angle):
    """Its series, to 1e-9 within half a turn's half."""
    s = angle * angle
    series = 1.0
    for denominator in (240.0, 182.0, 132.0, 90.0, 56.0, 30.0, 12.0, 2.0):
        series = 1.0 - s / denominator * series
    return series


class Autoregression:
    """Noise of standard deviation 1 that keeps nine tenths of itself from row to row."""

    def __init__(self, chance):
        self.chance = chance
        self.state = chance.normal()

    def next(self):
        self.state = 0.9 * self.state + math.sqrt(0.19) * self.chance.normal()
        return self.state


# Anomalies: rows, and for each whether it is one.


def clusters(chance):
    """Three clusters, and outliers scattered over a cube around them."""
    centres = [[10.0 * chance.uniform() - 5.0 for _ in range(4)] for _ in range(3)]
    for _ in range(2000):
        odd = chance.uniform() < 0.06
        centre = centres[chance.below(3)]
        if odd:
            yield [16.0 * chance.uniform() - 8.0 for _ in range(4)], True
        else:
            yield [c + 1.2 * chance.normal() for c in centre], False


def correlated(chance):
    """Six columns that go together, and rows in which each goes its own way, no further than usual."""
    for _ in range(2000):
        odd = chance.uniform() < 0.1
        shared = chance.normal()
        row = []
        for _ in range(6):
            own = chance.normal()
            row.append(1.3 * own if odd else 0.97 * shared + 0.25 * own)
        yield row, odd


def host(chance):
    """Eight metrics with the rhythm of a day and lasting noise; short spikes, and levels that shift for some rows."""
    phases = [chance.uniform() for _ in range(8)]
    noises = [Autoregression(chance) for _ in range(8)]
    left, moved = 0, [0, 0]
    for number in range(2400):
        row = [2.0 * wave(number / 288.0 + p) + n.next() for p, n in zip(phases, noises)]
        if left == 0 and chance.uniform() < 0.003:
            left, moved = 12, [chance.below(8), chance.below(8)]
        odd = left > 0
        if left > 0:
            left -= 1
            for feature in moved:
                row[feature] += 4.0
        if chance.uniform() < 0.02:
            odd = True
            for _ in range(2):
                row[chance.below(8)] += 4.0 + 4.0 * chance.uniform()
        yield row, odd


def heavy_tails(chance):
    """Three columns whose own tails reach far, and three in which the anomalies are."""
    for _ in range(2000):
        odd = chance.uniform() < 0.06
        row = [chance.sign() * chance.tail() for _ in range(3)]
        row += [chance.normal() + (3.5 * chance.sign() if odd else 0.0) for _ in range(3)]
        yield row, odd


def irrelevant(chance):
    """Eight columns that matter among forty."""
    for _ in range(2000):
        odd = chance.uniform() < 0.06
        row = [chance.normal() for _ in range(40)]
        if odd:
            for feature in range(3, 40, 5):
                row[feature] += 3.0 * chance.sign()
        yield row, odd


def discrete(chance):
    """Counts with few values and so with rows that repeat, and two columns that never vary."""
    for _ in range(2000):
        odd = chance.uniform() < 0.06
        row = [3.0, -1.0]
        for _ in range(5):
            count = 0.0
            for _ in range(4):
                count += 1.0 if chance.uniform() < 0.3 else 0.0
            spread = float(chance.below(7))
            row.append(spread if odd else count)
        yield row, odd


def clump(chance):
    """Anomalies so alike that they hide one another."""
    for _ in range(2000):
        odd = chance.uniform() < 0.06
        shift, spread = (2.4, 0.3) if odd else (0.0, 1.0)
        yield [shift + spread * chance.normal() for _ in range(5)], odd


def small(chance):
    """Fewer rows than a tree would see."""
    for _ in range(200):
        odd = chance.uniform() < 0.15
        yield [chance.normal() + (2.2 * chance.sign() if odd else 0.0) for _ in range(3)], odd


ANOMALIES = [clusters, correlated, host, heavy_tails, irrelevant, discrete, clump, small]


# Regressions: how many rows to learn from, then rows with their targets; those behind are to be predicted.


def friedman(chance):
    """Friedman's first function (1991, Multivariate Adaptive Regression Splines): five columns of ten matter."""
    yield 1000
    for _ in range(2000):
        x = [chance.uniform() for _ in range(10)]
        angle = 3.141592653589793 * (x[0] * x[1] - 0.5)
        mean = 10.0 * cosine(angle) + 20.0 * (x[2] - 0.5) * (x[2] - 0.5) + 10.0 * x[3] + 5.0 * x[4]
        yield x, mean + chance.normal()


def host_lags(chance):
    """Six lags of four metrics with the rhythm of a day; what comes next of the first, whose rare spikes fade."""
    phases = [chance.uniform() for _ in range(4)]
    noises = [Autoregression(chance) for _ in range(4)]
    spikes = [0.0, 0.0, 0.0, 0.0]
    past = []
    yield 2000
    for number in range(4000 + 6):
        row = []
        for feature in range(4):
            spikes[feature] *= 0.6
            if chance.uniform() < 0.01:
                spikes[feature] += 4.0 + 8.0 * chance.uniform()
            calm = 2.0 * wave(number / 288.0 + phases[feature]) + noises[feature].next()
            row.append(calm + spikes[feature])
        if number >= 6:
            yield [v for lag in range(1, 7) for v in past[-lag]], row[0] + 0.3 * row[1]
        past.append(row)


def host_spikes(chance):
    """A host with spikes in half a per cent of the rows that carry most of the variance and announce themselves."""
    noises = [Autoregression(chance) for _ in range(3)]
    spike, ahead = 0.0, 0.0
    past = []
    yield 5000
    for number in range(10000 + 3):
        spike = 0.6 * spike + ahead
        ahead = 20.0 + 60.0 * chance.uniform() if chance.uniform() < 0.005 else 0.0
        row = [noises[0].next() + spike, noises[1].next() + 0.5 * ahead, noises[2].next() + 0.2 * (spike + ahead)]
        if number >= 3:
            yield [v for lag in range(1, 4) for v in past[-lag]], row[0]
        past.append(row)


def steps(chance):
    """Plateaus whose edges lie at odd places and depend on one another."""
    yield 1000
    for _ in range(2000):
        x = [chance.uniform() for _ in range(6)]
        y = 3.0 if x[0] > 0.137 else -1.0
        if x[1] > 0.55:
            y += 4.0 if x[2] > 0.313 else 2.0
        else:
            y += -3.0 if x[3] > 0.871 else 0.0
        yield x, y + 0.3 * chance.normal()


def discrete_columns(chance):
    """Columns of two to twelve values."""
    yield 1000
    for _ in range(2000):
        x = [float(chance.below(n)) for n in (2, 2, 3, 3, 4, 5, 7, 9, 12)]
        y = 2.0 * x[0] * x[5] + (x[7] - 4.0) * (x[7] - 4.0) / 4.0 + (3.0 if x[4] == 2.0 else 0.0) - 0.5 * x[8]
        yield x, y + chance.normal()


def heavy_target(chance):
    """A target whose noise has a heavy tail."""
    yield 1500
    for _ in range(3000):
        x = [chance.uniform() for _ in range(6)]
        base = 1.0 + 4.0 * x[0] * x[1] + 2.0 * x[2] * x[2]
        root = math.sqrt(chance.tail())
        yield x, base * base * (0.8 + 0.2 * root)


def few_rows(chance):
    """A hundred and fifty rows to learn from."""
    yield 150
    for _ in range(1150):
        x = [chance.normal() for _ in range(6)]
        y = 2.0 * x[0] + 1.5 * x[1] + x[2] + 0.7 * x[3] * x[3] + (2.0 if x[4] > 0.0 else 0.0) + x[5]
        yield x, y + 0.5 * chance.normal()


def far_values(chance):
    """Half a per cent of far values, seen by three columns of six, make nearly all of the target's variance."""
    yield 6000
    for _ in range(12000):
        x = [chance.uniform() for _ in range(6)]
        if chance.uniform() < 0.005:
            far = 10.0 + 100.0 * chance.uniform()
            x[0] += far
            x[1] += 0.5 * far
            x[2] -= far
        yield x, x[0] - x[2] + 2.0 * x[3] + chance.normal()


def power_law(chance):
    """Columns of every order of magnitude, which matter by their roots."""
    yield 5000
    for _ in range(10000):
        x = []
        for _ in range(6):
            a = chance.tail()
            x.append(chance.sign() * a * a)
        y = 0.0
        for feature in range(3):
            y += math.sqrt(math.sqrt(abs(x[feature]))) * (1.0 if x[feature] > 0.0 else -0.5)
        yield x, y + 0.5 * chance.normal()


def fine_waves(chance):
    """Ten waves over the range of columns that all tell the same, so that bins must be narrow."""
    yield 5000
    for _ in range(7000):
        u = chance.uniform()
        x = [u, u * u, math.sqrt(u), 1.0 / (1.0 + u), -u, u / (2.0 - u)]
        yield x, 3.0 * wave(10.0 * u) + 0.3 * chance.normal()


def missing(chance):
    """Every fifth input is missing, and in one column that means something."""
    yield 1500
    for _ in range(3000):
        x = [chance.normal() for _ in range(6)]
        y = 2.0 * x[0] + x[1] * x[2] + 0.5 * chance.normal()
        for feature in range(6):
            if chance.uniform() < 0.2:
                x[feature] = NAN
        if x[3] != x[3]:
            y += 4.0
        yield x, y


REGRESSIONS = [
    friedman,
    host_lags,
    host_spikes,
    steps,
    discrete_columns,
    heavy_target,
    few_rows,
    far_values,
    power_law,
    fine_waves,
    missing,
]


def single(value):
    """The nearest 32-bit float."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def checksum(rows, answers):
    """CRC-32 of all inputs and then of all answers as little-endian doubles; a missing value is the usual quiet NaN."""
    crc = 0
    for row in rows:
        crc = zlib.crc32(struct.pack(f"<{len(row)}d", *row), crc)
    return zlib.crc32(struct.pack(f"<{len(answers)}d", *answers), crc)


def anomalies(place):
    """Rows and labels (0 or 1) of one of ANOMALIES."""
    pairs = list(ANOMALIES[place](Chance(1000 + place)))
    return [[single(v) for v in row] for row, _ in pairs], [1.0 if odd else 0.0 for _, odd in pairs]


def regression(place):
    """Rows, targets and how many of them are to be learned from, of one of REGRESSIONS."""
    made = REGRESSIONS[place](Chance(2000 + place))
    train = next(made)
    pairs = list(made)
    return [[single(v) for v in row] for row, _ in pairs], [y for _, y in pairs], train
